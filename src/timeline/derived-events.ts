// What other rows say is not written again as an event, or it would be paid for twice: that somebody registered
// (`users.created_at`), and that a provider accepted a mail (`messages.sent_at` and `provider`). Whoever reads a
// timeline adds it from there. An event of it is written only before the other row is overwritten.

import { type SQL, sql } from 'drizzle-orm'
import type { events, messages, users } from '../schema.ts'
import type { EventType } from './record.ts'

type EventRow = typeof events.$inferSelect
type MailRow = Pick<
  typeof messages.$inferSelect,
  'id' | 'sentAt' | 'provider' | 'providerMessageId'
>
type Registered = Pick<typeof users.$inferSelect, 'id' | 'createdAt'>

/**
 * Whether a row of `messages` says that a provider accepted the mail. One that the limit withheld has an instant as
 * well, but nobody it was handed to.
 * @param mail the table's name or alias
 */
export function wasAccepted(mail: SQL): SQL {
  return sql`(${mail}.sent_at is not null and ${mail}.provider is not null)`
}

/**
 * A user's events with those that other rows tell of. Rows of an older version have such events of their own: what
 * is told already is not told again. An acceptance lasts as long as the ledger keeps its mail, a registration as
 * long as the user.
 * @param eventRows in any order
 * @param user whose
 * @param mails those written for the user
 * @returns what was added first, then the given ones
 */
export function withDerivedEvents(
  eventRows: readonly EventRow[],
  user: Registered,
  mails: readonly MailRow[],
): EventRow[] {
  const derived = [registrationOf(user), ...mails.flatMap((mail) => acceptanceOf(user.id, mail))]
  const types = new Set<string>(derived.map(({ type }) => type))
  const written = eventRows.filter(({ type }) => types.has(type))
  return [...derived.filter((one) => !written.some((other) => isSame(one, other))), ...eventRows]
}

const REGISTERED: EventType = 'registered'
const ACCEPTED: EventType = 'mail_accepted'

function registrationOf({ id, createdAt }: Registered): EventRow {
  return {
    userId: id,
    at: createdAt,
    type: REGISTERED,
    messageId: '',
    provider: null,
    actor: null,
    detail: null,
  }
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
    (written.detail === null || written.detail === derived.detail)
  )
}
