// All that the pages show to whoever is signed in.

import { and, desc, eq, gt, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { secondsUntil } from '../limits/window.ts'
import { suppressionOf } from '../mail/suppressions.ts'
import { type SuppressionReason, sessions, users } from '../schema.ts'
import { type SessionView, selectSessionWithMail, viewSession } from './read-session.ts'
import { limitingMailAt } from './resend-verification.ts'
import { NOBODY, sessionKeyOf } from './session-token.ts'
import { userOfSession } from './sessions.ts'

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
  const key = await sessionKeyOf(token)
  if (key === NOBODY) return null
  const { db } = deps
  const now = deps.now()
  const user = sql`(${userOfSession(key, now)})`
  const [[found], [limiting], live, [suppression]] = await deps.batch([
    selectSessionWithMail(db, key, now, ['verify_email', 'change_email']),
    db
      .select({ at: limitingMailAt({ now, ...deps.config.MAIL_LIMIT_PER_ADDRESS }) })
      .from(users)
      .where(eq(users.id, user)),
    db
      .select()
      .from(sessions)
      .where(and(eq(sessions.userId, user), gt(sessions.expiresAt, now)))
      .orderBy(desc(sessions.createdAt)),
    suppressionOf(deps, sql`(select u.email from users u where u.id = ${user})`),
  ])
  if (found === undefined) return null
  const limitingAt = limiting?.at ?? null
  const { windowMs } = deps.config.MAIL_LIMIT_PER_ADDRESS
  return {
    ...viewSession(key, found, now),
    suppression: suppression?.reason ?? null,
    resendSeconds: limitingAt === null ? 0 : secondsUntil(limitingAt + windowMs, now),
    sessions: live.map((row) => ({
      id: row.id,
      createdAt: row.createdAt,
      ip: row.ip,
      userAgent: row.userAgent,
      isCurrent: row.id === key.id,
    })),
  }
}
