// One timeline out of several tables: what happened (events), what other rows say of it (derived-events.ts), and
// what only the ledger of mails knows, that a mail was written, or that the limit kept one back.

import { desc, eq, inArray, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import { events, type MessageKind, messages } from '../schema.ts'
import { type TellingUser, withDerivedEvents } from './derived-events.ts'
import { mailsFrom } from './mails-of-user.ts'

/** Entries that no event tells of, or not by its type alone. */
export type LedgerEntryType = 'mail_queued' | 'mail_withheld' | 'mail_held_for_cap'

/** One line of a timeline. */
export interface TimelineEntry {
  /** Milliseconds since the epoch; of a delivery, by the provider's clock. */
  readonly at: number
  /** An `EventType` or a {@link LedgerEntryType}; in rows of an older version, perhaps neither. */
  readonly type: string
  readonly messageId: string | null
  readonly mailKind: MessageKind | null
  readonly toEmail: string | null
  readonly provider: string | null
  readonly providerMessageId: string | null
  readonly actor: string | null
  readonly detail: string | null
}

export interface Timeline {
  /** In the order in which they happened. */
  readonly entries: readonly TimelineEntry[]
  /** False where there was more than is read at once; then the oldest are missing. */
  readonly isComplete: boolean
}

/** The newest so many: more than a person reads, and a bound on what one request costs. */
const MAX_EVENTS = 1000
const MAX_MAILS = 200

/** What stands in the ledger for reasons of our own; the mail folder knows the words. */
export interface LedgerMarks {
  /** The limit kept it back. */
  readonly withheld: string
  /** It waits because no more may be sent today. */
  readonly dailyCap: string
}

/**
 * The statements that a timeline is read by, for the batch of whoever shows it.
 * @param db builds the statements
 * @param userId whose
 */
export function timelineStatements(db: DrizzleD1Database, userId: string) {
  const last = sql`(select last_message_id from users where id = ${userId})`
  return [
    db
      .select()
      .from(events)
      .where(eq(events.userId, userId))
      .orderBy(desc(events.at))
      .limit(MAX_EVENTS + 1),
    db
      .select()
      .from(messages)
      .where(inArray(messages.id, mailsFrom(last, MAX_MAILS + 1)))
      .orderBy(desc(messages.id)),
  ] as const
}

type EventRow = typeof events.$inferSelect
type MailRow = typeof messages.$inferSelect

/**
 * Puts the rows together. What the ledger says of a mail, that it was written and accepted, goes when the ledger
 * forgets the mail (`LEDGER_TTL`), perhaps before the events (`EVENTS_RETENTION`).
 * @param user whose
 * @param eventRows of the first of {@link timelineStatements}
 * @param mailRows of the second
 * @param marks the ledger's words
 */
export function timelineOf(
  user: TellingUser,
  eventRows: readonly EventRow[],
  mailRows: readonly MailRow[],
  marks: LedgerMarks,
): Timeline {
  const mails = new Map(mailRows.slice(0, MAX_MAILS).map((mail) => [mail.id, mail]))
  const shownEvents = withDerivedEvents(eventRows.slice(0, MAX_EVENTS), user, [...mails.values()])
  const entries = [
    ...[...mails.values()].map((mail) => ledgerEntry(mail, marks)),
    ...shownEvents.map((event) => eventEntry(event, mails.get(event.messageId), marks)),
  ]
  // What was asked for comes before the mail that it wrote, and that before what became of it.
  entries.sort((a, b) => a.at - b.at || rank(a) - rank(b))
  return {
    entries,
    isComplete: eventRows.length <= MAX_EVENTS && mailRows.length <= MAX_MAILS,
  }
}

function rank({ type, messageId }: TimelineEntry): number {
  if (type === 'mail_queued' || type === 'mail_withheld') return 1
  return messageId === null || type.startsWith('support_') ? 0 : 2
}

function eventEntry(event: EventRow, mail: MailRow | undefined, marks: LedgerMarks): TimelineEntry {
  const isHeld = event.type === 'mail_deferred' && event.detail === marks.dailyCap
  const held: LedgerEntryType = 'mail_held_for_cap'
  return {
    at: event.at,
    type: isHeld ? held : event.type,
    messageId: event.messageId === '' ? null : event.messageId,
    mailKind: mail?.kind ?? null,
    toEmail: mail?.toEmail ?? null,
    provider: event.provider,
    providerMessageId:
      mail !== undefined && mail.provider === event.provider ? mail.providerMessageId : null,
    actor: event.actor,
    detail: isHeld ? null : event.detail,
  }
}

function ledgerEntry(mail: MailRow, marks: LedgerMarks): TimelineEntry {
  const type: LedgerEntryType = mail.error === marks.withheld ? 'mail_withheld' : 'mail_queued'
  return {
    at: mail.createdAt,
    type,
    messageId: mail.id,
    mailKind: mail.kind,
    toEmail: mail.toEmail,
    provider: null,
    providerMessageId: null,
    actor: null,
    detail: null,
  }
}
