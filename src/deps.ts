// The one place where bindings become capabilities, and where the clock is read. Everything else is handed
// what it needs from here, so that tests can hand in another clock, another network or a failing binding.

import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import {
  createPasswordHasher,
  type PasswordHasher,
  SCRYPT_COST,
  type ScryptCost,
} from './accounts/password-hash.ts'
import { bounded, Outage, reasonOf } from './bounded.ts'
import type { Config } from './config.ts'
import { createTally, type Tally } from './figures/tally.ts'
import { type Counters, createCounters } from './limits/counters.ts'
import type { QueuedMail } from './mail/queued-mail.ts'
import { createKeyRing, importHmacKey, type KeyRing } from './signing/key-ring.ts'
import type { Log } from './timeline/log.ts'
import { joinRepeatedLines } from './timeline/repeated-lines.ts'
import { uuidV7 } from './uuid-v7.ts'

export interface Deps {
  readonly config: Config
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** A UUIDv7 (RFC 9562 §5.7): ordered by time, so that rows made together lie together. */
  readonly newId: () => string
  /** From 0 up to, not including, 1. For jitter, never for secrets. */
  readonly random: () => number
  readonly fetch: (request: Request) => Promise<Response>
  /**
   * Cloudflare's Email Service; null without a binding. Its adapter bounds it, and reads its errors, whose codes a
   * bound here would lose.
   */
  readonly sendEmail: ((mail: EmailMessageBuilder) => Promise<EmailSendResult>) | null
  /** Builds statements. They are run by {@link Deps.batch} alone. */
  readonly db: DrizzleD1Database & { $client: D1Database }
  /**
   * Runs statements in one transaction and one round trip.
   * @throws Outage where D1 fails or does not answer in time
   */
  readonly batch: DrizzleD1Database['batch']
  readonly counters: Counters
  /** Hands mails to the Queue. Never rejects: what is lost here, the sweeper sends on. */
  readonly enqueue: (messageIds: readonly string[]) => Promise<void>
  /** Key-value storage of the development mailbox. */
  readonly kv: KVNamespace
  readonly keyRing: KeyRing
  readonly hashPassword: PasswordHasher
  /** Refused requests, for the figures. */
  readonly tally: Tally
  readonly log: Log
}

/** What a test may replace. */
export interface Overrides {
  readonly now?: () => number
  readonly random?: () => number
  readonly fetch?: (request: Request) => Promise<Response>
  readonly scryptCost?: ScryptCost
  readonly writeLog?: (line: string) => void
}

/** The bindings by the names that wrangler.toml gives them. */
export type Bindings = Pick<Env, 'DB' | 'KV' | 'MAIL_QUEUE' | 'GUESS_LIMITER'> & {
  /** Declared by those who send by Cloudflare's Email Service. */
  readonly EMAIL?: SendEmail
}

/** The Queue takes at most so many messages in one call. */
const MAX_SEND_BATCH = 100

/**
 * Makes the capabilities out of a checked configuration and the bindings.
 * @param config from `parseConfig`
 * @param env the bindings
 * @param overrides for tests
 */
export async function createDeps(
  config: Config,
  env: Bindings,
  overrides: Overrides = {},
): Promise<Deps> {
  const now = overrides.now ?? systemClock
  const random = overrides.random ?? (() => Math.random())
  const log = createLog(now, overrides.writeLog)

  const passwordKey = await importHmacKey(config.PASSWORD_KEY)
  const db = drizzle(env.DB)
  const email = env.EMAIL
  const batch: Deps['batch'] = (statements) =>
    bounded('d1', config.D1_TIMEOUT_MS, () => db.batch(statements))

  return {
    config,
    now,
    newId: () => uuidV7(now()),
    random,
    fetch: overrides.fetch ?? ((request) => fetch(request)),
    sendEmail: email === undefined ? null : (mail) => email.send(mail),
    db,
    batch,
    counters: createCounters(
      {
        get: (key) => bounded('kv', config.KV_TIMEOUT_MS, () => env.KV.get(key)),
        put: (key, value, ttlSeconds) =>
          bounded('kv', config.KV_TIMEOUT_MS, () =>
            env.KV.put(key, value, { expirationTtl: ttlSeconds }),
          ),
      },
      async (name) => {
        const call = () => env.GUESS_LIMITER.limit({ key: name })
        return (await bounded('rate_limiter', config.KV_TIMEOUT_MS, call)).success
      },
      passwordKey,
      now,
      (error) => log('counter_unavailable', { reason: reasonOf(error) }),
    ),
    async enqueue(messageIds) {
      for (let start = 0; start < messageIds.length; start += MAX_SEND_BATCH) {
        const bodies = messageIds
          .slice(start, start + MAX_SEND_BATCH)
          .map((id) => ({ body: { id } satisfies QueuedMail }))
        try {
          await bounded('queue', config.QUEUE_TIMEOUT_MS, () => env.MAIL_QUEUE.sendBatch(bodies))
        } catch (error) {
          log('enqueue_failed', { reason: reasonOf(error), count: bodies.length })
        }
      }
    },
    kv: env.KV,
    keyRing: await createKeyRing(config.TOKEN_KEYS),
    hashPassword: atMostPending(
      createPasswordHasher(passwordKey, overrides.scryptCost ?? SCRYPT_COST),
    ),
    tally: createTally({ db, batch, now, log }),
    log,
  }
}

/**
 * Makes a log.
 * @param now the clock
 * @param write where lines go: the Worker's own log, unless a test wants to read them
 */
export function createLog(
  now: () => number = systemClock,
  // biome-ignore lint/suspicious/noConsole: the one place that writes log lines
  write: (line: string) => void = (line) => console.log(line),
): Log {
  return joinRepeatedLines(now, write)
}

/**
 * An isolate computes about five hashes per second, one after the other. Beyond this many the wait would be
 * longer than anybody's patience: better a clear 503, which the browser may repeat elsewhere.
 */
const MAX_PENDING_HASHES = 64

function atMostPending(hash: PasswordHasher): PasswordHasher {
  let pending = 0
  return async (password, canonicalEmail) => {
    if (pending >= MAX_PENDING_HASHES) throw new Outage('cpu', false, 'too many passwords to hash')
    pending++
    try {
      return await hash(password, canonicalEmail)
    } finally {
      pending--
    }
  }
}

function systemClock(): number {
  return Date.now()
}
