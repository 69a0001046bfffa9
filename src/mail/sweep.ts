// The sweeper: once a minute it enqueues again what the Queue lost, and prunes what is stale.

import { inArray, lt, lte, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { emailChanges, messages, retiredLinks, sessions, suppressions, users } from '../schema.ts'
import { DISOWN_TTL_MS, UNDO_TTL_MS } from './links.ts'

/** A mail due for so long without being sent is taken for lost. */
const OVERDUE_MS = 60_000
/** A mail swept once is left to the Queue for so long, or a backlog would be enqueued anew every minute. */
const SWEPT_FOR_MS = 5 * 60_000
/** The undo link is minted when the notice is sent, which may be late; it must find its row to the end. */
const EMAIL_CHANGE_KEPT_MS = UNDO_TTL_MS + 2 * 24 * 60 * 60 * 1000
const NEVER_FINISHED = 'no attempt was ever finished'
/** Bounds the work of one run; the next one is a minute away. */
const MAX_ROWS = 500

export interface SweepResult {
  readonly enqueued: number
  readonly pruned: {
    readonly claims: number
    readonly sessions: number
    readonly messages: number
    readonly emailChanges: number
    readonly suppressions: number
  }
}

/**
 * One run, in one round trip to D1.
 * @param deps capabilities
 * @throws Outage; the next run makes up for it
 */
export async function sweep(deps: Deps): Promise<SweepResult> {
  const now = deps.now()
  const [abandoned, overdue, claims, oldSessions, oldMessages, , oldChanges, , oldSuppressions] =
    await deps.batch([...mendingStatements(deps, now), ...pruningStatements(deps, now)])

  for (const { id, userId } of abandoned) {
    deps.log('mail_failed', { messageId: id, userId, reason: NEVER_FINISHED })
  }
  await deps.enqueue(overdue.map(({ id }) => id))
  const result = {
    enqueued: overdue.length,
    pruned: {
      claims: claims.length,
      sessions: oldSessions.length,
      messages: oldMessages.length,
      emailChanges: oldChanges.length,
      suppressions: oldSuppressions.length,
    },
  }
  const total = Object.values(result.pruned).reduce((sum, count) => sum + count, result.enqueued)
  if (total > 0) deps.log('sweep', { count: result.enqueued, pruned: result.pruned })
  return result
}

function mendingStatements({ db, config }: Deps, now: number) {
  return [
    // A mail that takes its consumer down with it, each time, must come to an end as well.
    db
      .update(messages)
      .set({ state: 'failed', settledAt: now, error: NEVER_FINISHED })
      .where(
        // The partial index is found by its own condition only, spelled out.
        sql`settled_at is null and created_at <= ${now} and state = 'sending'
          and lease_until <= ${now} and attempts >= ${config.MAIL_MAX_ATTEMPTS}`,
      )
      .returning({ id: messages.id, userId: messages.userId }),
    // A queued row has no lease; here the column says until when a copy is believed to be in the Queue.
    db
      .update(messages)
      .set({ leaseUntil: now + SWEPT_FOR_MS, state: 'queued' })
      .where(
        inArray(
          messages.id,
          sql`(select id from messages where settled_at is null and state in ('queued', 'sending')
            and created_at <= ${now - OVERDUE_MS}
            and coalesce(not_before, 0) <= ${now - OVERDUE_MS}
            and coalesce(lease_until, 0) <= ${now}
            order by created_at limit ${MAX_ROWS})`,
        ),
      )
      .returning({ id: messages.id }),
  ] as const
}

function pruningStatements({ db, config }: Deps, now: number) {
  return [
    db
      .delete(users)
      .where(
        inArray(
          users.id,
          sql`(select id from users where email_verified_at is null
            and created_at < ${now - config.CLAIM_TTL} order by created_at limit ${MAX_ROWS})`,
        ),
      )
      .returning({ id: users.id }),
    db
      .delete(sessions)
      .where(
        inArray(
          sessions.id,
          sql`(select id from sessions where expires_at <= ${now} limit ${MAX_ROWS})`,
        ),
      )
      .returning({ id: sessions.id }),
    // Ids are UUIDv7 and begin with their instant, so the primary key serves as the index by age.
    db
      .delete(messages)
      .where(
        inArray(
          messages.id,
          sql`(select id from messages where id < ${firstIdOf(now - config.LEDGER_TTL)}
            and state not in ('queued', 'sending') limit ${MAX_ROWS})`,
        ),
      )
      .returning({ id: messages.id }),
    // A pending change ends with the row that applying it takes.
    db
      .update(users)
      .set({ pendingEmail: null })
      .where(
        sql`id in (select user_id from email_changes where id < ${firstIdOf(now - EMAIL_CHANGE_KEPT_MS)})
          and pending_email in (select to_email from email_changes
            where user_id = users.id and id < ${firstIdOf(now - EMAIL_CHANGE_KEPT_MS)})`,
      ),
    db
      .delete(emailChanges)
      .where(lt(emailChanges.id, firstIdOf(now - EMAIL_CHANGE_KEPT_MS)))
      .returning({ id: emailChanges.id }),
    // No link that it could hold against is older.
    db.delete(retiredLinks).where(lt(retiredLinks.retiredAt, now - DISOWN_TTL_MS)),
    db
      .delete(suppressions)
      .where(lte(suppressions.expiresAt, now))
      .returning({ email: suppressions.email }),
  ] as const
}

/** The smallest UUIDv7 of an instant (RFC 9562 §5.7: the first 48 bits are milliseconds). */
function firstIdOf(at: number): string {
  const hex = Math.max(0, at).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
