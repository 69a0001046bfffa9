// The settings that `npm run dev` writes for a machine, and what it makes of those of an earlier version.

import { generateKeyPairSync } from 'node:crypto'
import { parseEnv } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import {
  completedDevVars,
  developmentVars,
  formatDevVars,
  varArguments,
} from '../../src/dev/cli/dev-vars.ts'

const ORIGIN = 'http://localhost:8787'
const fresh = () => developmentVars(ORIGIN)

/** The file of a version that knew one mail API and no reports. */
const EARLIER = `# Written by npm run dev for this machine alone. Delete it to have it written anew.
ENVIRONMENT="development"
APP_NAME="My own name"
APP_BASE_URL="http://localhost:9000"
MAIL_FROM="noreply@mailproof.test"
MAIL_API_BASE_URL="http://localhost:9000/dev"
TOKEN_KEYS="k1:${'A'.repeat(43)}"
PASSWORD_KEY="${'A'.repeat(43)}"
MAIL_API_KEY="the-key-of-this-machine"`

function completed(text: string) {
  const result = completedDevVars(text, ORIGIN)
  return { ...result, vars: parseEnv(result.text) }
}

// workerd has them, Node 24 not yet.
Uint8Array.fromBase64 ??= (text) => new Uint8Array(Buffer.from(text, 'base64url'))
Uint8Array.prototype.toBase64 ??= function (this: Uint8Array) {
  return Buffer.from(this).toString('base64url')
}

describe('the settings of a fresh checkout', () => {
  it('are what the Worker accepts, and its webhook reports', () => {
    const result = parseConfig(parseEnv(formatDevVars(fresh())))
    expect(result.ok && result.config.reportingProviders).toEqual(['sendgrid'])
  })

  it('are complete, and different each time', () => {
    const text = formatDevVars(fresh())
    expect(completed(text)).toMatchObject({ text, changed: [] })
    const secrets = ['TOKEN_KEYS', 'PASSWORD_KEY', 'SENDGRID_API_KEY', 'ADMIN_TOKEN']
    const [one, other] = [fresh(), fresh()]
    for (const name of [...secrets, 'SENDGRID_WEBHOOK_KEYS', 'DEV_WEBHOOK_SIGNING_KEY']) {
      expect(one[name], name).not.toBe(other[name])
    }
  })

  it('have a key pair whose halves belong together', async () => {
    const { SENDGRID_WEBHOOK_KEYS = '', DEV_WEBHOOK_SIGNING_KEY = '' } = fresh()
    const p256 = { name: 'ECDSA', namedCurve: 'P-256' }
    const bytes = (text: string) => Buffer.from(text, 'base64')
    const signs = bytes(DEV_WEBHOOK_SIGNING_KEY)
    const verifies = bytes(SENDGRID_WEBHOOK_KEYS)
    const [privateKey, publicKey] = await Promise.all([
      crypto.subtle.importKey('pkcs8', signs, p256, false, ['sign']),
      crypto.subtle.importKey('spki', verifies, p256, false, ['verify']),
    ])
    const text = Buffer.from('a text')
    const es256 = { name: 'ECDSA', hash: 'SHA-256' }
    const signature = await crypto.subtle.sign(es256, privateKey, text)
    expect(await crypto.subtle.verify(es256, publicKey, signature, text)).toBe(true)
  })

  it('keep the secrets that wrangler.toml declares off the command line', () => {
    const vars = fresh()
    const given = varArguments(vars).join(' ')
    for (const name of ['TOKEN_KEYS', 'PASSWORD_KEY', 'SENDGRID_API_KEY']) {
      expect(given).not.toContain(vars[name])
    }
    expect(given).toContain(`DEV_WEBHOOK_SIGNING_KEY:${vars.DEV_WEBHOOK_SIGNING_KEY}`)
  })
})

describe('the settings of an earlier version', () => {
  it('are completed: renamed where a name changed, appended where one is new', () => {
    const { text, vars, changed } = completed(EARLIER)
    expect(changed.toSorted()).toEqual([
      'ADMIN_TOKEN',
      'DEV_WEBHOOK_SIGNING_KEY',
      'MAIL_LIMIT_PER_IP',
      'SENDGRID_API_KEY',
      'SENDGRID_BASE_URL',
      'SENDGRID_WEBHOOK_KEYS',
    ])
    expect(vars).toMatchObject({
      APP_NAME: 'My own name',
      APP_BASE_URL: 'http://localhost:9000',
      SENDGRID_BASE_URL: 'http://localhost:9000/dev',
      SENDGRID_API_KEY: 'the-key-of-this-machine',
      TOKEN_KEYS: `k1:${'A'.repeat(43)}`,
    })
    expect(text).not.toContain('MAIL_API')
    expect(text).toMatch(/^# Written by npm run dev/)
    expect(parseConfig(vars).ok).toBe(true)
    expect(completed(text)).toMatchObject({ text, changed: [] })
  })

  it('are left as they are where they say it, even where they say nothing', () => {
    const text = formatDevVars({ ...fresh(), ADMIN_TOKEN: '' })
    expect(completed(text).changed).toEqual([])
  })

  it('do not lead to the mailbox who sends by a mail API of the world’s', () => {
    const { SENDGRID_BASE_URL, SENDGRID_WEBHOOK_KEYS, DEV_WEBHOOK_SIGNING_KEY, ...rest } = fresh()
    const text = formatDevVars({ ...rest, ADMIN_TOKEN: 'x'.repeat(32) })
    for (const more of [
      '',
      'SENDGRID_BASE_URL="https://api.eu.sendgrid.com"\n',
      `ENVIRONMENT="staging"\nSENDGRID_BASE_URL="${SENDGRID_BASE_URL}"\n`,
      `MAIL_PROVIDERS="resend"\nSENDGRID_BASE_URL="${SENDGRID_BASE_URL}"\n`,
    ]) {
      expect(completed(text + more).changed).toEqual([])
    }
  })

  it('get no half of a key pair', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const own = Buffer.from(publicKey.export({ type: 'spki', format: 'der' })).toString('base64')
    const { DEV_WEBHOOK_SIGNING_KEY, ...rest } = fresh()
    const { changed, vars } = completed(formatDevVars({ ...rest, SENDGRID_WEBHOOK_KEYS: own }))
    expect(changed).toEqual([])
    expect(vars.SENDGRID_WEBHOOK_KEYS).toBe(own)
  })
})

describe('the key that signs reports', () => {
  it.each(['staging', 'production'])('is refused by name in %s', (environment) => {
    const { DEV_WEBHOOK_SIGNING_KEY = '', ...rest } = fresh()
    const env = {
      ...rest,
      ENVIRONMENT: environment,
      APP_BASE_URL: 'https://auth.example.com',
      SENDGRID_BASE_URL: 'https://api.sendgrid.com',
      MAIL_FROM: 'noreply@example.com',
    }
    expect(parseConfig({ ...env, DEV_WEBHOOK_SIGNING_KEY: '' }).ok).toBe(true)
    const result = parseConfig({ ...env, DEV_WEBHOOK_SIGNING_KEY })
    expect(result).toMatchObject({
      ok: false,
      problems: [
        { name: 'DEV_WEBHOOK_SIGNING_KEY', message: 'must not be set outside development' },
      ],
    })
    expect(JSON.stringify(result)).not.toContain(DEV_WEBHOOK_SIGNING_KEY)
  })
})
