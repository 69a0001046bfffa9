// Who is signed in, and what became of the mail they wait for.

import { eq, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import type { Deps } from '../deps.ts'
import { mailToShow, type ShownMail, shownMail } from '../mail/outbox.ts'
import { type Given, type Givens, preparedBatch, type Slots } from '../prepared-batch.ts'
import { type MessageKind, messages, sessions, users } from '../schema.ts'
import { newestMailFrom } from '../timeline/mails-of-user.ts'
import { NOBODY, type SessionKey, sessionKeyOf } from './session-token.ts'
import { isLiveSession, type SignedIn } from './sessions.ts'

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
  const key = await sessionKeyOf(token)
  if (key === NOBODY) return null
  const now = deps.now()
  const [[found]] = await deps.batch(selectWithVerification(deps.db, { ...key, now }))
  return found === undefined ? null : viewSession(key, found, now)
}

const selectWithVerification = preparedBatch((db, slots: Slots<SessionKey & { now: number }>) => [
  selectSessionWithMail(db, slots, slots.now, ['verify_email']),
])

/**
 * A statement that finds a live session with its user and their last mail of some kinds.
 * @param db builds the statement
 * @param key from `sessionKeyOf`
 * @param now milliseconds since the epoch
 * @param kinds of mail
 */
export function selectSessionWithMail(
  db: DrizzleD1Database,
  key: Givens<SessionKey>,
  now: Given<number>,
  kinds: readonly MessageKind[],
) {
  const lastMail = newestMailFrom(sql`users.last_message_id`, sql`m.kind in ${kinds}`)
  return db
    .select({ expiresAt: sessions.expiresAt, user: users, mail: mailToShow })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .leftJoin(messages, eq(messages.id, lastMail))
    .where(isLiveSession(key, now))
}

type SessionRow = Awaited<ReturnType<typeof selectSessionWithMail>>[number]

/**
 * What was found, for whoever holds the session.
 * @param key of the session
 * @param row of {@link selectSessionWithMail}
 * @param now milliseconds since the epoch
 */
export function viewSession(key: SessionKey, row: SessionRow, now: number): SessionView {
  const { expiresAt, user, mail } = row
  return {
    sessionId: key.id,
    expiresAt,
    user,
    mail: mail === null ? null : shownMail(mail, now),
  }
}
