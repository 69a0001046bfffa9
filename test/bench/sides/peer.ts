// better-auth: see ../peer for how it is set up.

import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createEmailVerificationToken } from 'better-auth/api'
import { hash } from '../peer/scrypt.ts'
import {
  addressOf,
  firstOf,
  ipOf,
  PASSWORD,
  secretOf,
  sizeOf,
  USER_AGENT,
  verifiedIn,
} from '../population.ts'
import { type BenchRequest, MAIL_API, NUMBERS, type Operation, type Side } from './side.ts'

const SECRET = 'C'.repeat(43)
const BASE_URL = 'https://auth.bench.dev'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const LINK_SECONDS = 20 * 3600

const idOf = (what: string, i: number) => secretOf(what, i).replace(/[-_]/g, 'x').slice(0, 32)
const tokenOf = (i: number) => idOf('peer token', i)

/** As `signCookieValue` of better-call makes it. */
function cookieOf(i: number): string {
  const token = tokenOf(i)
  const signature = createHmac('sha256', SECRET).update(token).digest('base64')
  return `__Secure-better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`
}

const linkOf = (i: number) =>
  createEmailVerificationToken(SECRET, addressOf(i), undefined, LINK_SECONDS)

export const peer: Side = {
  name: 'peer',
  title: 'better-auth',
  config: 'test/bench/peer/wrangler.toml',
  kv: false,
  limiter: false,
  queue: 'peer-mail',
  bindings: {
    AUTH_SECRET: SECRET,
    AUTH_BASE_URL: BASE_URL,
    MAIL_API,
    MAIL_API_KEY: 'SG.a-key-for-the-bench',
    MAIL_FROM: 'noreply@bench.dev',
  },
  operations: [
    'register',
    'confirm',
    'repeat',
    'resend',
    'public_resend',
    'login',
    'check',
    'session',
    'forged',
  ],

  schema: () => [readFileSync(new URL('../peer/schema.sql', import.meta.url), 'utf8')],

  async seed(db, population, now) {
    db.function('address', { deterministic: true }, (i) => addressOf(Number(i)))
    db.function('person', { deterministic: true }, (i) => idOf('peer user', Number(i)))
    db.function('account_id', { deterministic: true }, (i) => idOf('peer account', Number(i)))
    db.function('session_id', { deterministic: true }, (i) => idOf('peer session', Number(i)))
    db.function('token', { deterministic: true }, (i) => tokenOf(Number(i)))
    db.function('ip', { deterministic: true }, (i) => ipOf(Number(i)))
    // Its salts are random, so that one string will do for all.
    const password = await hash(PASSWORD)
    const total = sizeOf(population)
    const verified = verifiedIn(population)
    const run = (sql: string) => db.prepare(sql).run(0, total)
    run(`insert into user (id, name, email, email_verified, created_at, updated_at)
      ${NUMBERS} select person(i), 'Person ' || i, address(i), i < ${verified}, ${now}, ${now} from n`)
    run(`insert into account (id, account_id, provider_id, user_id, password, created_at, updated_at)
      ${NUMBERS} select account_id(i), person(i), 'credential', person(i), '${password}', ${now}, ${now} from n`)
    // Fresh enough that none is due for its daily renewal.
    run(`insert into session (id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id)
      ${NUMBERS} select session_id(i), ${now + 7 * DAY}, token(i), ${now}, ${now}, ip(i), '${USER_AGENT}', person(i) from n`)
  },

  request,

  upkeep: {
    // Its sessions stay for ever, unless somebody comes back with the token of one that has expired.
    what: 'the counters of its rate limit pruned',
    byIp: true,
    async signUp(server, i) {
      await server.send(await request('register', i))
      const [mail] = await server.takeQueued()
      await server.consume([mail])
      const { pathname, search } = new URL((mail as { url: string }).url)
      const confirmed = await request('confirm', i)
      // To its `callbackURL`.
      await server.send({ ...confirmed, path: pathname + search, expect: 302 })
      return mail
    },
    reports: null,
    laterMs: HOUR,
    // Whoever comes back after a window prunes for all.
    async clear(server, population) {
      const visit = await request('check', firstOf(population, 'checks'))
      await server.send(visit)
      await server.advanceClock(5 * MINUTE)
      await server.send(visit)
    },
    // One is the visitor's.
    remaining: (db) => Number(db.prepare('select count(*) - 1 as n from rate_limit').get()?.n),
    byCron: false,
  },

  async queued(i) {
    const url = `${BASE_URL}/api/auth/verify-email?token=${await linkOf(i)}&callbackURL=%2F`
    return { to: addressOf(i), name: `Person ${i}`, url }
  },
}

async function request(operation: Operation, i: number): Promise<BenchRequest> {
  const headers = { 'CF-Connecting-IP': ipOf(i), 'User-Agent': USER_AGENT }
  const get = (path: string, expect: number, more = {}): BenchRequest => ({
    method: 'GET',
    path: `/api/auth${path}`,
    headers: { ...headers, ...more },
    body: null,
    expect,
  })
  const post = (path: string, body: object, more = {}): BenchRequest => ({
    method: 'POST',
    path: `/api/auth${path}`,
    headers: { ...headers, 'Content-Type': 'application/json', Origin: BASE_URL, ...more },
    body: JSON.stringify(body),
    expect: 200,
  })
  const email = addressOf(i)
  switch (operation) {
    case 'register':
      return post('/sign-up/email', { name: `Person ${i}`, email, password: PASSWORD })
    case 'login':
      return post('/sign-in/email', { email, password: PASSWORD })
    case 'confirm':
    case 'repeat':
      return get(`/verify-email?token=${await linkOf(i)}`, 200)
    case 'resend':
      return post('/send-verification-email', { email }, { Cookie: cookieOf(i) })
    case 'public_resend':
      return post('/send-verification-email', { email })
    // It has one route for both, and no mail to tell of.
    case 'check':
    case 'session':
      return get('/get-session', 200, { Cookie: cookieOf(i) })
    case 'forged': {
      const [header, payload] = (await linkOf(i)).split('.')
      return get(`/verify-email?token=${header}.${payload}.${secretOf('forged', i)}`, 401)
    }
    case 'open':
      throw new Error('its link confirms by being opened')
  }
}
