// Who is signed in, and what became of the mail they wait for.

import { and, desc, eq, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { mailToShow, type ShownMail, shownMail } from '../mail/outbox.ts'
import { messages } from '../schema.ts'
import { type SignedIn, selectSession, sessionIdOf, userOfSession } from './sessions.ts'

/** A session with the last verification mail. Gates do without the mail: see `findSession`. */
export interface SessionView extends SignedIn {
  readonly mail: ShownMail | null
}

/**
 * Reads a session, its user and the last verification mail, in one round trip.
 * @param deps D1 and the clock
 * @param token as presented, or null
 * @returns null where nobody is signed in
 * @throws Outage
 */
export async function readSession(
  deps: Pick<Deps, 'db' | 'batch' | 'now'>,
  token: string | null,
): Promise<SessionView | null> {
  if (token === null) return null
  const sessionId = await sessionIdOf(token)
  const now = deps.now()
  const [[found], [mail]] = await deps.batch([
    selectSession(deps, sessionId),
    deps.db
      .select(mailToShow)
      .from(messages)
      .where(
        and(
          eq(messages.userId, sql`(${userOfSession(sessionId, now)})`),
          eq(messages.kind, 'verify_email'),
        ),
      )
      .orderBy(desc(messages.id))
      .limit(1),
  ])
  if (found === undefined) return null
  return { sessionId, ...found, mail: mail === undefined ? null : shownMail(mail, now) }
}
