// Is the mail moving? One look, one round trip.

import { and, gt, inArray, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { providerOutages } from '../schema.ts'
import { DAILY_CAP } from './outbox.ts'
import { isBeyondCursor, isWatched } from './watch-unsettled.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Anybody may ask, and a cron that is dead leaves ever more behind. */
const MAX_AHEAD = 1000

export interface MailHealth {
  /** For how long the longest waiting mail has been due, in seconds; 0 where none is. */
  readonly oldestDueSeconds: number
  /** How old the oldest mail is that still waits, but for those held until tomorrow; in seconds. */
  readonly oldestQueuedSeconds: number
  /** How old the oldest mail is that the cron has not come to: some two minutes at most, while it runs. */
  readonly aheadOfCronSeconds: number
  /** How many mails ended as recorded failures, dead letters among them, while the ledger keeps them. */
  readonly deadLetters: number
  /** How many were accepted within the last day and not heard of for too long. */
  readonly stalled: number
  /** How many mails wait for tomorrow; null where `MAIL_DAILY_CAP` is not set. */
  readonly heldUntilTomorrow: number | null
  /** Providers that the next one stands in for. */
  readonly providersDown: readonly string[]
  /** For how long no provider has been left to send by; 0 where one is. */
  readonly allDownSeconds: number
}

/**
 * @param deps D1, the clock and the cap
 * @throws Outage
 */
export async function readMailHealth(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'config'>,
): Promise<MailHealth> {
  const now = deps.now()
  const [[row], [ahead], down] = await deps.batch([
    deps.db
      .select({
        due: sql<number | null>`(select min(coalesce(not_before, created_at)) from messages
          where ${isWatched} and ${isWaiting})`.as('due'),
        oldest: sql<number | null>`(select min(created_at) from messages
          where ${isWatched} and ${isWaiting} and error is not ${DAILY_CAP})`.as('oldest'),
        dead: sql<number>`(select count(*) from messages where state = 'failed')`.as('dead'),
        stalled: sql<number>`(select count(*) from messages
          where stalled_at is not null and stalled_at > ${now - DAY_MS})`.as('stalled'),
        waiting: sql<number>`(select count(*) from messages
          where ${isWatched} and state = 'queued' and error = ${DAILY_CAP})`.as('waiting'),
      })
      .from(sql`(select 1)`),
    // What the cron has not come to yet: normally no more than two minutes' worth, the oldest of it if it is more.
    deps.db
      .select({
        due: sql<number | null>`min(due)`.as('due_ahead'),
        oldest: sql<number | null>`min(oldest)`.as('oldest_ahead'),
        first: sql<number | null>`min(created_at)`.as('first_ahead'),
      })
      .from(
        sql`(select created_at, iif(${isWaiting}, coalesce(not_before, created_at), null) as due,
            iif(${isWaiting} and error is not ${DAILY_CAP}, created_at, null) as oldest
          from messages where ${isBeyondCursor} order by id limit ${MAX_AHEAD})`,
      ),
    deps.db
      .select({ provider: providerOutages.provider, since: providerOutages.since })
      .from(providerOutages)
      .where(
        and(
          inArray(providerOutages.provider, [...deps.config.MAIL_PROVIDERS]),
          gt(providerOutages.downUntil, now),
        ),
      ),
  ])
  const { dead = 0, stalled = 0, waiting = 0 } = row ?? {}
  return {
    oldestDueSeconds: secondsSince([row?.due, ahead?.due], now),
    oldestQueuedSeconds: secondsSince([row?.oldest, ahead?.oldest], now),
    aheadOfCronSeconds: secondsSince([ahead?.first], now),
    deadLetters: dead,
    stalled,
    heldUntilTomorrow: deps.config.MAIL_DAILY_CAP === null ? null : waiting,
    providersDown: down.map(({ provider }) => provider),
    allDownSeconds:
      down.length < deps.config.MAIL_PROVIDERS.length
        ? 0
        : secondsSince([Math.max(...down.map(({ since }) => since))], now),
  }
}

/** Whether a row of `messages` is still to be sent. */
const isWaiting = sql`messages.state in ('queued', 'sending')`

/** Since the earliest of what there is; 0 where there is nothing. */
function secondsSince(instants: readonly (number | null | undefined)[], now: number): number {
  const earliest = Math.min(now, ...instants.map((at) => at ?? now))
  return Math.floor((now - earliest) / 1000)
}
