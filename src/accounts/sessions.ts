// Sessions: 256 random bits that the client keeps, of which D1 holds only the hash.

import { and, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { sessions, users } from '../schema.ts'
import { encodeBase64Url } from '../signing/base64url.ts'
import type { UserRow } from './user.ts'

/** A session just made; `token` exists here and at the client only. */
export interface NewSession {
  readonly token: string
  /** SHA-256 of the token, the row's key. */
  readonly id: string
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

const TOKEN_BYTES = 32
const MAX_USER_AGENT_LENGTH = 256

/** The id of no session: for statements that are run whether or not a session was presented. */
export const NO_SESSION = ''

/**
 * Makes a session token. Nothing is stored yet.
 * @param deps the clock and the time to live
 */
export async function createSession(deps: Pick<Deps, 'now' | 'config'>): Promise<NewSession> {
  const token = encodeBase64Url(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)))
  return {
    token,
    id: await sessionIdOf(token),
    expiresAt: deps.now() + deps.config.SESSION_TTL,
  }
}

/**
 * The key under which a token's session is stored. A fast hash will do: the token has 256 random bits.
 * @param token as presented, or null
 * @returns {@link NO_SESSION} for null
 */
export async function sessionIdOf(token: string | null): Promise<string> {
  if (token === null) return NO_SESSION
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return encodeBase64Url(new Uint8Array(digest))
}

/**
 * A statement that stores a session for the user that `user` yields; no row where it yields none.
 * @param deps the clock, and what builds the statement
 * @param session from {@link createSession}
 * @param user a subquery for one user id
 * @param client where it was begun
 */
export function insertSession(
  deps: Pick<Deps, 'db' | 'now'>,
  session: NewSession,
  user: SQL,
  client: Client,
) {
  const userAgent = client.userAgent?.slice(0, MAX_USER_AGENT_LENGTH) ?? null
  return deps.db
    .insert(sessions)
    .select(
      sql`select ${session.id}, u.id, ${deps.now()}, ${session.expiresAt}, ${client.ip}, ${userAgent}
        from users u where u.id = (${user})`,
    )
    .returning({ userId: sessions.userId })
}

/** How a proof ends: the session that came with it gets a new token, or one begins. */
export type Access = { readonly rotate: string } | { readonly begin: Client }

/**
 * A statement that gives a session to whoever proved something: a new token for new rights, so that a token
 * seen before is worth nothing after (OWASP ASVS 5 §7.2.4).
 * @param deps the clock, and what builds the statement
 * @param session from {@link createSession}
 * @param user a subquery for the id of who proved it; a session of anybody else is left alone
 * @param access rotate a session, by its id, or begin one
 * @returns one row, or none where there is no such user or session
 */
export function giveSession(
  deps: Pick<Deps, 'db' | 'now'>,
  session: NewSession,
  user: SQL,
  access: Access,
) {
  if ('begin' in access) return insertSession(deps, session, user, access.begin)
  return deps.db
    .update(sessions)
    .set({ id: session.id, expiresAt: session.expiresAt })
    .where(sql`id = ${access.rotate} and user_id = (${user})`)
    .returning({ userId: sessions.userId })
}

/**
 * A subquery for the user of a live session.
 * @param sessionId from {@link sessionIdOf}
 * @param now milliseconds since the epoch
 */
export function userOfSession(sessionId: string, now: number): SQL {
  return sql`select s.user_id from sessions s where s.id = ${sessionId} and s.expires_at > ${now}`
}

/**
 * A statement that finds a live session with its user.
 * @param deps the clock, and what builds the statement
 * @param sessionId from {@link sessionIdOf}
 */
export function selectSession(deps: Pick<Deps, 'db' | 'now'>, sessionId: string) {
  return deps.db
    .select({ expiresAt: sessions.expiresAt, user: users })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(and(eq(sessions.id, sessionId), gt(sessions.expiresAt, deps.now())))
}

/**
 * Finds the session of a token and its user, in one round trip.
 * @param deps D1 and the clock
 * @param token as presented, or null
 * @returns null where there is no such session or it has expired; without a token, without asking D1
 * @throws Outage
 */
export async function findSession(
  deps: Pick<Deps, 'db' | 'batch' | 'now'>,
  token: string | null,
): Promise<SignedIn | null> {
  if (token === null) return null
  const sessionId = await sessionIdOf(token)
  const [[found]] = await deps.batch([selectSession(deps, sessionId)])
  return found === undefined ? null : { sessionId, ...found }
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
  if (token === null) return
  const [[ended]] = await deps.batch([
    deps.db
      .delete(sessions)
      .where(eq(sessions.id, await sessionIdOf(token)))
      .returning({ userId: sessions.userId }),
  ])
  if (ended !== undefined) deps.log('signed_out', { userId: ended.userId })
}
