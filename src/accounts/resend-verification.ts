// Sending the link again. Links already delivered stay alive: whoever clicks the older mail is not punished
// for having asked twice.

import { and, desc, eq, gt, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import type { Verdict } from '../limits/window.ts'
import { secondsUntil } from '../limits/window.ts'
import { insertMessageWithinLimit } from '../mail/outbox.ts'
import { messages, users } from '../schema.ts'
import { recordEvent } from '../timeline/record.ts'
import { addressFingerprint } from './email-address.ts'
import { sessionIdOf, userOfSession } from './sessions.ts'

export type SessionResendResult =
  | { readonly outcome: 'sent'; readonly messageId: string }
  | { readonly outcome: 'already_verified' }
  | { readonly outcome: 'not_signed_in' }
  | { readonly outcome: 'rate_limited'; readonly verdict: Verdict }

/**
 * The public door: mails the newest claim on an address, if it is unverified and within its limit. One
 * round trip of the same statements for every address; the client is told nothing but that it was heard.
 * @param deps capabilities
 * @param email canonical
 * @returns the mail to enqueue, or null
 * @throws Outage
 */
export async function resendByAddress(deps: Deps, email: string): Promise<string | null> {
  const { db } = deps
  const now = deps.now()
  const fingerprint = await addressFingerprint(email)
  const newestClaim = sql`(select c.id from users c where c.email_fingerprint = ${fingerprint}
    and c.email_verified_at is null
    and not exists (select 1 from users o where o.email = ${email} and o.email_verified_at is not null)
    order by c.created_at desc limit 1)`
  const [[message]] = await deps.batch([
    insertMessageWithinLimit(db, {
      id: deps.newId(),
      kind: 'verify_email',
      toEmail: email,
      recipient: newestClaim,
      now,
      limit: deps.config.MAIL_LIMIT_PER_ADDRESS,
    }),
    recordEvent(db, { userId: newestClaim, type: 'resend_requested', at: now, detail: 'public' }),
  ])
  deps.log('resend_requested', { email })
  if (message === undefined) deps.log('resend_limited', { email, reason: 'nothing to send' })
  return message?.id ?? null
}

/**
 * The signed-in door: mails the session's own unverified address, and may say how it stands with it.
 * One round trip.
 * @param deps capabilities
 * @param presentedToken the session token
 * @throws Outage
 */
export async function resendBySession(
  deps: Deps,
  presentedToken: string,
): Promise<SessionResendResult> {
  const { db } = deps
  const now = deps.now()
  const limit = deps.config.MAIL_LIMIT_PER_ADDRESS
  const user = sql`(${userOfSession(await sessionIdOf(presentedToken), now)})`
  const messageId = deps.newId()

  const [[account], [earliest], [message]] = await deps.batch([
    db.select().from(users).where(eq(users.id, user)),
    // The mail whose leaving the window makes room again: the limit-th newest in it.
    db
      .select({ createdAt: messages.createdAt })
      .from(messages)
      .where(
        and(
          eq(messages.toEmail, sql`(select email from users where id = ${user})`),
          gt(messages.createdAt, now - limit.windowMs),
        ),
      )
      .orderBy(desc(messages.createdAt))
      .limit(1)
      .offset(limit.limit - 1),
    insertMessageWithinLimit(db, {
      id: messageId,
      kind: 'verify_email',
      toEmail: sql`u.email`,
      recipient: sql`select id from users where id = ${user} and email_verified_at is null`,
      now,
      limit,
    }),
    recordEvent(db, {
      userId: user,
      type: 'resend_requested',
      at: now,
      detail: 'session',
      onlyIf: sql`u.email_verified_at is null`,
    }),
  ])

  if (account === undefined) return { outcome: 'not_signed_in' }
  if (account.emailVerifiedAt !== null) {
    deps.log('already_verified', { userId: account.id })
    return { outcome: 'already_verified' }
  }
  deps.log('resend_requested', { userId: account.id, email: account.email })
  if (message !== undefined) return { outcome: 'sent', messageId }

  deps.log('resend_limited', { userId: account.id, email: account.email, policy: limit.name })
  const freeAt = (earliest?.createdAt ?? now) + limit.windowMs
  return {
    outcome: 'rate_limited',
    verdict: {
      policy: limit,
      allowed: false,
      remaining: 0,
      resetSeconds: secondsUntil(freeAt, now),
    },
  }
}
