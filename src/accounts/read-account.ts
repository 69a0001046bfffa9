// All that the pages show to whoever is signed in.

import { and, desc, eq, gt, inArray, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { secondsUntil } from '../limits/window.ts'
import { mailToShow, shownMail } from '../mail/outbox.ts'
import { suppressionOf } from '../mail/suppressions.ts'
import { messages, type SuppressionReason, sessions, users } from '../schema.ts'
import type { SessionView } from './read-session.ts'
import { limitingMail } from './resend-verification.ts'
import { sessionIdOf, userOfSession } from './sessions.ts'

/** A live session of the account. */
export interface OwnSession {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly ip: string | null
  readonly userAgent: string | null
  readonly isCurrent: boolean
}

/** A session with its account; `mail` is the last one with a link that waits to be confirmed. */
export interface AccountView extends SessionView {
  /** Newest first. */
  readonly sessions: readonly OwnSession[]
  /** Why the account's own address is not mailed, or null. */
  readonly suppression: SuppressionReason | null
  /** Until the link can be sent again; 0 for now. */
  readonly resendSeconds: number
}

/**
 * Reads the account behind a session token in one round trip: user, last mail, sessions, and how long until
 * the link can be sent again.
 * @param deps D1, the clock and the limit
 * @param token as presented, or null
 * @returns null where nobody is signed in
 * @throws Outage
 */
export async function readAccount(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'config'>,
  token: string | null,
): Promise<AccountView | null> {
  if (token === null) return null
  const { db } = deps
  const now = deps.now()
  const sessionId = await sessionIdOf(token)
  const user = sql`(${userOfSession(sessionId, now)})`
  const [[found], [mail], [limiting], live, [suppression]] = await deps.batch([
    db.select().from(users).where(eq(users.id, user)),
    db
      .select(mailToShow)
      .from(messages)
      .where(
        and(eq(messages.userId, user), inArray(messages.kind, ['verify_email', 'change_email'])),
      )
      .orderBy(desc(messages.id))
      .limit(1),
    limitingMail(deps, user),
    db
      .select()
      .from(sessions)
      .where(and(eq(sessions.userId, user), gt(sessions.expiresAt, now)))
      .orderBy(desc(sessions.createdAt)),
    suppressionOf(deps, sql`(select u.email from users u where u.id = ${user})`),
  ])
  const current = live.find(({ id }) => id === sessionId)
  if (found === undefined || current === undefined) return null
  const { windowMs } = deps.config.MAIL_LIMIT_PER_ADDRESS
  return {
    sessionId,
    expiresAt: current.expiresAt,
    user: found,
    mail: mail === undefined ? null : shownMail(mail, now),
    suppression: suppression?.reason ?? null,
    resendSeconds: limiting === undefined ? 0 : secondsUntil(limiting.createdAt + windowMs, now),
    sessions: live.map((row) => ({
      id: row.id,
      createdAt: row.createdAt,
      ip: row.ip,
      userAgent: row.userAgent,
      isCurrent: row.id === sessionId,
    })),
  }
}
