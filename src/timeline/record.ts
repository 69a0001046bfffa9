// Facts about known users, one row each. Statements only: they ride in the batch of what they report. A fact
// that is reported twice (same user, instant, type and mail) stays one fact.

import { type SQL, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import type { Given } from '../prepared-batch.ts'
import { events } from '../schema.ts'

/** What happened. */
export type EventType =
  | 'registered'
  | 'signed_in'
  | 'resend_requested'
  | 'resend_limited'
  | 'verified'
  | 'reset_requested'
  | 'password_reset'
  | 'password_changed'
  | 'email_change_requested'
  | 'email_change_cancelled'
  | 'email_changed'
  | 'email_change_undone'
  | 'session_revoked'
  | 'mail_accepted'
  | 'mail_deferred'
  | 'mail_failed'
  | 'mail_expired'
  | 'mail_suppressed'
  | 'mail_delivered'
  | 'mail_delivery_deferred'
  | 'mail_bounced'
  | 'mail_complained'
  | 'mail_stalled'
  | 'link_opened'
  | 'support_resent'
  | 'support_minted_link'
  | 'support_verified'
  | 'support_lifted_suppression'
  | 'support_retried_mail'

/** One event; `userId` may be a subquery, and no row is written where it yields nothing. */
export interface NewEvent {
  readonly userId: SQL | string
  readonly type: EventType
  /** Milliseconds since the epoch; or an expression on the user's row `u`. */
  readonly at: number | SQL
  readonly messageId?: string | null
  readonly detail?: Given<string> | null
  /** Who of the support desk did it. */
  readonly actor?: string | null
  /** A further condition on the row in `users`. */
  readonly onlyIf?: SQL
}

/** What anybody can cause is noted once in so long: a stranger must not bury what else a timeline says. */
export const ONCE_IN_MS = 60_000

/**
 * A condition for {@link NewEvent.onlyIf}: no event of the type within the last minute.
 * @param type of the event
 * @param at milliseconds since the epoch
 */
export function onceAMinute(type: EventType, at: Given<number>): SQL {
  return sql`not exists (select 1 from events e where e.user_id = u.id
    and e.at > ${at} - ${ONCE_IN_MS} and e.type = ${type})`
}

/**
 * A statement that records one event, if its user exists.
 * @param db builds the statement
 * @param event what happened
 */
export function recordEvent(db: DrizzleD1Database, event: NewEvent) {
  return recordEvents(db, [event])
}

/**
 * The same for several events, in one statement: each condition sees the tables as they were before.
 * @param db builds the statement
 * @param happened what happened
 */
export function recordEvents(db: DrizzleD1Database, happened: readonly NewEvent[]) {
  const rows = happened.map(
    ({ userId, type, at, messageId, detail, actor, onlyIf }) =>
      sql`select u.id, ${at}, ${type}, ${messageId ?? ''}, null, ${actor ?? null}, ${detail ?? null}
        from users u where u.id = ${userId} and ${onlyIf ?? sql`true`}`,
  )
  return db.insert(events).select(sql.join(rows, sql` union all `)).onConflictDoNothing()
}

/** An event of each of several mails. */
export interface NewMailEvents {
  /** A condition on rows of `messages`: those that it is about. */
  readonly which: SQL
  readonly type: EventType
  /** Milliseconds since the epoch; or an expression on `messages`. */
  readonly at: number | SQL
  readonly actor?: string | null
  /** Or an expression on `messages`. */
  readonly detail?: string | SQL | null
  /** Whether to name the provider that the ledger has. */
  readonly namesProvider?: true
}

/**
 * A statement that records an event of each mail that a condition finds, where its user still exists. It goes before
 * the statement that changes what the condition looks at.
 * @param db builds the statement
 * @param event what happened
 */
export function recordMailEvents(db: DrizzleD1Database, event: NewMailEvents) {
  const provider = event.namesProvider ? sql`messages.provider` : sql`null`
  return db
    .insert(events)
    .select(
      sql`select messages.user_id, ${event.at}, ${event.type}, messages.id, ${provider},
        ${event.actor ?? null}, ${event.detail ?? null}
        from messages where ${event.which}`,
    )
    .onConflictDoNothing()
}
