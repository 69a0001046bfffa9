// Is the mail moving? One look, one round trip.

import { and, gt, inArray, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { providerOutages } from '../schema.ts'
import { DAILY_CAP } from './outbox.ts'
import { utcDay } from './utc-day.ts'

const DAY_MS = 24 * 60 * 60 * 1000

export interface MailHealth {
  /** For how long the longest waiting mail has been due, in seconds; 0 where none is. */
  readonly oldestQueuedSeconds: number
  /** How many mails ended as recorded failures, dead letters among them, while the ledger keeps them. */
  readonly deadLetters: number
  /** How many were accepted within the last day and not heard of for too long. */
  readonly stalled: number
  /** Where `MAIL_DAILY_CAP` is set: how many went out today (UTC), and how many wait for tomorrow. */
  readonly dailyCap: {
    readonly sent: number
    readonly cap: number
    readonly waiting: number
  } | null
  /** Providers that the next one stands in for. */
  readonly providersDown: readonly string[]
}

/**
 * @param deps D1, the clock and the cap
 * @throws Outage
 */
export async function readMailHealth(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'config'>,
): Promise<MailHealth> {
  const now = deps.now()
  const cap = deps.config.MAIL_DAILY_CAP
  const [[row], down] = await deps.batch([
    deps.db
      .select({
        oldest: sql<number | null>`(select min(coalesce(not_before, created_at)) from messages
          where settled_at is null and state in ('queued', 'sending'))`.as('oldest'),
        dead: sql<number>`(select count(*) from messages where state = 'failed')`.as('dead'),
        stalled: sql<number>`(select count(*) from messages
          where stalled_at is not null and stalled_at > ${now - DAY_MS})`.as('stalled'),
        sent: sql<number>`coalesce((select count from daily_sends
          where day = ${utcDay(now)}), 0)`.as('sent'),
        waiting: sql<number>`(select count(*) from messages
          where settled_at is null and state = 'queued' and error = ${DAILY_CAP})`.as('waiting'),
      })
      .from(sql`(select 1)`),
    deps.db
      .select({ provider: providerOutages.provider })
      .from(providerOutages)
      .where(
        and(
          inArray(providerOutages.provider, [...deps.config.MAIL_PROVIDERS]),
          gt(providerOutages.downUntil, now),
        ),
      ),
  ])
  const { oldest = null, dead = 0, stalled = 0, sent = 0, waiting = 0 } = row ?? {}
  return {
    oldestQueuedSeconds: oldest === null ? 0 : Math.max(0, Math.floor((now - oldest) / 1000)),
    deadLetters: dead,
    stalled,
    dailyCap: cap === null ? null : { sent, cap, waiting },
    providersDown: down.map(({ provider }) => provider),
  }
}
