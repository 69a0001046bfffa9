// Every setting there is: its rule, its default, and a line on what it is. Rules are worded to follow the
// setting's name, and never repeat a value: some are secret.

import * as z from 'zod/mini'
import { canonicalAddress } from './accounts/email-address.ts'
import type { RatePolicy } from './limits/window.ts'
import { type ProviderName, providerNames } from './mail/providers/provider.ts'
import { parsedText, unfit } from './parsed-text.ts'
import { decodeBase64Url } from './signing/base64url.ts'
import { type KeyMaterial, MIN_SECRET_BYTES, parseKeyList } from './signing/key-ring.ts'

export type Environment = 'development' | 'staging' | 'production'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const UNITS: Record<string, number> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY }

function durationMs(text: string): number | null {
  const match = /^(\d{1,6})([smhd])$/.exec(text)
  return match === null ? null : Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN)
}

/** `90s`, `15m`, `24h`, `7d`. */
function duration(min: string, max: string) {
  const [least, most] = [durationMs(min) ?? 0, durationMs(max) ?? 0]
  return parsedText((text) => {
    const ms = durationMs(text)
    return ms !== null && ms >= least && ms <= most
      ? ms
      : unfit(`must be a duration from ${min} to ${max}, such as ${min}`)
  })
}

/** `3/15m`. KV refuses an `expirationTtl` under 60 seconds, so no window may be shorter. */
function rate(name: string) {
  return parsedText<RatePolicy>((text) => {
    const match = /^(\d{1,6})\/(\w+)$/.exec(text)
    const windowMs = durationMs(match?.[2] ?? '')
    const limit = Number(match?.[1])
    return windowMs !== null && windowMs >= MINUTE && windowMs <= 7 * DAY && limit >= 1
      ? { name, limit, windowMs }
      : unfit('must be count/window with a window from 1m to 7d, such as 3/15m')
  })
}

function integer(min: number, max: number) {
  return parsedText(
    (text) =>
      integerWithin(text, min, max) ?? unfit(`must be a whole number from ${min} to ${max}`),
  )
}

/** A whole number, or `none`. */
function integerOrNone(min: number, max: number) {
  return parsedText((text) =>
    text === 'none'
      ? null
      : (integerWithin(text, min, max) ??
        unfit(`must be a whole number from ${min} to ${max}, or none`)),
  )
}

function integerWithin(text: string, min: number, max: number): number | null {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : null
}

/** Whether strangers can reach a host: a link to any other is dead on arrival. */
function isPublicHost(hostname: string): boolean {
  if (hostname.startsWith('[') || /^[\d.]+$/.test(hostname)) return false
  if (!hostname.includes('.')) return false
  return !/(^|\.)(localhost|local|internal|intranet|lan|home|corp|test|invalid|example|arpa)\.?$/.test(
    hostname,
  )
}

function publicUrlProblem(url: URL, environment: Environment): string | null {
  if (url.username !== '' || url.password !== '') return 'must not contain credentials'
  if (environment === 'development') {
    return /^https?:$/.test(url.protocol) ? null : 'must be an http or https URL'
  }
  if (url.protocol !== 'https:') return 'must be https outside development'
  if (!isPublicHost(url.hostname)) return 'must have a public host name outside development'
  return null
}

function origin(environment: Environment) {
  return parsedText((text) => {
    const url = URL.parse(text)
    if (url === null) return unfit('must be a URL such as https://auth.example.com')
    if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
      return unfit('must be an origin, without path, query or fragment')
    }
    const problem = publicUrlProblem(url, environment)
    return problem === null ? url.origin : unfit(problem)
  })
}

/** `https://app.example.com,https://admin.example.com`, or `none`. */
function originList(environment: Environment) {
  return parsedText<string[]>((text) => {
    if (text === 'none') return []
    const urls = text.split(',').map((part) => URL.parse(part.trim()))
    const origins = urls.flatMap((url) =>
      url !== null && url.href === `${url.origin}/` && publicUrlProblem(url, environment) === null
        ? [url.origin]
        : [],
    )
    return origins.length === urls.length
      ? origins
      : unfit('must be origins such as https://app.example.com, separated by commas, or none')
  })
}

function logoUrl(environment: Environment) {
  return parsedText((text) => {
    const url = URL.parse(text)
    if (url === null) return unfit('must be a URL')
    const problem = publicUrlProblem(url, environment)
    return problem === null ? url.href : unfit(problem)
  })
}

/** A page of a front end's own, with `{token}` where the token goes. */
function linkTemplate(environment: Environment) {
  return parsedText((text) => {
    const problem = templateProblem(text, environment)
    return problem === null ? text : unfit(problem)
  })
}

function templateProblem(text: string, environment: Environment): string | null {
  // The URL parser forgives white space, a mail does not.
  if (/\s/.test(text)) return 'must not contain white space'
  const [before = '', ...after] = text.split('{token}')
  const url = URL.parse(text.replace('{token}', 't'))
  if (url === null) return 'must be a URL such as https://app.example.com/verify?token={token}'
  const isAfterHost = URL.parse(before)?.origin === url.origin
  if (after.length !== 1 || !isAfterHost) return 'must contain {token} once, after the host'
  return publicUrlProblem(url, environment)
}

/** A path may follow, as for a proxy; a query or credentials would end in the wrong place. */
function apiBaseUrl(environment: Environment) {
  return parsedText((text) => {
    const url = URL.parse(text)
    const isPlain = url !== null && `${url.username}${url.password}${url.search}${url.hash}` === ''
    const isAllowed =
      url?.protocol === 'https:' || (environment === 'development' && url?.protocol === 'http:')
    return isPlain && isAllowed
      ? url.href.replace(/\/+$/, '')
      : unfit(
          'must be an https URL (http only in development) without credentials, query or fragment',
        )
  })
}

const senderAddress = parsedText((text) => {
  const result = canonicalAddress(text)
  return result.ok ? result.address : unfit(result.problem.message)
})

const KEY_PROBLEMS = {
  empty: 'is required',
  shape: 'must be id:secret, several of them separated by commas, newest first',
  id: 'has an id that is not 1 to 16 letters, digits, _ or -',
  secret: `has a secret that is not base64url of at least ${MIN_SECRET_BYTES} bytes`,
  duplicate: 'has two keys of the same id',
} as const

const tokenKeys = parsedText<KeyMaterial[]>((text) => {
  const keys = parseKeyList(text)
  return typeof keys === 'string' ? unfit(KEY_PROBLEMS[keys]) : keys
})

const secretBytes = parsedText((text) => {
  const bytes = decodeBase64Url(text)
  return bytes !== null && bytes.length >= MIN_SECRET_BYTES
    ? bytes
    : unfit(`must be base64url of at least ${MIN_SECRET_BYTES} bytes`)
})

/** `resend,sendgrid`: who sends, the first choice first. */
const providerList = parsedText<ProviderName[]>((text) => {
  const names = text.split(',').map((name) => name.trim())
  const known = providerNames.filter((name) => names.includes(name))
  return known.length === names.length
    ? known.sort((a, b) => names.indexOf(a) - names.indexOf(b))
    : unfit(`must be some of ${providerNames.join(', ')}, each once, separated by commas`)
})

const plainText = z.string('must be a string')

const apiKey = plainText.check(
  z.regex(/^[\x21-\x7e]+$/, 'must be one word of visible ASCII characters'),
)

/** One or more secrets that prove where a webhook comes from: two while one takes over from the other. */
function webhookSecrets(pattern: RegExp, what: string) {
  return parsedText<string[]>((text) => {
    const secrets = text.split(',').map((secret) => secret.trim())
    return secrets.every((secret) => pattern.test(secret))
      ? secrets
      : unfit(`must be ${what}, several of them separated by commas`)
  })
}

/** Where it is known, reports of deliveries can be forged: only the mailbox of a developer may have it. */
function devSigningKey(environment: Environment) {
  return plainText.check(
    environment === 'development'
      ? z.regex(/^[A-Za-z0-9+/]{80,400}={0,2}$/, 'must be a PKCS #8 private key in base64')
      : z.refine(() => false, 'must not be set outside development'),
  )
}

const flag = z.pipe(
  z.enum(['true', 'false'], 'must be true or false'),
  z.transform((text) => text === 'true'),
)

/** A name that goes into mail headers: a line break in it would be a header of the attacker's. */
const headerText = plainText.check(
  z.maxLength(100, 'must be at most 100 characters'),
  z.regex(/^[^\p{Cc}]*$/u, 'must not contain control characters'),
)

/** One setting: its rule, and its default (none: required). */
interface Setting<T extends z.ZodMiniType = z.ZodMiniType> {
  readonly rule: T
  readonly fallback?: string
  readonly secret?: true
}

function setting<T extends z.ZodMiniType>(rule: T, fallback?: string): Setting<T> {
  return fallback === undefined ? { rule } : { rule, fallback }
}

function secret<T extends z.ZodMiniType>(rule: T): Setting<T> {
  return { rule, secret: true }
}

function optionalSecret<T extends z.ZodMiniType>(rule: T): Setting<z.ZodMiniOptional<T>> {
  return { rule: z.optional(rule), secret: true }
}

/**
 * All settings by name. The README's table has their comments, word for word.
 * @param environment decides how strict the rules for URLs are
 */
export function settings(environment: Environment) {
  return {
    /**
     * `development` opens the mailbox under `/dev` and allows plain http; never use it on a public host. `staging`
     * is `production` by another name, for your own eyes
     */
    ENVIRONMENT: setting(
      z.enum(
        ['development', 'staging', 'production'],
        'must be development, staging or production',
      ),
      'production',
    ),
    /** what people know your product as, in pages and mails */
    APP_NAME: setting(headerText.check(z.minLength(1, 'is required'))),
    /** the public origin of this Worker; https and public outside development */
    APP_BASE_URL: setting(origin(environment)),
    /** where verification links point, with `{token}` in it: a page of your front end's own */
    VERIFY_URL: setting(
      z.optional(linkTemplate(environment)),
      '`APP_BASE_URL`/auth/verify-email?token={token}',
    ),
    /** where password reset links point, with `{token}` in it: a page of your front end's own */
    RESET_URL: setting(
      z.optional(linkTemplate(environment)),
      '`APP_BASE_URL`/reset-password?token={token}',
    ),
    /**
     * origins of your front ends, separated by commas: they may call with credentials (CORS), and `redirect_to` may
     * lead to them
     */
    ALLOWED_ORIGINS: setting(originList(environment), 'none'),
    /**
     * `confirm`: opening the link changes nothing, a button and proof of the claim do; `click`: opening it verifies
     * (read below what that gives up)
     */
    VERIFY_MODE: setting(z.enum(['confirm', 'click'], 'must be confirm or click'), 'confirm'),
    /** `true`: an unverified user cannot sign in and is mailed a new link instead */
    LOGIN_REQUIRES_VERIFIED: setting(flag, 'false'),
    /**
     * `keep_until_confirmed`: the account stays verified while a new address waits to be confirmed;
     * `unverify_at_once`: it counts as unverified until then. Either way it keeps its old address meanwhile
     */
    EMAIL_CHANGE: setting(
      z.enum(
        ['keep_until_confirmed', 'unverify_at_once'],
        'must be keep_until_confirmed or unverify_at_once',
      ),
      'keep_until_confirmed',
    ),
    /** the colour of buttons and links, in pages and mails */
    BRAND_COLOR: setting(
      plainText.check(z.regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #1f5fbf')),
      '#1f5fbf',
    ),
    /** an image to show above every page in place of the name */
    LOGO_URL: setting(z.optional(logoUrl(environment)), '`none`'),
    /** an address that people may write to, shown below pages and mails */
    SUPPORT_EMAIL: setting(z.optional(senderAddress), '`none`'),
    /** keys that sign links, `id:secret,id:secret`, newest first; secrets are base64url of at least 32 bytes */
    TOKEN_KEYS: secret(tokenKeys),
    /**
     * base64url of at least 32 bytes; salts passwords and names the counters in KV; do not rotate it with
     * `TOKEN_KEYS`
     */
    PASSWORD_KEY: secret(secretBytes),
    /**
     * who sends, of `sendgrid`, `resend`, `postmark` and `cloudflare`, separated by commas: when the first is down
     * or out of quota the next takes over
     */
    MAIL_PROVIDERS: setting(providerList, 'sendgrid'),
    /** a key that may send mail; required to send by SendGrid */
    SENDGRID_API_KEY: optionalSecret(apiKey),
    /** where SendGrid's API lives; https outside development */
    SENDGRID_BASE_URL: setting(apiBaseUrl(environment), 'https://api.sendgrid.com'),
    /** the verification keys of SendGrid's signed event webhook */
    SENDGRID_WEBHOOK_KEYS: setting(
      z.optional(
        webhookSecrets(/^[A-Za-z0-9+/]{80,200}={0,2}$/, "SendGrid's verification key in base64"),
      ),
      '`none`',
    ),
    /** required to send by Resend */
    RESEND_API_KEY: optionalSecret(apiKey),
    /** where Resend's API lives; https outside development */
    RESEND_BASE_URL: setting(apiBaseUrl(environment), 'https://api.resend.com'),
    /** the signing secrets of Resend's webhook */
    RESEND_WEBHOOK_SECRETS: optionalSecret(
      webhookSecrets(/^whsec_[A-Za-z0-9+/]{22,}={0,2}$/, 'signing secrets such as whsec_…'),
    ),
    /** required to send by Postmark */
    POSTMARK_SERVER_TOKEN: optionalSecret(apiKey),
    /** where Postmark's API lives; https outside development */
    POSTMARK_BASE_URL: setting(apiBaseUrl(environment), 'https://api.postmarkapp.com'),
    /** passwords of Postmark's webhook (HTTP basic auth, any user name) */
    POSTMARK_WEBHOOK_SECRETS: optionalSecret(
      webhookSecrets(/^[A-Za-z0-9_-]{32,128}$/, '32 to 128 letters, digits, _ or -'),
    ),
    /** `true`: the events of Cloudflare's Email Service arrive through a Queue whose name ends in `-events` */
    CLOUDFLARE_EMAIL_EVENTS: setting(flag, 'false'),
    /** mails a day (UTC), for accounts that allow no more: what exceeds it waits for the next day */
    MAIL_DAILY_CAP: setting(integerOrNone(1, 100_000_000), 'none'),
    /** sender address, verified with the mail provider */
    MAIL_FROM: setting(senderAddress),
    /** sender name */
    MAIL_FROM_NAME: setting(z.optional(headerText), '`APP_NAME`'),
    /** after so many attempts a mail is recorded as failed (20 span about nine hours) */
    MAIL_MAX_ATTEMPTS: setting(integer(1, 40), '20'),
    /** how long a verification link works */
    VERIFY_TTL: setting(duration('15m', '24h'), '24h'),
    /** how long a password reset link works */
    RESET_TTL: setting(duration('10m', '24h'), '1h'),
    /** how long a session lasts */
    SESSION_TTL: setting(duration('1h', '365d'), '30d'),
    /** how long an unverified registration is kept */
    CLAIM_TTL: setting(duration('1d', '365d'), '7d'),
    /** how long the record of a mail is kept */
    LEDGER_TTL: setting(duration('8d', '365d'), '30d'),
    /**
     * how long the entries of a timeline are kept, but for what the user's own record (registered, first look at a
     * link, verified) and those of mails (queued, accepted) tell; they go with the user in any case
     */
    EVENTS_RETENTION: setting(duration('7d', '3650d'), '90d'),
    /** opens the desk and its API under `/admin`; without it they do not exist */
    ADMIN_TOKEN: optionalSecret(
      plainText.check(
        z.regex(/^[\x21-\x7e]{32,256}$/, 'must be 32 to 256 visible ASCII characters'),
      ),
    ),
    /** requests to `/admin` with a wrong or missing token, per IP */
    ADMIN_LIMIT_PER_IP: setting(rate('admin-ip'), '20/15m'),
    /**
     * development only: what the mailbox signs its delivery events with; its public half is in
     * `SENDGRID_WEBHOOK_KEYS`
     */
    DEV_WEBHOOK_SIGNING_KEY: optionalSecret(devSigningKey(environment)),
    /** mails to one address, exact (D1 decides) */
    MAIL_LIMIT_PER_ADDRESS: setting(rate('mail-address'), '3/15m'),
    /** requests that can send mail, per IP (per /64 of IPv6) */
    MAIL_LIMIT_PER_IP: setting(rate('mail-ip'), '10/1h'),
    /** requests that can send mail to one address, from anywhere; turns floods away before D1 */
    MAIL_REQUESTS_PER_ADDRESS: setting(rate('mail-requests-address'), '100/15m'),
    /** sign-in attempts per IP */
    LOGIN_LIMIT_PER_IP: setting(rate('login-ip'), '50/15m'),
    /** sign-in attempts per address */
    LOGIN_LIMIT_PER_ADDRESS: setting(rate('login-address'), '25/15m'),
    /** wrong passwords with a genuine link, per IP */
    CONFIRM_LIMIT_PER_IP: setting(rate('confirm-ip'), '50/15m'),
    /** wrong passwords with a genuine link, per address */
    CONFIRM_LIMIT_PER_ADDRESS: setting(rate('confirm-address'), '25/15m'),
    /** a D1 call that takes longer is answered with 503 */
    D1_TIMEOUT_MS: setting(integer(50, 30_000), '8000'),
    /** a call to KV or the rate limiter that takes longer is given up; the request goes on, D1 decides */
    KV_TIMEOUT_MS: setting(integer(20, 30_000), '1000'),
    /** a Queue call that takes longer is given up; the sweeper sends the mail on */
    QUEUE_TIMEOUT_MS: setting(integer(50, 30_000), '5000'),
    /** a mail API call that takes longer is tried again later */
    MAIL_TIMEOUT_MS: setting(integer(50, 30_000), '10000'),
  }
}
