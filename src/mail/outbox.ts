// The outbox: a mail is a row in `messages`, written in the same batch as what caused it. Once the request
// is answered the mail cannot be lost, whatever becomes of the Queue. The same rows are the exact limit.

import { type SQL, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import type { RatePolicy } from '../limits/window.ts'
import { type Locale, type MessageKind, messages } from '../schema.ts'

/**
 * Notices are limited among themselves: a stranger who asks for links until the limit is reached must not
 * thereby silence the mail that says "your password was changed".
 */
const NOTICES = new Set<MessageKind>(['email_change_notice', 'password_changed_notice'])

/**
 * Whether a kind of mail is a notice.
 * @param kind an expression for a column
 */
export function isNotice(kind: SQL): SQL {
  return sql`${kind} in ${[...NOTICES]}`
}

/** A mail to write. */
export interface NewMessage {
  /** UUIDv7 made by the caller. */
  readonly id: string
  readonly kind: MessageKind
  /** The language of who asked for it. */
  readonly locale: Locale
  /** Canonical; or an expression on the recipient's row `u`. */
  readonly toEmail: string | SQL
  /** A subquery for the id of the user it is written for; no row where it yields none. */
  readonly recipient: SQL
  /** Milliseconds since the epoch. */
  readonly now: number
  /** How many mails the address may get in which window. */
  readonly limit: RatePolicy
}

/**
 * A statement that writes a mail unless its address has had as many as it may in the window that ends now.
 * The count and the insert are one statement, so no concurrency gets past it. It returns the id, or no row.
 * A mail of exactly one window ago no longer counts.
 * @param db builds the statement
 * @param message what to write
 */
export function insertMessageWithinLimit(db: DrizzleD1Database, message: NewMessage) {
  const windowStart = message.now - message.limit.windowMs
  return db
    .insert(messages)
    .select(
      sql`select ${message.id}, u.id, ${message.kind}, ${message.locale}, ${message.toEmail}, u.generation,
        'queued', 0, null, null, null, null, null, ${message.now}, null, null
        from users u where u.id = (${message.recipient}) and (
          select count(*) from messages m
          where m.to_email = ${message.toEmail} and m.created_at > ${windowStart}
            and ${NOTICES.has(message.kind) ? sql`` : sql`not `}${isNotice(sql`m.kind`)}
        ) < ${message.limit.limit}`,
    )
    .returning({ id: messages.id })
}
