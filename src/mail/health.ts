// Is the mail moving? One look, one round trip.

import { sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'

export interface MailHealth {
  /** For how long the longest waiting mail has been due, in seconds; 0 where none is. */
  readonly oldestQueuedSeconds: number
  /** How many mails ended as recorded failures, dead letters among them, while the ledger keeps them. */
  readonly deadLetters: number
}

/**
 * @param deps D1 and the clock
 * @throws Outage
 */
export async function readMailHealth(
  deps: Pick<Deps, 'db' | 'batch' | 'now'>,
): Promise<MailHealth> {
  const now = deps.now()
  const [[row]] = await deps.batch([
    deps.db
      .select({
        oldest: sql<number | null>`(select min(coalesce(not_before, created_at)) from messages
          where settled_at is null and state in ('queued', 'sending'))`.as('oldest'),
        dead: sql<number>`(select count(*) from messages where state = 'failed')`.as('dead'),
      })
      .from(sql`(select 1)`),
  ])
  const oldest = row?.oldest ?? null
  return {
    oldestQueuedSeconds: oldest === null ? 0 : Math.max(0, Math.floor((now - oldest) / 1000)),
    deadLetters: row?.dead ?? 0,
  }
}
