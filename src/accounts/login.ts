// Sign-in by address and password: one read, one hash, one write, for every kind of address.

import { and, eq, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { insertMessageWithinLimit } from '../mail/outbox.ts'
import { sessions, users } from '../schema.ts'
import { recordEvent } from '../timeline/record.ts'
import { addressFingerprint } from './email-address.ts'
import { findByPassword } from './password-match.ts'
import {
  type Client,
  createSession,
  insertSession,
  type NewSession,
  sessionIdOf,
} from './sessions.ts'
import { type UserView, viewUser } from './user.ts'

export type LoginResult =
  | { readonly outcome: 'signed_in'; readonly user: UserView; readonly session: NewSession }
  | { readonly outcome: 'invalid_credentials' }
  /** `messageId`: the fresh link to enqueue, or null where the address is at its limit. */
  | { readonly outcome: 'email_not_verified'; readonly messageId: string | null }

/**
 * Checks a password and begins a session. Where several claims on the address have this password, the
 * owner of the address comes first, then the newest claim.
 * @param deps capabilities
 * @param input canonical address, password as typed, the session that this sign-in replaces
 * @throws Outage
 */
export async function login(
  deps: Deps,
  input: {
    readonly email: string
    readonly password: string
    readonly presentedToken: string | null
    readonly client: Client
  },
): Promise<LoginResult> {
  const { db } = deps
  const now = deps.now()
  const found = await findByPassword(
    deps,
    await addressFingerprint(input.email),
    input.password,
    input.email,
  )
  const match = found.match
  if (match === null) {
    deps.log('sign_in_refused', { email: input.email })
    return { outcome: 'invalid_credentials' }
  }

  if (deps.config.LOGIN_REQUIRES_VERIFIED && match.user.emailVerifiedAt === null) {
    const [[message]] = await deps.batch([
      insertMessageWithinLimit(db, {
        id: deps.newId(),
        kind: 'verify_email',
        toEmail: match.user.email,
        recipient: sql`${match.user.id}`,
        now,
        limit: deps.config.MAIL_LIMIT_PER_ADDRESS,
      }),
      recordEvent(db, {
        userId: match.user.id,
        type: 'resend_requested',
        at: now,
        detail: 'login',
      }),
    ])
    deps.log(message === undefined ? 'resend_limited' : 'resend_requested', {
      userId: match.user.id,
      email: match.user.email,
    })
    return { outcome: 'email_not_verified', messageId: message?.id ?? null }
  }

  const [session, replacedId] = await Promise.all([
    createSession(deps),
    sessionIdOf(input.presentedToken),
  ])
  // Guarded by the hash that was checked: the password may have changed, or the claim gone, since the read.
  const stillTheirs = sql`select id from users where id = ${match.user.id}
    and password_hash = ${match.user.passwordHash}`
  const [[stored]] = await deps.batch([
    insertSession(deps, session, stillTheirs, input.client),
    recordEvent(db, { userId: sql`(${stillTheirs})`, type: 'signed_in', at: now }),
    db
      .update(users)
      .set({ passwordHash: match.currentHash })
      .where(
        and(
          eq(users.id, match.user.id),
          eq(users.passwordHash, match.user.passwordHash),
          sql`${match.isOutdated ? 1 : 0}`,
        ),
      ),
    db.delete(sessions).where(eq(sessions.id, replacedId)),
  ])
  if (stored === undefined) return { outcome: 'invalid_credentials' }
  deps.log('signed_in', { userId: match.user.id })
  return { outcome: 'signed_in', user: viewUser(match.user), session }
}
