// The settings of a Worker in development, with secrets nobody else has.

import { Buffer } from 'node:buffer'
import { generateKeyPairSync, randomFillSync } from 'node:crypto'
import { parseEnv } from 'node:util'

/** Settings by name, as they stand in `.dev.vars`. */
export type Vars = Readonly<Record<string, string>>

/** The settings that wrangler.toml declares as secrets. */
const SECRETS = new Set(['TOKEN_KEYS', 'PASSWORD_KEY', 'SENDGRID_API_KEY'])

/** Names of an earlier version, and what they are called now. */
const RENAMED = {
  MAIL_API_KEY: 'SENDGRID_API_KEY',
  MAIL_API_BASE_URL: 'SENDGRID_BASE_URL',
} as const

/** What makes the Worker's own mailbox its mail API. */
const OF_THE_MAILBOX = [
  'SENDGRID_BASE_URL',
  'SENDGRID_API_KEY',
  'SENDGRID_WEBHOOK_KEYS',
  'DEV_WEBHOOK_SIGNING_KEY',
] as const

/**
 * Everything that a Worker needs in development. The mail API is the Worker's own, under `/dev`, and reports
 * deliveries by a webhook that it signs.
 * @param origin where the Worker will answer, such as `http://localhost:8787`
 */
export function developmentVars(origin: string): Vars {
  const webhook = webhookKeys()
  return {
    ENVIRONMENT: 'development',
    APP_NAME: 'Mailproof',
    APP_BASE_URL: origin,
    MAIL_FROM: 'noreply@mailproof.test',
    // Whoever tries things out signs up often, and always from here.
    MAIL_LIMIT_PER_IP: '1000/1h',
    SENDGRID_BASE_URL: `${origin}/dev`,
    TOKEN_KEYS: `k1:${randomSecret()}`,
    PASSWORD_KEY: randomSecret(),
    SENDGRID_API_KEY: randomSecret(),
    SENDGRID_WEBHOOK_KEYS: webhook.verifies,
    DEV_WEBHOOK_SIGNING_KEY: webhook.signs,
    ADMIN_TOKEN: randomSecret(),
  }
}

/** A key pair as SendGrid has one for its webhook (ECDSA over P-256), each half in DER and base64. */
function webhookKeys(): { readonly verifies: string; readonly signs: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const inBase64 = (der: Uint8Array | string) => Buffer.from(der).toString('base64')
  return {
    verifies: inBase64(publicKey.export({ type: 'spki', format: 'der' })),
    signs: inBase64(privateKey.export({ type: 'pkcs8', format: 'der' })),
  }
}

/**
 * Brings the `.dev.vars` of an earlier version up to this one: renames what is called otherwise now, and
 * appends what was not there yet. What is there, even empty, is left as it is.
 * @param text the file
 * @param origin where the Worker will answer
 * @returns the text, and the names that were renamed or added; none where it is complete
 */
export function completedDevVars(
  text: string,
  origin: string,
): { readonly text: string; readonly changed: readonly string[] } {
  const before = parseEnv(text)
  let renamed = text
  for (const [old, now] of Object.entries(RENAMED)) {
    if (now in before) continue
    renamed = renamed.replace(
      new RegExp(`^([ \\t]*(?:export[ \\t]+)?)${old}(?=[ \\t]*=)`, 'gm'),
      `$1${now}`,
    )
  }

  const vars = parseEnv(renamed)
  const added = Object.entries(developmentVars(origin)).filter(
    ([name]) => !(name in vars) && isWanted(name, vars),
  )
  const lines = added.map(([name, value]) => `${name}="${value}"\n`).join('')
  const separator = renamed === '' || renamed.endsWith('\n') ? '' : '\n'
  return {
    text: added.length === 0 ? renamed : `${renamed}${separator}${lines}`,
    changed: Object.keys(parseEnv(renamed + separator + lines)).filter((name) => !(name in before)),
  }
}

/** Whoever sends by a mail API of the world's, or keeps a webhook key of their own, is not led to the mailbox. */
function isWanted(name: string, vars: NodeJS.Dict<string>): boolean {
  if (OF_THE_MAILBOX.every((one) => one !== name)) return true
  const { ENVIRONMENT = 'development', MAIL_PROVIDERS = 'sendgrid' } = vars
  if (ENVIRONMENT !== 'development' || !/\bsendgrid\b/.test(MAIL_PROVIDERS)) return false
  const isMailbox =
    vars.SENDGRID_BASE_URL === undefined
      ? !('SENDGRID_API_KEY' in vars)
      : URL.parse(vars.SENDGRID_BASE_URL)?.pathname === '/dev'
  // Half a pair of keys would not match the other half.
  const hasKeys = 'SENDGRID_WEBHOOK_KEYS' in vars || 'DEV_WEBHOOK_SIGNING_KEY' in vars
  return isMailbox && (!/WEBHOOK/.test(name) || !hasKeys)
}

/**
 * The text of `.dev.vars`.
 * @param vars values without quotes or line breaks
 */
export function formatDevVars(vars: Vars): string {
  const lines = Object.entries(vars).map(([name, value]) => `${name}="${value}"`)
  return `# Written by npm run dev for this machine alone. Delete it to have it written anew.\n${lines.join('\n')}\n`
}

/**
 * Settings as arguments of `wrangler dev`. An argument beats `.dev.vars`, and it is the only way for a
 * setting that wrangler.toml does not declare: since it names its secrets, wrangler takes no undeclared
 * name from a file or from the environment. The declared secrets stay out, for arguments are seen by every
 * user of the machine. `ADMIN_TOKEN` and `DEV_WEBHOOK_SIGNING_KEY` cannot: to declare them is to require them of
 * every deployment. The mailbox opens every account to such a user as it is.
 * @param vars settings
 */
export function varArguments(vars: Vars): string[] {
  return Object.entries(vars)
    .filter(([name]) => !SECRETS.has(name))
    .flatMap(([name, value]) => ['--var', `${name}:${value}`])
}

/**
 * Points a URL of this machine at another port, and leaves any other URL alone.
 * @param text a URL
 * @param port the port
 */
export function atPort(text: string, port: number): string {
  const url = URL.parse(text)
  if (url === null || !['localhost', '127.0.0.1'].includes(url.hostname)) return text
  url.port = String(port)
  return url.href
}

/** 32 random bytes as base64url. */
export function randomSecret(): string {
  return randomFillSync(Buffer.alloc(32)).toString('base64url')
}
