// Facts about known users, one row each. Statements only: they ride in the batch of what they report.

import { type SQL, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import { events } from '../schema.ts'

/** What happened. */
export type EventType =
  | 'registered'
  | 'signed_in'
  | 'resend_requested'
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

/** One event; `userId` may be a subquery, and no row is written where it yields nothing. */
export interface NewEvent {
  readonly userId: SQL | string
  readonly type: EventType
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly messageId?: string | null
  readonly detail?: string | null
  /** A further condition on the row in `users`. */
  readonly onlyIf?: SQL
}

/**
 * A statement that records one event, if its user exists.
 * @param db builds the statement
 * @param event what happened
 */
export function recordEvent(db: DrizzleD1Database, event: NewEvent) {
  return db.insert(events).select(
    sql`select null, u.id, ${event.messageId ?? null}, ${event.type}, ${event.at}, ${event.detail ?? null}
      from users u where u.id = ${event.userId} and ${event.onlyIf ?? sql`true`}`,
  )
}
