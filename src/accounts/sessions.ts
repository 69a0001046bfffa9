// Sessions: begun, found, given a new token, ended.

import { and, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import type { Deps } from '../deps.ts'
import { type Given, type Givens, preparedBatch, type Slots } from '../prepared-batch.ts'
import { sessions, users } from '../schema.ts'
import {
  hashSecret,
  makeSecret,
  NOBODY,
  type SessionKey,
  sessionKeyOf,
  tokenOf,
} from './session-token.ts'
import type { UserRow } from './user.ts'

/** A session to be stored. Whose it is, only D1 may know: a registration may renew a claim. */
export interface SessionDraft {
  /** Here and at the client only, never stored. */
  readonly secret: Uint8Array
  /** The row's `id`, the hash of the secret. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** What of it is stored. */
type SessionRow = Givens<Pick<SessionDraft, 'id' | 'expiresAt'>>

/** A session just begun, as the client gets it. */
export interface NewSession {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Where a session was begun. */
export interface Client {
  readonly ip: string
  readonly userAgent: string | null
}

/** A valid session with its user. */
export interface SignedIn {
  readonly sessionId: string
  readonly expiresAt: number
  readonly user: UserRow
}

const MAX_USER_AGENT_LENGTH = 256

/**
 * Makes a session's secret. Nothing is stored yet.
 * @param deps the clock and the time to live
 */
export async function createSession(deps: Pick<Deps, 'now' | 'config'>): Promise<SessionDraft> {
  const secret = makeSecret()
  return {
    secret,
    id: await hashSecret(secret),
    expiresAt: deps.now() + deps.config.SESSION_TTL,
  }
}

/**
 * A stored session for its client.
 * @param session from {@link createSession}
 * @param userId whose it has become
 */
export function handOver(session: SessionDraft, userId: string): NewSession {
  return { token: tokenOf(userId, session.secret), expiresAt: session.expiresAt }
}

/**
 * A statement that stores a session for the user that `user` yields; no row where it yields none.
 * @param db builds the statement
 * @param session from {@link createSession}
 * @param user a subquery for one user id
 * @param client where it was begun
 * @param now milliseconds since the epoch
 */
export function insertSession(
  db: DrizzleD1Database,
  session: SessionRow,
  user: SQL,
  { ip, userAgent }: Givens<Client>,
  now: Given<number>,
) {
  return db
    .insert(sessions)
    .select(
      sql`select ${session.id}, u.id, ${now}, ${session.expiresAt}, ${ip},
        substr(${userAgent}, 1, ${MAX_USER_AGENT_LENGTH})
        from users u where u.id = (${user})`,
    )
    .returning({ userId: sessions.userId })
}

/** How a proof ends: the session that came with it gets a new token, or one begins. */
export type Access = { readonly rotate: Givens<SessionKey> } | { readonly begin: Givens<Client> }

/**
 * A statement that gives a session to whoever proved something: a new token for new rights, so that a token
 * seen before is worth nothing after (OWASP ASVS 5 §7.2.4).
 * @param db builds the statement
 * @param session from {@link createSession}
 * @param user a subquery for the id of who proved it; a session of anybody else is left alone
 * @param access rotate a live session, or begin one
 * @param now milliseconds since the epoch
 * @returns one row, of whose it is; none where there is no such user or session
 */
export function giveSession(
  db: DrizzleD1Database,
  session: SessionRow,
  user: SQL,
  access: Access,
  now: Given<number>,
) {
  if ('begin' in access) return insertSession(db, session, user, access.begin, now)
  return db
    .update(sessions)
    .set({ id: sql`${session.id}`, expiresAt: sql`${session.expiresAt}` })
    .where(
      sql`user_id = ${access.rotate.userId} and id = ${access.rotate.id} and expires_at > ${now}
        and user_id = (${user})`,
    )
    .returning({ userId: sessions.userId })
}

/**
 * A subquery for the user of a live session.
 * @param key from {@link sessionKeyOf}
 * @param now milliseconds since the epoch
 */
export function userOfSession(key: Givens<SessionKey>, now: Given<number>): SQL {
  return sql`select s.user_id from sessions s
    where s.user_id = ${key.userId} and s.id = ${key.id} and s.expires_at > ${now}`
}

/**
 * A condition on rows of `sessions`: the one under this key, whether or not it is still live.
 * @param key from {@link sessionKeyOf}
 */
export function isSession(key: Givens<SessionKey>) {
  return and(eq(sessions.userId, key.userId), eq(sessions.id, key.id))
}

/**
 * A condition on rows of `sessions`: the one under this key, if it is still live.
 * @param key from {@link sessionKeyOf}
 * @param now milliseconds since the epoch
 */
export function isLiveSession(key: Givens<SessionKey>, now: Given<number>) {
  return and(isSession(key), gt(sessions.expiresAt, now))
}

const selectSession = preparedBatch((db, slots: Slots<SessionKey & { now: number }>) => [
  db
    .select({ expiresAt: sessions.expiresAt, user: users })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(isLiveSession(slots, slots.now)),
])

/**
 * Finds the session of a token and its user, in one round trip.
 * @param deps D1 and the clock
 * @param token as presented, or null
 * @returns null where there is no such session or it has expired; without a token of ours, without asking D1
 * @throws Outage
 */
export async function findSession(
  deps: Pick<Deps, 'db' | 'batch' | 'now'>,
  token: string | null,
): Promise<SignedIn | null> {
  const key = await sessionKeyOf(token)
  if (key === NOBODY) return null
  const [[found]] = await deps.batch(selectSession(deps.db, { ...key, now: deps.now() }))
  return found === undefined ? null : { sessionId: key.id, ...found }
}

/**
 * Ends the session of a token. Ending one that does not exist is no error.
 * @param deps D1 and the log
 * @param token as presented, or null
 * @throws Outage
 */
export async function endSession(
  deps: Pick<Deps, 'db' | 'batch' | 'log'>,
  token: string | null,
): Promise<void> {
  const key = await sessionKeyOf(token)
  if (key === NOBODY) return
  const [[ended]] = await deps.batch([
    deps.db.delete(sessions).where(isSession(key)).returning({ userId: sessions.userId }),
  ])
  if (ended !== undefined) deps.log('signed_out', { userId: ended.userId })
}
