import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Config, parseConfig } from '../src/config.ts'
import { settings } from '../src/settings.ts'

const SECRET = 'A'.repeat(43)

const production = {
  ENVIRONMENT: 'production',
  APP_NAME: 'Example',
  APP_BASE_URL: 'https://auth.example.com',
  MAIL_FROM: 'noreply@example.com',
  TOKEN_KEYS: `k1:${SECRET}`,
  PASSWORD_KEY: SECRET,
  SENDGRID_API_KEY: 'SG.key',
}
const REQUIRED = [
  'APP_NAME',
  'APP_BASE_URL',
  'TOKEN_KEYS',
  'PASSWORD_KEY',
  'MAIL_FROM',
  'SENDGRID_API_KEY',
]

type Env = Record<string, unknown>

function parsed(env: Env): Config {
  const result = parseConfig({ ...production, ...env })
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.config
}

/** Names of the settings with a problem. */
function problemsOf(env: Env): string[] {
  const result = parseConfig({ ...production, ...env })
  return result.ok ? [] : result.problems.map(({ name }) => name)
}

const inDevelopment = { ENVIRONMENT: 'development' }

describe('F14: the configuration', () => {
  it('is complete with the required settings alone', () => {
    expect(problemsOf({})).toEqual([])
  })

  it('lacks, by name, every required setting that is missing', () => {
    const result = parseConfig({})
    expect(result).toEqual({
      ok: false,
      environment: 'production',
      problems: REQUIRED.map((name) => ({
        name,
        message: name === 'SENDGRID_API_KEY' ? 'is required to send by sendgrid' : 'is required',
      })),
    })
  })

  it.each(REQUIRED)('cannot do without %s', (name) => {
    expect(problemsOf({ [name]: undefined })).toEqual([name])
    expect(problemsOf({ [name]: '' })).toEqual([name])
  })

  it.each(['APP_NAME', 'MAIL_MAX_ATTEMPTS'])('wants %s as a string', (name) => {
    const result = parseConfig({ ...production, [name]: 20 })
    const problems = [{ name, message: 'must be a string' }]
    expect(result).toEqual({ ok: false, environment: 'production', problems })
  })

  it('names all problems at once', () => {
    const bad = {
      ENVIRONMENT: 'prod',
      APP_BASE_URL: 'http://localhost:8787',
      VERIFY_MODE: 'magic',
      LOGIN_REQUIRES_VERIFIED: 'yes',
      VERIFY_TTL: '14m',
      MAIL_LIMIT_PER_IP: '10 per hour',
      D1_TIMEOUT_MS: '1e3',
      MAIL_FROM: 'noreply',
    }
    expect(problemsOf(bad).toSorted()).toEqual(Object.keys(bad).toSorted())
  })

  it('takes an empty setting for an absent one: wrangler.toml declares them so', () => {
    const names = Object.keys(settings('production'))
    const empty = Object.fromEntries(names.map((name) => [name, '']))
    const result = parseConfig({ ...empty, ...production })
    expect(result).toEqual(parseConfig(production))
    expect(result.ok).toBe(true)
  })

  it('has these defaults', () => {
    expect(parsed({})).toEqual({
      ENVIRONMENT: 'production',
      APP_NAME: 'Example',
      APP_BASE_URL: 'https://auth.example.com',
      VERIFY_URL: 'https://auth.example.com/auth/verify-email?token={token}',
      RESET_URL: 'https://auth.example.com/reset-password?token={token}',
      ALLOWED_ORIGINS: [],
      EMAIL_CHANGE: 'keep_until_confirmed',
      BRAND_COLOR: '#1f5fbf',
      LOGO_URL: undefined,
      SUPPORT_EMAIL: undefined,
      VERIFY_MODE: 'confirm',
      LOGIN_REQUIRES_VERIFIED: false,
      TOKEN_KEYS: [{ id: 'k1', secret: new Uint8Array(32) }],
      PASSWORD_KEY: new Uint8Array(32),
      MAIL_PROVIDERS: ['sendgrid'],
      SENDGRID_API_KEY: 'SG.key',
      SENDGRID_BASE_URL: 'https://api.sendgrid.com',
      SENDGRID_WEBHOOK_KEYS: undefined,
      RESEND_API_KEY: undefined,
      RESEND_BASE_URL: 'https://api.resend.com',
      RESEND_WEBHOOK_SECRETS: undefined,
      POSTMARK_SERVER_TOKEN: undefined,
      POSTMARK_BASE_URL: 'https://api.postmarkapp.com',
      POSTMARK_WEBHOOK_SECRETS: undefined,
      CLOUDFLARE_EMAIL_EVENTS: false,
      MAIL_DAILY_CAP: null,
      reportingProviders: [],
      MAIL_FROM: 'noreply@example.com',
      MAIL_FROM_NAME: 'Example',
      MAIL_MAX_ATTEMPTS: 20,
      VERIFY_TTL: 86_400_000,
      RESET_TTL: 3_600_000,
      SESSION_TTL: 30 * 86_400_000,
      CLAIM_TTL: 7 * 86_400_000,
      LEDGER_TTL: 30 * 86_400_000,
      EVENTS_RETENTION: 90 * 86_400_000,
      ADMIN_TOKEN: undefined,
      ADMIN_LIMIT_PER_IP: { name: 'admin-ip', limit: 20, windowMs: 900_000 },
      DEV_WEBHOOK_SIGNING_KEY: undefined,
      MAIL_LIMIT_PER_ADDRESS: { name: 'mail-address', limit: 3, windowMs: 900_000 },
      MAIL_LIMIT_PER_IP: { name: 'mail-ip', limit: 10, windowMs: 3_600_000 },
      MAIL_REQUESTS_PER_ADDRESS: { name: 'mail-requests-address', limit: 100, windowMs: 900_000 },
      LOGIN_LIMIT_PER_IP: { name: 'login-ip', limit: 50, windowMs: 900_000 },
      LOGIN_LIMIT_PER_ADDRESS: { name: 'login-address', limit: 25, windowMs: 900_000 },
      CONFIRM_LIMIT_PER_IP: { name: 'confirm-ip', limit: 50, windowMs: 900_000 },
      CONFIRM_LIMIT_PER_ADDRESS: { name: 'confirm-address', limit: 25, windowMs: 900_000 },
      D1_TIMEOUT_MS: 8000,
      KV_TIMEOUT_MS: 1000,
      QUEUE_TIMEOUT_MS: 5000,
      MAIL_TIMEOUT_MS: 10_000,
      isSecureOrigin: true,
    })
  })

  it('has defaults that its own rules accept', () => {
    for (const [name, { fallback, rule }] of Object.entries(settings('production'))) {
      if (fallback === undefined || fallback.startsWith('`')) continue
      expect(rule.safeParse(fallback).success, name).toBe(true)
    }
  })

  it('never repeats a value in a problem, least of all a secret', () => {
    const names = Object.keys(settings('production'))
    const value = 'Hunter2 Hunter2@@\n'
    const result = parseConfig(Object.fromEntries(names.map((name) => [name, value])))
    expect(result.ok).toBe(false)
    expect(JSON.stringify(result)).not.toMatch(/hunter/i)
    for (const TOKEN_KEYS of ['hunter2', 'hunter2:hunter2', `k1:${SECRET},k1:hunter2`]) {
      expect(JSON.stringify(parseConfig({ ...production, TOKEN_KEYS }))).not.toContain('hunter2')
    }
  })

  it('never makes the check throw, and never passes with what is no text', () => {
    const names = Object.keys(settings('production'))
    const anyValue = fc.oneof(
      fc.anything(),
      fc.string({ unit: 'binary' }),
      fc.constant('development'),
    )
    const environment = fc.dictionary(fc.constantFrom(...names), anyValue, {
      maxKeys: names.length,
    })
    fc.assert(
      fc.property(environment, (env) => {
        const result = parseConfig({ ...production, ...env })
        const notText = Object.entries(env).filter(
          ([, value]) => typeof value !== 'string' && value !== undefined,
        )
        if (notText.length > 0) expect(result.ok).toBe(false)
        if (result.ok) return
        const reported = result.problems.map(({ name }) => name)
        expect(reported).toEqual(expect.arrayContaining(notText.map(([name]) => name)))
        for (const { message } of result.problems) expect(message).not.toBe('')
      }),
      { numRuns: 500 },
    )
  })
})

describe('S7: APP_BASE_URL', () => {
  const unreachable = [
    'http://auth.example.com',
    'https://localhost',
    'http://localhost:8787',
    'https://foo.localhost',
    'https://127.0.0.1',
    'https://127.1',
    'https://0x7f000001',
    'https://10.0.0.8:8443',
    'https://8.8.8.8',
    'https://[::1]',
    'https://[2001:db8::1]',
    'https://auth',
    'https://auth.local',
    'https://auth.internal',
    'https://auth.default.svc.cluster.local',
    'https://metadata.google.internal',
    'https://auth.intranet',
    'https://auth.corp',
    'https://auth.lan',
    'https://auth.home',
    'https://auth.home.arpa',
    'https://auth.test',
    'https://auth.example',
    'https://auth.invalid',
    'https://AUTH.LOCAL',
    'https://localhost.',
    'https://auth.internal.',
  ]

  it.each(unreachable)('is refused outside development where nobody could open it: %s', (url) => {
    for (const ENVIRONMENT of ['production', 'staging', undefined]) {
      expect(problemsOf({ APP_BASE_URL: url, ENVIRONMENT })).toEqual(['APP_BASE_URL'])
    }
  })

  it.each(unreachable)('may be what it likes in development: %s', (url) => {
    expect(problemsOf({ APP_BASE_URL: url, ...inDevelopment })).toEqual([])
  })

  it.each([
    'auth.example.com',
    'https://',
    'https://auth.example.com/app',
    'https://auth.example.com/?x=1',
    'https://auth.example.com/#x',
    'https://user:secret@auth.example.com',
    'https://user@auth.example.com',
    'ftp://auth.example.com',
    'javascript:alert(1)',
    'data:text/html,x',
  ])('must be an origin everywhere: %s', (url) => {
    expect(problemsOf({ APP_BASE_URL: url })).toEqual(['APP_BASE_URL'])
    expect(problemsOf({ APP_BASE_URL: url, ...inDevelopment })).toEqual(['APP_BASE_URL'])
  })

  it.each([
    ['https://auth.example.com/', 'https://auth.example.com'],
    ['https://AUTH.Example.com', 'https://auth.example.com'],
    ['https://auth.example.com:443', 'https://auth.example.com'],
    ['https://auth.example.com:8443', 'https://auth.example.com:8443'],
    ['https://bücher.de', 'https://xn--bcher-kva.de'],
    ['https://mailproof.someone.workers.dev', 'https://mailproof.someone.workers.dev'],
    ['https://localhost.example.com', 'https://localhost.example.com'],
    ['https://example-local.com', 'https://example-local.com'],
  ])('is brought to its one spelling: %s', (given, kept) => {
    expect(parsed({ APP_BASE_URL: given }).APP_BASE_URL).toBe(kept)
  })

  it('decides whether cookies can be __Host- ones', () => {
    expect(parsed({}).isSecureOrigin).toBe(true)
    const http = { APP_BASE_URL: 'http://localhost:8787', ...inDevelopment }
    expect(parsed(http).isSecureOrigin).toBe(false)
  })
})

describe('S7: VERIFY_URL', () => {
  it.each([
    'https://app.example.com/verify?token={token}',
    'https://app.example.com/verify/{token}',
    'https://app.example.com/#/verify/{token}',
    'https://app.tokenshop.com/verify?token={token}',
    'https://token.example.com/{token}',
  ])('may be a page of a front end: %s', (url) => {
    expect(parsed({ VERIFY_URL: url }).VERIFY_URL).toBe(url)
  })

  it('may be on a laptop in development, and nowhere else', () => {
    const VERIFY_URL = 'http://localhost:5173/verify?token={token}'
    expect(problemsOf({ VERIFY_URL, ...inDevelopment })).toEqual([])
    expect(problemsOf({ VERIFY_URL })).toEqual(['VERIFY_URL'])
    expect(problemsOf({ VERIFY_URL, ENVIRONMENT: 'staging' })).toEqual(['VERIFY_URL'])
  })

  it.each([
    '/verify?token={token}',
    'app.example.com/{token}',
    'https://app.example.com/verify',
    'https://app.example.com/verify?token=',
    'https://app.example.com/{token}/{token}',
    'https://app.example.com/%7Btoken%7D',
    'https://{token}.example.com/',
    'https://{token}@app.example.com/',
    'https://app.example.com:{token}/',
    'https://user:secret@app.example.com/{token}',
    'myapp://verify/{token}',
    'javascript:open({token})',
    'http://app.example.com/{token}',
    'https://10.0.0.8/{token}',
    'https://app.internal/{token}',
  ])('is refused: %s', (url) => {
    expect(problemsOf({ VERIFY_URL: url })).toEqual(['VERIFY_URL'])
  })

  it.each([
    'https://app.example.com/verify?token={token}\nX: y',
    'https://app.example.com/ver\nify?token={token}',
    'https://app.example.com/verify ?token={token}',
    ' https://app.example.com/verify?token={token}',
  ])('has no space in it, which would cut the link short in a mail: %j', (url) => {
    const result = parseConfig({ ...production, VERIFY_URL: url })
    if (result.ok) expect(result.config.VERIFY_URL).not.toMatch(/\s/)
    else expect(problemsOf({ VERIFY_URL: url })).toEqual(['VERIFY_URL'])
  })
})

describe('F12: TOKEN_KEYS', () => {
  it('are a list, newest first', () => {
    const keys = parsed({ TOKEN_KEYS: `new:${SECRET}, old:${'A'.repeat(86)}` }).TOKEN_KEYS
    expect(keys.map(({ id, secret }) => [id, secret.length])).toEqual([
      ['new', 32],
      ['old', 64],
    ])
  })

  it.each([
    [SECRET, 'must be id:secret'],
    [`k1:${SECRET},`, 'must be id:secret'],
    [`k1:${'A'.repeat(42)}`, 'at least 32 bytes'],
    [`k1:${'+'.repeat(43)}`, 'at least 32 bytes'],
    [`key one:${SECRET}`, '1 to 16'],
    [`k1:${SECRET},k1:${SECRET}`, 'two keys'],
  ])('F14: are refused with the rule they break: %s', (keys, words) => {
    const result = parseConfig({ ...production, TOKEN_KEYS: keys })
    if (result.ok) throw new Error('accepted')
    expect(result.problems).toHaveLength(1)
    expect(result.problems[0]).toMatchObject({
      name: 'TOKEN_KEYS',
      message: expect.stringContaining(words),
    })
  })
})

describe('F14: secrets', () => {
  it.each(['A'.repeat(42), `${SECRET}=`, 'changeme', ' '])(
    'PASSWORD_KEY is refused: %j',
    (value) => {
      expect(problemsOf({ PASSWORD_KEY: value })).toEqual(['PASSWORD_KEY'])
    },
  )

  it.each(['SG.key\n', ' SG.key', 'SG key', 'SG.kéy', 'SG.key\r\nX-Evil: 1'])(
    'SENDGRID_API_KEY is refused: %j',
    (value) => {
      expect(problemsOf({ SENDGRID_API_KEY: value })).toEqual(['SENDGRID_API_KEY'])
    },
  )
})

describe('F14: limits', () => {
  const limits = Object.keys(settings('production')).filter((name) =>
    /LIMIT|REQUESTS_PER/.test(name),
  )

  it.each(limits)('%s has no window under the 60 seconds that KV demands of a TTL', (name) => {
    expect(problemsOf({ [name]: '3/59s' })).toEqual([name])
    expect(problemsOf({ [name]: '3/1s' })).toEqual([name])
    expect(problemsOf({ [name]: '3/60s' })).toEqual([])
    expect(problemsOf({ [name]: '3/1m' })).toEqual([])
  })

  it.each([
    '3',
    '3/',
    '/15m',
    '0/15m',
    '-3/15m',
    '3/15',
    '3/15w',
    '3 / 15m',
    '3/8d',
    '3/15m ',
    '1e3/1h',
  ])('are refused: %j', (value) => {
    expect(problemsOf({ MAIL_LIMIT_PER_ADDRESS: value })).toEqual(['MAIL_LIMIT_PER_ADDRESS'])
  })

  it('S10: are read as count and window', () => {
    expect(parsed({ MAIL_LIMIT_PER_ADDRESS: '5/2h' }).MAIL_LIMIT_PER_ADDRESS).toEqual({
      name: 'mail-address',
      limit: 5,
      windowMs: 7_200_000,
    })
  })

  it('keep the ledger at least as long as any window, or D1 could not count', () => {
    expect(problemsOf({ MAIL_LIMIT_PER_ADDRESS: '3/7d', LEDGER_TTL: '8d' })).toEqual([])
    expect(problemsOf({ LEDGER_TTL: '7d' })).toEqual(['LEDGER_TTL'])
  })
})

describe('lifetimes', () => {
  it.each([
    ['15m', 900_000],
    ['900s', 900_000],
    ['24h', 86_400_000],
    ['1d', 86_400_000],
  ])('S6: a link may work for %s', (text, ms) => {
    expect(parsed({ VERIFY_TTL: text }).VERIFY_TTL).toBe(ms)
  })

  it.each([
    '899s',
    '14m',
    '25h',
    '86401s',
    '2d',
    '0h',
    '-1h',
    '1.5h',
    '24',
    'h',
    '24H',
    '24 h',
    '1w',
  ])('S6: a link may not work for %s', (text) => {
    expect(problemsOf({ VERIFY_TTL: text })).toEqual(['VERIFY_TTL'])
  })

  it.each([
    ['SESSION_TTL', '1h', '59m', '365d', '366d'],
    ['CLAIM_TTL', '1d', '23h', '365d', '366d'],
    ['LEDGER_TTL', '8d', '191h', '365d', '366d'],
  ])('%s has bounds', (name, least, less, most, more) => {
    expect(problemsOf({ [name]: least })).toEqual([])
    expect(problemsOf({ [name]: most })).toEqual([])
    expect(problemsOf({ [name]: less })).toEqual([name])
    expect(problemsOf({ [name]: more })).toEqual([name])
  })

  it.each([
    ['D1_TIMEOUT_MS', 50, 30_000],
    ['KV_TIMEOUT_MS', 20, 30_000],
    ['QUEUE_TIMEOUT_MS', 50, 30_000],
    ['MAIL_TIMEOUT_MS', 50, 30_000],
    ['MAIL_MAX_ATTEMPTS', 1, 40],
  ])('%s is a whole number from %i to %i', (name, least, most) => {
    for (const good of [least, most]) expect(problemsOf({ [name]: String(good) })).toEqual([])
    for (const bad of [least - 1, most + 1, '1e2', '100.5', '0x64', ' 100', '-100', 'NaN']) {
      expect(problemsOf({ [name]: String(bad) }), String(bad)).toEqual([name])
    }
  })
})

describe('F14: the sender', () => {
  it('is brought to its canonical form', () => {
    expect(parsed({ MAIL_FROM: ' NoReply@Bücher.Example ' }).MAIL_FROM).toBe(
      'noreply@xn--bcher-kva.example',
    )
  })

  it.each([
    'noreply@example.com\r\nBcc: x@y.zz',
    'a@b.co\nBcc: x@y.zz',
    'Example <noreply@example.com>',
    'noreply',
    'noreply@localhost',
    'a@b.co,x@y.zz',
  ])('is one plain address: %j is refused', (value) => {
    expect(problemsOf({ MAIL_FROM: value })).toEqual(['MAIL_FROM'])
  })

  it.each(['APP_NAME', 'MAIL_FROM_NAME'])('%s cannot begin a header of its own', (name) => {
    for (const bad of [
      'Ex\r\nBcc: x@y.zz',
      'Ex\nample',
      'Ex\0ample',
      'Ex\u0085ample',
      'x'.repeat(101),
    ]) {
      expect(problemsOf({ [name]: bad })).toEqual([name])
    }
    expect(problemsOf({ [name]: 'Ümläut & <Söhne> "GmbH" 🦊' })).toEqual([])
  })

  it('has a name of its own where one is given', () => {
    expect(parsed({ MAIL_FROM_NAME: 'Ada' }).MAIL_FROM_NAME).toBe('Ada')
  })
})

describe('F14: the mail API', () => {
  it('S2: is reached over TLS outside development', () => {
    const SENDGRID_BASE_URL = 'http://localhost:8787/dev'
    expect(problemsOf({ SENDGRID_BASE_URL })).toEqual(['SENDGRID_BASE_URL'])
    expect(problemsOf({ SENDGRID_BASE_URL, ENVIRONMENT: 'staging' })).toEqual(['SENDGRID_BASE_URL'])
    expect(problemsOf({ SENDGRID_BASE_URL, ...inDevelopment })).toEqual([])
  })

  it('may have a path, and loses the slashes at its end', () => {
    const given = { SENDGRID_BASE_URL: 'https://proxy.example.com/sendgrid//' }
    expect(parsed(given).SENDGRID_BASE_URL).toBe('https://proxy.example.com/sendgrid')
  })

  it.each([
    'api.sendgrid.com',
    'ftp://api.sendgrid.com',
    // A request to these fails or goes elsewhere, each time, only in production.
    'https://user:secret@api.sendgrid.com',
    'https://api.sendgrid.com/?x=1',
    'https://api.sendgrid.com/#x',
  ])('is refused: %s', (url) => {
    expect(problemsOf({ SENDGRID_BASE_URL: url })).toEqual(['SENDGRID_BASE_URL'])
  })
})

describe('F14: ENVIRONMENT', () => {
  it.each(['prod', 'Development', 'dev', ' development', 'test', 'DEVELOPMENT'])(
    'is a problem where it is unknown, and counts as production until then: %j',
    (ENVIRONMENT) => {
      const result = parseConfig({
        ...production,
        ENVIRONMENT,
        APP_BASE_URL: 'http://localhost:8787',
      })
      if (result.ok) throw new Error('accepted')
      expect(result.environment).toBe('production')
      expect(result.problems.map(({ name }) => name)).toEqual(['ENVIRONMENT', 'APP_BASE_URL'])
    },
  )

  it('is production where nothing is said: what opens the mailbox must be asked for', () => {
    expect(parsed({ ENVIRONMENT: undefined }).ENVIRONMENT).toBe('production')
    expect(parsed({ ENVIRONMENT: '' }).ENVIRONMENT).toBe('production')
    expect(parsed({ ENVIRONMENT: 'staging' }).ENVIRONMENT).toBe('staging')
  })
})

describe('F14: who sends', () => {
  const keys = {
    RESEND_API_KEY: 're_key',
    POSTMARK_SERVER_TOKEN: 'token',
    EMAIL: { send: () => undefined },
  }

  it('is named in order of choice', () => {
    expect(parsed({ ...keys, MAIL_PROVIDERS: 'resend, sendgrid' }).MAIL_PROVIDERS).toEqual([
      'resend',
      'sendgrid',
    ])
  })

  it.each([
    ['resend', 'RESEND_API_KEY'],
    ['postmark', 'POSTMARK_SERVER_TOKEN'],
    ['cloudflare', 'EMAIL'],
    ['sendgrid', 'SENDGRID_API_KEY'],
  ])('%s needs %s, and no other does', (provider, name) => {
    expect(problemsOf({ ...keys, MAIL_PROVIDERS: provider })).toEqual([])
    expect(problemsOf({ ...keys, MAIL_PROVIDERS: provider, [name]: '' })).toEqual([name])
    const other = provider === 'resend' ? 'sendgrid' : 'resend'
    expect(problemsOf({ ...keys, MAIL_PROVIDERS: other, [name]: undefined })).toEqual([])
  })

  it.each(['', ',', 'mailgun', 'sendgrid,sendgrid', 'resend,', 'SendGrid'])(
    'is refused as %j',
    (list) => {
      if (list === '') expect(parsed({ MAIL_PROVIDERS: list }).MAIL_PROVIDERS).toEqual(['sendgrid'])
      else expect(problemsOf({ ...keys, MAIL_PROVIDERS: list })).toEqual(['MAIL_PROVIDERS'])
    },
  )

  it('is expected to report where there is something to prove its reports by', () => {
    const both = { ...keys, MAIL_PROVIDERS: 'sendgrid,resend,postmark,cloudflare' }
    const reporting = {
      RESEND_WEBHOOK_SECRETS: `whsec_${'A'.repeat(32)}`,
      POSTMARK_WEBHOOK_SECRETS: 'x'.repeat(32),
      CLOUDFLARE_EMAIL_EVENTS: 'true',
    }
    expect(parsed({ ...both, ...reporting }).reportingProviders).toEqual([
      'resend',
      'postmark',
      'cloudflare',
    ])
    // Of a provider that does not send, nothing is expected.
    expect(parsed({ ...keys, ...reporting }).reportingProviders).toEqual([])
  })

  it.each([
    ['SENDGRID_WEBHOOK_KEYS', 'not a key'],
    ['RESEND_WEBHOOK_SECRETS', 'whsec_short'],
    ['RESEND_WEBHOOK_SECRETS', `whsec_${'A'.repeat(32)},oops`],
    ['POSTMARK_WEBHOOK_SECRETS', 'short'],
    ['MAIL_DAILY_CAP', '0'],
    ['MAIL_DAILY_CAP', '-1'],
    ['MAIL_DAILY_CAP', 'many'],
    ['EVENTS_RETENTION', '6d'],
    ['ADMIN_TOKEN', 'guessable'],
    ['ADMIN_TOKEN', ' '.repeat(40)],
    ['CLOUDFLARE_EMAIL_EVENTS', 'yes'],
  ])('%s is refused: %j', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([name])
  })

  it('S20: a daily cap is a number or none', () => {
    expect(parsed({ MAIL_DAILY_CAP: '100' }).MAIL_DAILY_CAP).toBe(100)
    expect(parsed({ MAIL_DAILY_CAP: 'none' }).MAIL_DAILY_CAP).toBe(null)
  })
})
