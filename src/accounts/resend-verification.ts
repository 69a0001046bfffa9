// Sending the link again. Links already delivered stay alive: whoever clicks the older mail is not punished
// for having asked twice.

import { eq, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { secondsUntil, type Verdict } from '../limits/window.ts'
import { insertMessageWithinLimit, isNotice, type MailSlip, newSlip } from '../mail/outbox.ts'
import { type Givens, preparedBatch, type Slots } from '../prepared-batch.ts'
import { type Locale, users } from '../schema.ts'
import { onceAMinute, recordEvent, recordEvents } from '../timeline/record.ts'
import { addressFingerprint } from './email-address.ts'
import { NOBODY, type SessionKey, sessionKeyOf } from './session-token.ts'
import { userOfSession } from './sessions.ts'

export type SessionResendResult =
  /** `messageId` is null where the address is at its limit by others' doing: that is not this one's to know. */
  | { readonly outcome: 'sent'; readonly messageId: string | null }
  | { readonly outcome: 'already_verified' }
  | { readonly outcome: 'not_signed_in' }
  | { readonly outcome: 'rate_limited'; readonly verdict: Verdict }

/**
 * The public door: mails the newest claim on an address, within the address's limit. One round trip of the
 * same statements for every address; the client is told nothing but that it was heard.
 * @param deps capabilities
 * @param email canonical
 * @param locale the language of who asks
 * @returns the mail to enqueue, or null
 * @throws Outage
 */
export async function resendByAddress(
  deps: Deps,
  email: string,
  locale: Locale,
): Promise<string | null> {
  const fingerprint = await addressFingerprint(email)
  const values = { ...newSlip(deps), email, fingerprint, locale }
  const [[message]] = await deps.batch(mailNewestClaim(deps.db, values))
  deps.log('resend_requested', { email })
  if (message?.id === null) deps.log('resend_limited', { email })
  return message?.id ?? null
}

const mailNewestClaim = preparedBatch(
  (db, slots: Slots<MailSlip & { email: string; fingerprint: string; locale: Locale }>) => {
    // Also where the address has an owner: the consumer then writes "you already have an account". A claim whose
    // mail did not follow a public resend would tell its holder that it has.
    const newestClaim = sql`(select c.id from users c where c.email_fingerprint = ${slots.fingerprint}
      and c.email_verified_at is null order by c.created_at desc limit 1)`
    return [
      insertMessageWithinLimit(db, slots, {
        kind: 'verify_email',
        locale: slots.locale,
        toEmail: slots.email,
        recipient: newestClaim,
      }),
      recordEvent(db, {
        userId: newestClaim,
        type: 'resend_requested',
        at: slots.now,
        detail: 'public',
        onlyIf: onceAMinute('resend_requested', slots.now),
      }),
    ]
  },
)

/**
 * The signed-in door: mails the address that waits to be confirmed, the session's own or the one it is to be
 * changed to, and may say how it stands with it. Its 429 counts what this account or claim asked for; what
 * others had sent to the address is not its business. One round trip.
 * @param deps capabilities
 * @param presentedToken the session token
 * @param locale the language of who asks
 * @throws Outage
 */
export async function resendBySession(
  deps: Deps,
  presentedToken: string,
  locale: Locale,
): Promise<SessionResendResult> {
  const key = await sessionKeyOf(presentedToken)
  if (key === NOBODY) return { outcome: 'not_signed_in' }
  const slip = newSlip(deps)
  const { now } = slip
  const limit = deps.config.MAIL_LIMIT_PER_ADDRESS
  const values = { ...slip, ...key, locale, policy: limit.name }
  const [[account], , [written]] = await deps.batch(mailWaitingAddress(deps.db, values))

  if (account === undefined) return { outcome: 'not_signed_in' }
  const { id, emailVerifiedAt, pendingEmail, email: ownEmail } = account.user
  if (emailVerifiedAt !== null && pendingEmail === null) {
    deps.log('already_verified', { userId: id })
    return { outcome: 'already_verified' }
  }
  const email = pendingEmail ?? ownEmail
  deps.log('resend_requested', { userId: id, email })
  if (written?.id === null) deps.log('resend_limited', { userId: id, email })
  if (written !== undefined) return { outcome: 'sent', messageId: written.id }

  deps.log('resend_limited', { userId: id, email, policy: limit.name })
  const resetSeconds = secondsUntil((account.limitingAt ?? now) + limit.windowMs, now)
  const verdict = { policy: limit, allowed: false, remaining: 0, resetSeconds }
  return { outcome: 'rate_limited', verdict }
}

const mailWaitingAddress = preparedBatch(
  (db, slots: Slots<MailSlip & SessionKey & { locale: Locale; policy: string }>) => {
    const { now, limit } = slots
    const user = sql`(${userOfSession(slots, now)})`
    const ownMails = sql`(select count(*) from ${ownLinks('u', slots)})`
    const isWaiting = sql`(u.email_verified_at is null or u.pending_email is not null)`
    return [
      db
        .select({ user: users, limitingAt: limitingMailAt(slots) })
        .from(users)
        .where(eq(users.id, user)),
      // First, while the mails that use the limit up are those of before.
      recordEvents(db, [
        {
          userId: user,
          type: 'resend_requested',
          at: now,
          detail: 'session',
          onlyIf: sql`${isWaiting} and ${ownMails} < ${limit}`,
        },
        {
          userId: user,
          type: 'resend_limited',
          at: now,
          detail: slots.policy,
          onlyIf: sql`${isWaiting} and ${ownMails} >= ${limit} and ${onceAMinute('resend_limited', now)}`,
        },
      ]),
      insertMessageWithinLimit(db, slots, {
        kind: sql`iif(u.email_verified_at is null, 'verify_email', 'change_email')`,
        toEmail: waitingAddressOf('u'),
        locale: slots.locale,
        recipient: user,
        onlyIf: sql`${isWaiting} and ${ownMails} < ${limit}`,
      }),
    ]
  },
)

/** The address that a link would go to. */
const waitingAddressOf = (user: 'u' | 'users') =>
  sql.raw(`coalesce(${user}.pending_email, ${user}.email)`)

/**
 * A source of rows `m`: links that an account or claim had sent to the address that waits, since the window began.
 * Withheld ones are among them: it asked for those as well. They are found by the address, like those that the limit
 * of the address counts.
 */
function ownLinks(
  user: 'u' | 'users',
  { now, windowMs }: Pick<Givens<MailSlip>, 'now' | 'windowMs'>,
) {
  return sql`messages m where m.user_id = ${sql.raw(user)}.id and m.to_email = ${waitingAddressOf(user)}
    and m.created_at > ${now} - ${windowMs} and not ${isNotice(sql`m.kind`)}`
}

/**
 * A column of a select from `users`: when the mail was written whose leaving the window makes room for the next
 * one, the limit-th newest that an account or claim had sent to the address that waits. Null where there is room.
 * @param slip the limit and the instant
 */
export function limitingMailAt(slip: Givens<Omit<MailSlip, 'messageId'>>) {
  return sql<number | null>`(select m.created_at from ${ownLinks('users', slip)}
    order by m.created_at desc limit 1 offset ${slip.limit} - 1)`.as('limiting_at')
}
