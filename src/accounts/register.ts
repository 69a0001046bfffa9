// Registration: a claim on an address, never a check whether it is taken.

import { and, eq, ne, or, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { insertMessageWithinLimit } from '../mail/outbox.ts'
import { type Locale, sessions, suppressions, users } from '../schema.ts'
import { recordEvent } from '../timeline/record.ts'
import { addressFingerprint } from './email-address.ts'
import {
  type Client,
  createSession,
  insertSession,
  type NewSession,
  sessionIdOf,
  userOfSession,
} from './sessions.ts'
import { type UserView, viewUser } from './user.ts'

export interface Registration {
  readonly user: UserView
  readonly session: NewSession
  /** The mail to enqueue, or null where the address is at its limit. The answer does not tell which. */
  readonly messageId: string | null
}

/**
 * Inserts a claim with a session and, if the address is within its limit, a verification mail: one hash and
 * one round trip, whatever is known of the address.
 *
 * A browser that already holds a claim on this address renews that claim instead of adding another, and its
 * older sessions end: the password may have changed.
 * @param deps capabilities
 * @param input canonical address, checked password, the session token that came with the request
 * @throws Outage
 */
export async function register(
  deps: Deps,
  input: {
    readonly email: string
    readonly password: string
    readonly presentedToken: string | null
    readonly client: Client
    readonly locale: Locale
    /** Set where the page of a disown link registers: its owner wants mail again. */
    readonly endsSilence?: boolean
  },
): Promise<Registration> {
  const { db } = deps
  const { email } = input
  const now = deps.now()
  const [passwordHash, fingerprint, presentedId, session] = await Promise.all([
    deps.hashPassword(input.password, email),
    addressFingerprint(email),
    sessionIdOf(input.presentedToken),
    createSession(deps),
  ])
  const id = deps.newId()
  const heldClaim = sql`(select c.id from users c where c.id = (${userOfSession(presentedId, now)})
    and c.email = ${email} and c.email_verified_at is null)`
  // Once the session is stored, it says which claim this is.
  const claim = sql`(select user_id from sessions where id = ${session.id})`

  const [[user], , [message]] = await deps.batch([
    db
      .insert(users)
      // `where true` keeps SQLite from reading `on conflict` as a join constraint.
      .select(
        sql`select coalesce(${heldClaim}, ${id}), ${email}, ${fingerprint}, ${passwordHash},
          null, null, 0, ${now} where true`,
      )
      .onConflictDoUpdate({
        target: users.id,
        set: { passwordHash, createdAt: now, generation: sql`${users.generation} + 1` },
      })
      .returning(),
    insertSession(deps, session, sql`select coalesce(${heldClaim}, ${id})`, input.client),
    insertMessageWithinLimit(deps, {
      kind: 'verify_email',
      locale: input.locale,
      toEmail: email,
      recipient: claim,
    }),
    recordEvent(db, { userId: claim, type: 'registered', at: now }),
    db
      .delete(sessions)
      .where(
        and(
          ne(sessions.id, session.id),
          or(eq(sessions.id, presentedId), eq(sessions.userId, claim)),
        ),
      ),
    db
      .delete(suppressions)
      .where(
        and(
          eq(suppressions.email, input.endsSilence ? email : ''),
          eq(suppressions.reason, 'disowned'),
        ),
      ),
  ])
  if (user === undefined) throw new Error('an upsert returned no row')

  deps.log('registered', { userId: user.id, email })
  return { user: viewUser(user, deps.config), session, messageId: message?.id ?? null }
}
