// What other rows say is not written again as an event, or it would be paid for twice: that somebody registered
// (`users.created_at`), when they first looked at a link (`users.link_opened_at`), when and how their address was
// proven (`users.email_verified_at` and `verified_by`), and that a provider accepted a mail (`messages.sent_at` and
// `provider`). Whoever reads a timeline adds it from there. An event of it is written only before the other row is
// overwritten.

import { type SQL, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import { type events, type messages, users } from '../schema.ts'
import { type EventType, recordEvent } from './record.ts'

type EventRow = typeof events.$inferSelect
type MailRow = Pick<
  typeof messages.$inferSelect,
  'id' | 'sentAt' | 'provider' | 'providerMessageId'
>

/** The columns of `users` that tell of events. */
export const tellingColumns = {
  id: users.id,
  createdAt: users.createdAt,
  linkOpenedAt: users.linkOpenedAt,
  emailVerifiedAt: users.emailVerifiedAt,
  verifiedBy: users.verifiedBy,
}
/** A row of {@link tellingColumns}. */
export type TellingUser = Pick<typeof users.$inferSelect, keyof typeof tellingColumns>

/**
 * Whether a row of `messages` says that a provider accepted the mail. One that the limit withheld has an instant as
 * well, but nobody it was handed to.
 * @param mail the table's name or alias
 */
export function wasAccepted(mail: SQL): SQL {
  return sql`(${mail}.sent_at is not null and ${mail}.provider is not null)`
}

/**
 * A statement that keeps in `events` how an address was proven. It goes before the one that overwrites
 * `email_verified_at`, and that one sets `verified_by` to null.
 * @param db builds the statement
 * @param userId a subquery for the id of the user whose row is overwritten, or nothing
 */
export function keepVerified(db: DrizzleD1Database, userId: SQL) {
  return recordEvent(db, {
    userId,
    type: VERIFIED,
    at: sql`u.email_verified_at`,
    detail: sql`u.verified_by`,
    onlyIf: sql`u.verified_by is not null`,
  })
}

/**
 * A user's events with those that other rows tell of. Rows of an older version have such events of their own: what
 * is told already is not told again. An acceptance lasts as long as the ledger keeps its mail, the others as long as
 * the user.
 * @param eventRows in any order
 * @param user whose
 * @param mails those written for the user
 * @returns what was added first, then the given ones
 */
export function withDerivedEvents(
  eventRows: readonly EventRow[],
  user: TellingUser,
  mails: readonly MailRow[],
): EventRow[] {
  const derived = [...eventsOfUser(user), ...mails.flatMap((mail) => acceptanceOf(user.id, mail))]
  const types = new Set<string>(derived.map(({ type }) => type))
  const written = eventRows.filter(({ type }) => types.has(type))
  return [...derived.filter((one) => !written.some((other) => isSame(one, other))), ...eventRows]
}

const REGISTERED: EventType = 'registered'
const OPENED: EventType = 'link_opened'
const VERIFIED: EventType = 'verified'
const ACCEPTED: EventType = 'mail_accepted'

/** In the order in which they follow each other where they are of one instant. */
function eventsOfUser(user: TellingUser): EventRow[] {
  const { id: userId, createdAt, linkOpenedAt, emailVerifiedAt, verifiedBy } = user
  const of = (at: number, type: EventType, detail: string | null = null): EventRow => ({
    userId,
    at,
    type,
    messageId: '',
    provider: null,
    actor: null,
    detail,
  })
  return [
    of(createdAt, REGISTERED),
    ...(linkOpenedAt === null ? [] : [of(linkOpenedAt, OPENED)]),
    ...(emailVerifiedAt === null || verifiedBy === null
      ? []
      : [of(emailVerifiedAt, VERIFIED, verifiedBy)]),
  ]
}

function acceptanceOf(userId: string, mail: MailRow): EventRow[] {
  const { id, sentAt, provider, providerMessageId } = mail
  if (sentAt === null || provider === null) return []
  return [
    {
      userId,
      at: sentAt,
      type: ACCEPTED,
      messageId: id,
      provider,
      actor: null,
      detail: providerMessageId,
    },
  ]
}

/**
 * By the key that events have. An older version had its acceptances some moments before the ledger's instant: they
 * are known by the provider and its id, which may have been reported to the ledger later.
 */
function isSame(derived: EventRow, written: EventRow): boolean {
  if (written.type !== derived.type || written.messageId !== derived.messageId) return false
  if (written.at === derived.at) return true
  return (
    derived.type === ACCEPTED &&
    written.provider === derived.provider &&
    (written.detail === null || derived.detail === null || written.detail === derived.detail)
  )
}
