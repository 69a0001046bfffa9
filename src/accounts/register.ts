// Registration: a claim on an address, never a check whether it is taken.

import { and, eq, ne, or, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { insertMessageWithinLimit, newSlip } from '../mail/outbox.ts'
import { type Locale, sessions, users } from '../schema.ts'
import { recordEvent } from '../timeline/record.ts'
import { endSilenceOf } from './disown.ts'
import { addressFingerprint } from './email-address.ts'
import { NOBODY, sessionKeyOf } from './session-token.ts'
import {
  type Client,
  createSession,
  handOver,
  insertSession,
  isSession,
  type NewSession,
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
  const [passwordHash, fingerprint, presented, session] = await Promise.all([
    deps.hashPassword(input.password, email),
    addressFingerprint(email),
    sessionKeyOf(input.presentedToken),
    createSession(deps),
  ])
  const id = deps.newId()
  const slip = newSlip(deps)
  const heldClaim = sql`(select c.id from users c where c.id = (${userOfSession(presented, now)})
    and c.email = ${email} and c.email_verified_at is null)`
  // What is left out below depends on whether a session was presented, never on what is stored: the work must not tell.
  const mayHoldClaim = presented !== NOBODY
  const claim = mayHoldClaim ? sql`coalesce(${heldClaim}, ${id})` : sql`${id}`

  const statements = [
    db
      .insert(users)
      // A new claim names its mail at once, which saves the row a second write; one that is renewed keeps what it names
      // until the mail is there. `where true` keeps SQLite from reading `on conflict` as a join constraint.
      .select(
        sql`select ${claim}, ${email}, ${fingerprint}, ${passwordHash},
          null, null, 0, ${now}, null, null, ${slip.messageId} where true`,
      )
      .onConflictDoUpdate({
        target: users.id,
        set: { passwordHash, createdAt: now, generation: sql`${users.generation} + 1` },
      })
      .returning(),
    insertSession(db, session, claim, input.client, now),
    insertMessageWithinLimit(db, slip, {
      kind: 'verify_email',
      locale: input.locale,
      toEmail: email,
      recipient: claim,
    }),
    ...(mayHoldClaim
      ? [
          db.delete(sessions).where(
            and(
              eq(sessions.userId, presented.userId),
              ne(sessions.id, session.id),
              // The new session beside it says that this claim was renewed.
              or(
                isSession(presented),
                sql`exists (select 1 from sessions n
                  where n.user_id = ${presented.userId} and n.id = ${session.id})`,
              ),
            ),
          ),
        ]
      : []),
    ...(input.endsSilence ? [endSilenceOf(db, email)] : []),
  ] as const
  async function runKeepingEarlierStart() {
    // The row says when its claim began; when an earlier one did is kept before it is overwritten.
    const earlier = { userId: heldClaim, type: 'registered', at: sql`u.created_at` } as const
    const [, ...written] = await deps.batch([recordEvent(db, earlier), ...statements])
    return written
  }
  const [[user], , [message]] = await (mayHoldClaim
    ? runKeepingEarlierStart()
    : deps.batch(statements))
  if (user === undefined) throw new Error('an upsert returned no row')

  deps.log('registered', { userId: user.id, email })
  return {
    user: viewUser(user, deps.config),
    session: handOver(session, user.id),
    messageId: message?.id ?? null,
  }
}
