// Sending the link again. Links already delivered stay alive: whoever clicks the older mail is not punished
// for having asked twice.

import { and, desc, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { secondsUntil, type Verdict } from '../limits/window.ts'
import { insertMessageWithinLimit, isNotice } from '../mail/outbox.ts'
import { type Locale, messages, users } from '../schema.ts'
import { onceAMinute, recordEvent } from '../timeline/record.ts'
import { addressFingerprint } from './email-address.ts'
import { sessionIdOf, userOfSession } from './sessions.ts'

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
  const { db } = deps
  const now = deps.now()
  const fingerprint = await addressFingerprint(email)
  // Also where the address has an owner: the consumer then writes "you already have an account". A claim whose
  // mail did not follow a public resend would tell its holder that it has.
  const newestClaim = sql`(select c.id from users c where c.email_fingerprint = ${fingerprint}
    and c.email_verified_at is null order by c.created_at desc limit 1)`
  const [[message]] = await deps.batch([
    insertMessageWithinLimit(deps, {
      kind: 'verify_email',
      locale,
      toEmail: email,
      recipient: newestClaim,
    }),
    recordEvent(db, {
      userId: newestClaim,
      type: 'resend_requested',
      at: now,
      detail: 'public',
      onlyIf: onceAMinute('resend_requested', now),
    }),
  ])
  deps.log('resend_requested', { email })
  if (message?.id === null) deps.log('resend_limited', { email })
  return message?.id ?? null
}

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
  const { db } = deps
  const now = deps.now()
  const limit = deps.config.MAIL_LIMIT_PER_ADDRESS
  const user = sql`(${userOfSession(await sessionIdOf(presentedToken), now)})`
  const ownMails = sql`(select count(*) from messages m
    where m.user_id = u.id and m.to_email = ${WAITING_ADDRESS}
    and m.created_at > ${now - limit.windowMs} and not ${isNotice(sql`m.kind`)})`
  const message = {
    toEmail: WAITING_ADDRESS,
    locale,
    onlyIf: sql`${ownMails} < ${limit.limit}`,
  }
  const waiting = sql`select u.id from users u where u.id = ${user}`

  const isWaiting = sql`(u.email_verified_at is null or u.pending_email is not null)`
  const [[account], [earliest], , [verify], [change]] = await deps.batch([
    db.select().from(users).where(eq(users.id, user)),
    limitingMail(deps, user),
    // First, while the mails that use the limit up are those of before.
    recordEvent(db, {
      userId: user,
      type: 'resend_limited',
      at: now,
      detail: limit.name,
      onlyIf: sql`${isWaiting} and ${ownMails} >= ${limit.limit}
        and ${onceAMinute('resend_limited', now)}`,
    }),
    insertMessageWithinLimit(deps, {
      ...message,
      kind: 'verify_email',
      recipient: sql`${waiting} and u.email_verified_at is null`,
    }),
    insertMessageWithinLimit(deps, {
      ...message,
      kind: 'change_email',
      recipient: sql`${waiting} and u.email_verified_at is not null and u.pending_email is not null`,
    }),
    recordEvent(db, {
      userId: user,
      type: 'resend_requested',
      at: now,
      detail: 'session',
      onlyIf: isWaiting,
    }),
  ])

  if (account === undefined) return { outcome: 'not_signed_in' }
  if (account.emailVerifiedAt !== null && account.pendingEmail === null) {
    deps.log('already_verified', { userId: account.id })
    return { outcome: 'already_verified' }
  }
  const email = account.pendingEmail ?? account.email
  deps.log('resend_requested', { userId: account.id, email })
  const written = verify ?? change
  if (written?.id === null) deps.log('resend_limited', { userId: account.id, email })
  if (written !== undefined) return { outcome: 'sent', messageId: written.id }

  deps.log('resend_limited', { userId: account.id, email, policy: limit.name })
  const resetSeconds = secondsUntil((earliest?.createdAt ?? now) + limit.windowMs, now)
  const verdict = { policy: limit, allowed: false, remaining: 0, resetSeconds }
  return { outcome: 'rate_limited', verdict }
}

/** The address of a row `u` of users that a link would go to. */
const WAITING_ADDRESS = sql.raw('coalesce(u.pending_email, u.email)')

/**
 * A statement for the mail whose leaving the window makes room for the next one: the limit-th newest that an
 * account or claim had sent to the address that waits. No row where there is room.
 * @param deps the limit and the clock
 * @param userId a subquery for the account or claim
 */
export function limitingMail(deps: Pick<Deps, 'db' | 'now' | 'config'>, userId: SQL) {
  const limit = deps.config.MAIL_LIMIT_PER_ADDRESS
  return deps.db
    .select({ createdAt: messages.createdAt })
    .from(messages)
    .where(
      and(
        eq(messages.userId, userId),
        eq(messages.toEmail, sql`(select ${WAITING_ADDRESS} from users u where u.id = ${userId})`),
        gt(messages.createdAt, deps.now() - limit.windowMs),
        sql`not ${isNotice(sql`${messages.kind}`)}`,
      ),
    )
    .orderBy(desc(messages.createdAt))
    .limit(1)
    .offset(limit.limit - 1)
}
