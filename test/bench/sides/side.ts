// What the bench knows of a contestant: how it is bundled and configured, who is in its database, and what each
// operation looks like as a request.

import type { DatabaseSync } from 'node:sqlite'
import type { Population, Range } from '../population.ts'
import type { Server } from '../serve.ts'

export type SideName = 'ours' | 'peer' | 'floor'

export const OPERATIONS = [
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
] as const
export type Operation = (typeof OPERATIONS)[number]

/** What each operation is, in words for the tables. */
export const TITLES: Readonly<Record<Operation | 'drain', string>> = {
  register: 'register',
  open: 'open the link (inert)',
  confirm: 'confirm',
  repeat: 'confirm again',
  resend: 'resend, signed in',
  public_resend: 'resend, by address',
  login: 'log in',
  check: 'session check',
  session: 'session, with its mail',
  forged: 'forged token',
  drain: 'queue drain, per mail',
}

/** Who does it; `new` people are in no database. Where several operations share people they are not used up. */
export const ACTORS: Readonly<Record<Operation, Range | 'new'>> = {
  register: 'new',
  open: 'confirms',
  confirm: 'confirms',
  repeat: 'repeats',
  resend: 'resends',
  public_resend: 'publicResends',
  login: 'logins',
  check: 'checks',
  session: 'checks',
  forged: 'checks',
}

/** Whether somebody can do it only once in a measurement. */
export const USES_UP: ReadonlySet<Operation> = new Set([
  'register',
  'confirm',
  'repeat',
  'resend',
  'public_resend',
])

/** Where a password is hashed: by design slow, and the same on both sides. */
export const HASHES: ReadonlySet<Operation> = new Set(['register', 'login'])

export interface BenchRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  /** The status without which the measurement is worth nothing. */
  readonly expect: number
}

/** A sign-up from its first request to the day when nothing of it is left but the account. */
export interface Upkeep {
  /** What is cleared away, in words for the tables. */
  readonly what: string
  /** Whether all of it belongs to the IP, so that a second sign-up from there leaves nothing more. */
  readonly byIp: boolean
  /**
   * Has person `i` register, sends the mail, opens its link and confirms.
   * @returns what the Queue carried for the mail
   */
  readonly signUp: (server: Server, i: number) => Promise<unknown>
  /** How its provider reports the delivery of that mail; null where nobody listens. */
  readonly reports: {
    /** Settings without which nobody listens. */
    readonly bindings: Readonly<Record<string, string>>
    readonly report: (server: Server, queued: unknown) => Promise<void>
  } | null
  /** After so many milliseconds all that is ever cleared away may go. */
  readonly laterMs: number
  /** Has some of it cleared away, as happens in production. */
  readonly clear: (server: Server, population: Population) => Promise<void>
  /** How many rows are still there that should be gone by now. */
  readonly remaining: (db: DatabaseSync) => number
  /** Whether a cron does it, which costs something when there is nothing to do as well. */
  readonly byCron: boolean
}

export interface Side {
  readonly name: SideName
  readonly title: string
  /** wrangler's configuration, from the project's root. */
  readonly config: string
  /** Settings and secrets. */
  readonly bindings: Readonly<Record<string, string>>
  readonly kv: boolean
  readonly limiter: boolean
  readonly queue: string
  /** Statements that make the tables. */
  readonly schema: () => readonly string[]
  /** Fills the tables. */
  readonly seed: (db: DatabaseSync, population: Population, now: number) => Promise<void>
  readonly operations: readonly Operation[]
  /** The request of person `i`. */
  readonly request: (operation: Operation, i: number) => Promise<BenchRequest>
  /** What the Queue carries for person `i`'s mail. */
  readonly queued: (i: number) => Promise<unknown>
  readonly upkeep: Upkeep | null
}

/** The clock of links and seeds: one for a whole run. */
export const NOW = Date.now()

/** Where the mail API lives; it resolves to the bench's own. */
export const MAIL_API = 'https://mail-api.bench.dev'

/** Numbers from 0 to under `count` as a table `n(i)`. */
export const NUMBERS = `with recursive n(i) as (select ?1 union all select i + 1 from n where i + 1 < ?2)`
