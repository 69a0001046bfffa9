// The settings of a Worker in development, with secrets nobody else has.

import { Buffer } from 'node:buffer'
import { randomFillSync } from 'node:crypto'

/** Settings by name, as they stand in `.dev.vars`. */
export type Vars = Readonly<Record<string, string>>

/** The settings that wrangler.toml declares as secrets. */
const SECRETS = new Set(['TOKEN_KEYS', 'PASSWORD_KEY', 'SENDGRID_API_KEY'])

/**
 * Everything that a Worker needs in development. The mail API is the Worker's own, under `/dev`.
 * @param origin where the Worker will answer, such as `http://localhost:8787`
 */
export function developmentVars(origin: string): Vars {
  return {
    ENVIRONMENT: 'development',
    APP_NAME: 'Mailproof',
    APP_BASE_URL: origin,
    MAIL_FROM: 'noreply@mailproof.test',
    SENDGRID_BASE_URL: `${origin}/dev`,
    TOKEN_KEYS: `k1:${randomSecret()}`,
    PASSWORD_KEY: randomSecret(),
    SENDGRID_API_KEY: randomSecret(),
  }
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
 * setting that wrangler.toml does not declare: since it names its secrets, wrangler reads no undeclared
 * name from a file. The declared secrets stay out, for arguments are seen by every user of the machine.
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
