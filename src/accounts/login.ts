// Sign-in by address and password: one read, one hash, one write, for every kind of address.

import { and, eq, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { mailSubjects } from '../limits/policies.ts'
import { insertMessageWithinLimit, newSlip } from '../mail/outbox.ts'
import { type Locale, sessions, users } from '../schema.ts'
import { recordEvent } from '../timeline/record.ts'
import { addressFingerprint } from './email-address.ts'
import { findByPassword } from './password-match.ts'
import { NOBODY, sessionKeyOf } from './session-token.ts'
import {
  type Client,
  createSession,
  handOver,
  insertSession,
  isSession,
  type NewSession,
} from './sessions.ts'
import { type UserRow, type UserView, viewUser } from './user.ts'

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
    readonly locale: Locale
  },
): Promise<LoginResult> {
  const { db } = deps
  const now = deps.now()
  const found = await findByPassword(deps, await addressFingerprint(input.email), input.password, {
    email: input.email,
  })
  const match = found.match
  if (match === null) {
    deps.log('sign_in_refused', { email: input.email })
    return { outcome: 'invalid_credentials' }
  }

  if (deps.config.LOGIN_REQUIRES_VERIFIED && match.user.emailVerifiedAt === null) {
    return {
      outcome: 'email_not_verified',
      messageId: await mailFreshLink(deps, match.user, input),
    }
  }

  const [session, replaced] = await Promise.all([
    createSession(deps),
    sessionKeyOf(input.presentedToken),
  ])
  const { user, isOutdated, currentHash } = match
  const [[stored]] = await deps.batch([
    // Guarded by the hash that was checked: the password may have changed, or the claim gone, since the read.
    insertSession(
      db,
      session,
      sql`select id from users where id = ${user.id} and password_hash = ${user.passwordHash}`,
      input.client,
      now,
    ),
    recordEvent(db, { userId: user.id, type: 'signed_in', at: now, onlyIf: sql`changes() = 1` }),
    ...(isOutdated
      ? [
          db
            .update(users)
            .set({ passwordHash: currentHash })
            .where(and(eq(users.id, user.id), eq(users.passwordHash, user.passwordHash))),
        ]
      : []),
    ...(replaced === NOBODY ? [] : [db.delete(sessions).where(isSession(replaced))]),
  ])
  if (stored === undefined) return { outcome: 'invalid_credentials' }
  deps.log('signed_in', { userId: user.id })
  return {
    outcome: 'signed_in',
    user: viewUser(user, deps.config),
    session: handOver(session, user.id),
  }
}

/** Within the limits of whatever sends mail: per IP by KV, per address by D1. */
async function mailFreshLink(
  deps: Deps,
  user: UserRow,
  input: { readonly client: Client; readonly locale: Locale },
): Promise<string | null> {
  const gate = await deps.counters.check(mailSubjects(deps.config, input.client.ip))
  if (gate.refusedBy !== null) {
    deps.log('resend_limited', { userId: user.id, policy: gate.refusedBy.policy.name })
    return null
  }
  const now = deps.now()
  const [[[message]]] = await Promise.all([
    deps.batch([
      insertMessageWithinLimit(deps.db, newSlip(deps), {
        kind: 'verify_email',
        locale: input.locale,
        toEmail: user.email,
        recipient: sql`${user.id}`,
      }),
      recordEvent(deps.db, { userId: user.id, type: 'resend_requested', at: now, detail: 'login' }),
    ]),
    gate.charge(),
  ])
  deps.log('resend_requested', { userId: user.id, email: user.email })
  if (message?.id === null) deps.log('resend_limited', { userId: user.id, email: user.email })
  return message?.id ?? null
}
