// Where am I signed in? And: sign that one out.

import { and, desc, eq, gt, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { sessions } from '../schema.ts'
import { recordEvent } from '../timeline/record.ts'
import { NOBODY, sessionKeyOf } from './session-token.ts'
import { userOfSession } from './sessions.ts'
import { instant } from './user.ts'

/** A session as its owner sees it. The id is a hash: knowing it signs nobody in. */
export interface SessionView {
  readonly id: string
  readonly created_at: string
  readonly expires_at: string
  readonly ip: string | null
  readonly user_agent: string | null
  readonly is_current: boolean
}

/**
 * The live sessions of whoever holds this one, newest first. One round trip.
 * @param deps D1 and the clock
 * @param presentedToken the session token
 * @returns null where nobody is signed in
 * @throws Outage
 */
export async function listSessions(
  deps: Pick<Deps, 'db' | 'batch' | 'now'>,
  presentedToken: string,
): Promise<SessionView[] | null> {
  const current = await sessionKeyOf(presentedToken)
  if (current === NOBODY) return null
  const now = deps.now()
  const [rows] = await deps.batch([
    deps.db
      .select()
      .from(sessions)
      .where(
        and(
          eq(sessions.userId, sql`(${userOfSession(current, now)})`),
          gt(sessions.expiresAt, now),
        ),
      )
      .orderBy(desc(sessions.createdAt)),
  ])
  if (rows.length === 0) return null
  return rows.map((row) => ({
    id: row.id,
    created_at: instant(row.createdAt),
    expires_at: instant(row.expiresAt),
    ip: row.ip,
    user_agent: row.userAgent,
    is_current: row.id === current.id,
  }))
}

export type RevokeResult = 'revoked' | 'not_found' | 'not_signed_in'

/**
 * Ends one session of whoever holds this one, which may be this one itself. One round trip.
 * @param deps capabilities
 * @param presentedToken the session token
 * @param id of the session to end
 * @returns `not_found` also for a session of somebody else
 * @throws Outage
 */
export async function revokeSession(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'log'>,
  presentedToken: string,
  id: string,
): Promise<RevokeResult> {
  const key = await sessionKeyOf(presentedToken)
  if (key === NOBODY) return 'not_signed_in'
  const now = deps.now()
  const user = sql`(${userOfSession(key, now)})`
  const [[holder], , revoked] = await deps.batch([
    deps.db
      .select({ userId: sessions.userId })
      .from(sessions)
      .where(eq(sessions.userId, user))
      .limit(1),
    recordEvent(deps.db, {
      userId: user,
      type: 'session_revoked',
      at: now,
      onlyIf: sql`exists (select 1 from sessions r where r.user_id = u.id and r.id = ${id})`,
    }),
    deps.db
      .delete(sessions)
      .where(and(eq(sessions.userId, user), eq(sessions.id, id)))
      .returning({ id: sessions.id }),
  ])
  if (holder === undefined) return 'not_signed_in'
  if (revoked.length === 0) return 'not_found'
  deps.log('session_revoked', { userId: holder.userId })
  return 'revoked'
}
