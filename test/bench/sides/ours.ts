// Our Worker: production settings, and every limit at its default: counters are written in steps that follow from
// the limit, so that higher ones would make them cheaper than they are. Nobody is refused, because nobody asks often.

import '../polyfill.ts'
import { readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { addressFingerprint } from '../../../src/accounts/email-address.ts'
import { createPasswordHasher, SCRYPT_COST } from '../../../src/accounts/password-hash.ts'
import { sessionKeyOf } from '../../../src/accounts/session-token.ts'
import { decodeBase64Url } from '../../../src/signing/base64url.ts'
import { importHmacKey } from '../../../src/signing/key-ring.ts'
import {
  addressOf,
  firstOf,
  ipOf,
  PASSWORD,
  type Population,
  sizeOf,
  USER_AGENT,
  uuidOf,
  verifiedIn,
} from '../population.ts'
import { fingerprintOf, request, sessionIdOf, sessionTokenOf, TOKEN_KEYS } from './ours-requests.ts'
import { upkeep } from './ours-upkeep.ts'
import { MAIL_API, NUMBERS, type Side } from './side.ts'

const MIGRATIONS = new URL('../../../drizzle/migrations/', import.meta.url)
const PASSWORD_KEY = `${'B'.repeat(42)}A`
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** As long as a real one. */
const SOME_HASH = `$scrypt$ln=15,r=8,p=3$${'A'.repeat(22)}$${'A'.repeat(43)}`

export const ours: Side = {
  name: 'ours',
  title: 'Mailproof',
  config: 'wrangler.toml',
  kv: true,
  limiter: true,
  queue: 'mailproof-mail',
  bindings: {
    ENVIRONMENT: 'production',
    APP_NAME: 'Bench',
    APP_BASE_URL: 'https://auth.bench.dev',
    MAIL_FROM: 'noreply@bench.dev',
    TOKEN_KEYS,
    PASSWORD_KEY,
    SENDGRID_API_KEY: 'SG.a-key-for-the-bench',
    SENDGRID_BASE_URL: MAIL_API,
    // 64 callers at once wait for 64 hashes, here in a single isolate: nobody is to be refused for that.
    D1_TIMEOUT_MS: '30000',
    KV_TIMEOUT_MS: '30000',
    QUEUE_TIMEOUT_MS: '30000',
  },
  operations: [
    'register',
    'open',
    'confirm',
    'repeat',
    'resend',
    'public_resend',
    'login',
    'check',
    'session',
    'forged',
  ],

  schema() {
    const journal = JSON.parse(readFileSync(new URL('meta/_journal.json', MIGRATIONS), 'utf8'))
    return (journal.entries as { tag: string }[]).flatMap(({ tag }) =>
      readFileSync(new URL(`${tag}.sql`, MIGRATIONS), 'utf8').split('--> statement-breakpoint'),
    )
  },

  async seed(db, population, now) {
    if (fingerprintOf(addressOf(0)) !== (await addressFingerprint(addressOf(0)))) {
      throw new Error('the fingerprint of an address is made differently now')
    }
    if (sessionIdOf(0) !== (await sessionKeyOf(sessionTokenOf(0))).id) {
      throw new Error('the key of a session is made differently now')
    }
    define(db, 'address', (i) => addressOf(Number(i)))
    define(db, 'fingerprint', (email) => fingerprintOf(String(email)))
    define(db, 'uuid', (i, kind) => uuidOf(Number(i), Number(kind)))
    define(db, 'ip', (i) => `${ipOf(Number(i)).split('::')[0]}::/64`)
    define(db, 'session', (i) => sessionIdOf(Number(i)))

    const total = sizeOf(population)
    const verified = verifiedIn(population)
    // Members came over a year, claims over the last days; all of it outside the windows of the limits.
    const cameAt = `(${now - 2 * 60 * MINUTE} - case when i < ${verified}
      then (${verified} - i) * ${(365 * DAY) / Math.max(verified, 1)}
      else (${total} - i) * ${(5 * DAY) / Math.max(total - verified, 1)} end)`
    const at = `cast(${cameAt} as integer)`
    const run = (sql: string, from = 0, to = total) => {
      if (to > from) db.prepare(`${sql}`).run(from, to)
    }
    run(`insert into users (id, email, email_fingerprint, password_hash, email_verified_at, generation, created_at,
        link_opened_at, verified_by, last_message_id)
      ${NUMBERS} select uuid(i, 0), address(i), fingerprint(address(i)), '${SOME_HASH}',
        iif(i < ${verified}, ${at} + 60000, null), 0, ${at},
        iif(i < ${verified}, ${at} + 50000, null), iif(i < ${verified}, 'session', null), uuid(i, 1) from n`)
    run(`insert into sessions (id, user_id, created_at, expires_at, ip, user_agent)
      ${NUMBERS} select session(i), uuid(i, 0), ${now}, ${now + 30 * DAY}, ip(i), '${USER_AGENT}' from n`)
    run(`insert into messages (id, user_id, kind, to_email, generation, state, attempts, provider,
        provider_message_id, created_at, sent_at, settled_at)
      ${NUMBERS} select uuid(i, 1), uuid(i, 0), 'verify_email', address(i), 0, 'delivered', 1, 'sendgrid',
        'bench.' || i, ${at}, ${at} + 1000, ${at} + 2000 from n`)
    const waiting = firstOf(population, 'waiting')
    run(
      `insert into messages (id, user_id, kind, to_email, generation, state, attempts, created_at,
        previous_id)
      ${NUMBERS} select uuid(i, 2), uuid(i, 0), 'verify_email', address(i), 0, 'queued', 0, ${now},
        uuid(i, 1) from n`,
      waiting,
      waiting + population.waiting,
    )
    // Where the cron would have come to by now.
    db.exec(`insert into cursors (name, after, up_to)
      select 'mails', max(id), max(id) from messages having max(id) is not null`)
    await giveRealHashes(db, population)
  },

  request,
  queued: async (i) => ({ id: uuidOf(i, 2) }),

  upkeep,
}

/** The salt follows from the address, so each needs a hash of its own. */
async function giveRealHashes(db: DatabaseSync, population: Population): Promise<void> {
  const key = await importHmacKey(decodeBase64Url(PASSWORD_KEY) ?? new Uint8Array())
  const hashPassword = createPasswordHasher(key, SCRYPT_COST)
  const update = db.prepare('update users set password_hash = ? where id = ?')
  const first = firstOf(population, 'logins')
  const people = Array.from({ length: population.logins }, (_, n) => first + n)
  await Promise.all(
    people.map(async (i) => update.run(await hashPassword(PASSWORD, addressOf(i)), uuidOf(i))),
  )
}

function define(
  db: DatabaseSync,
  name: string,
  make: (...args: (string | number)[]) => string,
): void {
  db.function(name, { deterministic: true, varargs: true }, (...args) =>
    make(...(args as (string | number)[])),
  )
}
