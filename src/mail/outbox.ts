// The outbox: a mail is a row in `messages`, written in the same batch as what caused it. Once the request
// is answered the mail cannot be lost, whatever becomes of the Queue. The same rows are the exact limit.

import { type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { type Locale, type MessageKind, type MessageState, messages } from '../schema.ts'

/**
 * Each kind of notice is limited by itself: neither a stranger who asks for links, nor a thief who changes the
 * password three times, must thereby silence the mail with the undo link.
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
  readonly kind: MessageKind
  /** The language of who asked for it. */
  readonly locale: Locale
  /** Canonical; or an expression on the recipient's row `u`. */
  readonly toEmail: string | SQL
  /** A subquery for the id of the user it is written for; no row where it yields none. */
  readonly recipient: SQL
  /** A further condition on the recipient's row `u`. */
  readonly onlyIf?: SQL
}

/**
 * A statement that writes a mail, and decides in the same breath whether it goes out: the count and the insert
 * are one statement, so no concurrency gets past the limit. A mail of exactly one window ago no longer counts.
 *
 * Beyond the limit the row is written all the same, settled and never to be sent. A claim's holder sees the
 * state of its mail, and a missing row would say that somebody else had mail sent to this address lately;
 * as it is, the row looks like one that went out (see {@link shownMail}), which is nearly true: links that
 * work for every claim were mailed there a moment ago.
 * @param deps the limit and the clock, a new id, and what builds the statement
 * @param message what to write
 * @returns one row with the id of the mail to enqueue, null where it is withheld; no row without a recipient
 */
export function insertMessageWithinLimit(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'config'>,
  message: NewMessage,
) {
  const now = deps.now()
  const limit = deps.config.MAIL_LIMIT_PER_ADDRESS
  const sameClass = NOTICES.has(message.kind)
    ? sql`m.kind = ${message.kind}`
    : sql`not ${isNotice(sql`m.kind`)}`
  const hasRoom = sql`(select count(*) from messages m
    where m.to_email = ${message.toEmail} and m.created_at > ${now - limit.windowMs}
      and m.error is not ${WITHHELD}
      and ${sameClass}
    ) < ${limit.limit}`
  // When a mail would have gone out, had there been room: a second or two from now.
  const pretendedAt = sql`${now} + 1000 + abs(random()) % 1500`
  return deps.db
    .insert(messages)
    .select(
      sql`select ${deps.newId()}, w.id, ${message.kind}, ${message.locale}, w.to_email, w.generation,
        iif(w.has_room, 'queued', 'expired'), 0, null, null, null, null,
        iif(w.has_room, null, ${WITHHELD}), ${now},
        iif(w.has_room, null, ${pretendedAt}), iif(w.has_room, null, ${now}), 0, null, null
        from (select u.id, u.generation, ${message.toEmail} as to_email, ${hasRoom} as has_room
          from users u where u.id = (${message.recipient}) and ${message.onlyIf ?? sql`true`}) w`,
    )
    .returning({ id: sql<string | null>`iif(state = 'queued', id, null)`.as('id') })
}

/** What stands in `error` of a mail that was not sent because of the limit. */
const WITHHELD = 'withheld'

/**
 * A mail's state and its instant as the holder of its account or claim may see them.
 * @param now milliseconds since the epoch
 * @returns columns to select from `messages`
 */
export function shownMail(now: number) {
  const isWithheld = sql`${messages.error} is ${WITHHELD}`
  const isShownAsSent = sql`${messages.sentAt} <= ${now}`
  return {
    state: sql<MessageState>`case when ${messages.state} = 'sending' then 'queued'
      when not (${isWithheld}) then ${messages.state}
      when ${isShownAsSent} then 'sent' else 'queued' end`.as('shown_state'),
    at: sql<number>`case
      when not (${isWithheld}) then coalesce(${messages.settledAt}, ${messages.sentAt}, ${messages.createdAt})
      when ${isShownAsSent} then ${messages.sentAt} else ${messages.createdAt} end`.as('shown_at'),
  }
}
