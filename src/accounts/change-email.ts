// Asking for another address. Whether the new one is known to us is never looked at here, so nothing can be
// learned; it is decided when the change is applied, by who has proven the new mailbox.

import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { insertMessageWithinLimit, newSlip } from '../mail/outbox.ts'
import { emailChanges, type Locale, type MessageKind, users } from '../schema.ts'
import { recordEvent } from '../timeline/record.ts'
import { addressFingerprint } from './email-address.ts'
import { checkPassword } from './password-hash.ts'
import { NOBODY, sessionKeyOf } from './session-token.ts'
import { type SignedIn, userOfSession } from './sessions.ts'
import type { UserRow } from './user.ts'

export type ChangeEmailResult =
  | {
      readonly outcome: 'confirmation_sent'
      readonly messageIds: readonly string[]
    }
  | { readonly outcome: 'invalid_credentials' }
  | { readonly outcome: 'unchanged' }

/**
 * Begins a change of address; the password is asked.
 *
 * - A claim has proven nothing yet: its address is simply replaced (a typo is mended), and the new one gets
 *   the verification link.
 * - For an account the new address is pending: it gets a link, the old one a notice with an undo link. What
 *   that means for the account meanwhile is the policy's affair (see `countsAsVerified`). The account keeps
 *   owning its address until the change is applied, or a typo would hand it to a stranger.
 *
 * Of two changes at once the later one is pending, and only its link names the pending address. Reset links
 * stay alive: whoever knows the password must not be able to cut off who does not.
 * @param deps capabilities
 * @param signedIn who asks
 * @param input canonical new address, password as typed, language of who asks
 * @throws Outage
 */
export async function changeEmail(
  deps: Deps,
  { user }: SignedIn,
  input: { readonly newEmail: string; readonly password: string; readonly locale: Locale },
): Promise<ChangeEmailResult> {
  const computed = await deps.hashPassword(input.password, user.email)
  const check = await checkPassword(user.passwordHash, computed, input.password)
  if (check === 'mismatch') return { outcome: 'invalid_credentials' }
  if (input.newEmail === user.email) return { outcome: 'unchanged' }

  const [fingerprint, passwordHash] = await Promise.all([
    addressFingerprint(input.newEmail),
    deps.hashPassword(input.password, input.newEmail),
  ])
  const next = { ...input, fingerprint, passwordHash }
  const messageIds =
    user.emailVerifiedAt === null
      ? await replaceAtOnce(deps, user, next)
      : await makePending(deps, user, next)
  if (messageIds === null) return { outcome: 'invalid_credentials' } // changed elsewhere meanwhile
  deps.log('email_change_requested', { userId: user.id, email: input.newEmail })
  return { outcome: 'confirmation_sent', messageIds }
}

/**
 * Cancels a pending change; its link dies. Cancelling none is no error.
 * @param deps capabilities
 * @param presentedToken the session token
 * @returns false where nobody is signed in
 * @throws Outage
 */
export async function cancelEmailChange(deps: Deps, presentedToken: string): Promise<boolean> {
  const key = await sessionKeyOf(presentedToken)
  if (key === NOBODY) return false
  const now = deps.now()
  const user = sql`(${userOfSession(key, now)})`
  const [[found], cancelled] = await deps.batch([
    deps.db.select({ id: users.id }).from(users).where(eq(users.id, user)),
    deps.db
      .update(users)
      .set({ pendingEmail: null })
      .where(sql`id = ${user} and pending_email is not null`)
      .returning({ id: users.id }),
    recordEvent(deps.db, {
      userId: user,
      type: 'email_change_cancelled',
      at: now,
      onlyIf: sql`changes() = 1`,
    }),
  ])
  if (cancelled.length > 0) deps.log('email_change_cancelled', { userId: found?.id ?? null })
  return found !== undefined
}

interface NextAddress {
  readonly newEmail: string
  readonly locale: Locale
  readonly fingerprint: string
  readonly passwordHash: string
}

async function makePending(deps: Deps, user: UserRow, next: NextAddress): Promise<string[] | null> {
  const done = sql`(select id from users where id = ${user.id} and pending_email = ${next.newEmail}
    and password_hash = ${user.passwordHash})`
  const [[changed], , [link], [notice]] = await deps.batch([
    deps.db
      .update(users)
      .set({ pendingEmail: next.newEmail })
      .where(stillAs(user))
      .returning({ id: users.id }),
    keepForUndo(deps, user, next, done),
    linkTo(deps, 'change_email', next, done),
    noticeTo(deps, user, next, done),
    recordEvent(deps.db, { userId: done, type: 'email_change_requested', at: deps.now() }),
  ])
  return changed === undefined ? null : idsOf(link, notice)
}

/** A claim has proven nothing, and nothing of it is kept: the mistyped address is a stranger's, or nobody's. */
async function replaceAtOnce(
  deps: Deps,
  user: UserRow,
  next: NextAddress,
): Promise<string[] | null> {
  const done = sql`(select id from users where id = ${user.id} and email = ${next.newEmail}
    and password_hash = ${next.passwordHash})`
  const [[changed], , [link], [twin]] = await deps.batch([
    deps.db
      .update(users)
      .set({
        email: next.newEmail,
        emailFingerprint: next.fingerprint,
        passwordHash: next.passwordHash,
        createdAt: deps.now(),
        generation: sql`${users.generation} + 1`,
      })
      .where(stillAs(user))
      .returning({ id: users.id }),
    recordEvent(deps.db, {
      userId: user.id,
      type: 'email_change_requested',
      at: deps.now(),
      onlyIf: sql`changes() = 1`,
    }),
    linkTo(deps, 'verify_email', next, sql`select ${user.id} where changes() = 1`),
    deps.db.select({ id: users.id }).from(users).where(eq(users.id, done)),
  ])
  // The twin of a double submit finds the work done.
  if (changed === undefined) return twin === undefined ? null : []
  return idsOf(link)
}

/** What was checked still holds: the password, the address, and whether it is proven. */
function stillAs(user: UserRow) {
  return and(
    eq(users.id, user.id),
    eq(users.email, user.email),
    eq(users.passwordHash, user.passwordHash),
    sql`${users.emailVerifiedAt} is ${user.emailVerifiedAt}`,
  )
}

function keepForUndo(deps: Deps, user: UserRow, next: NextAddress, account: SQL) {
  return deps.db.insert(emailChanges).select(
    sql`select ${deps.newId()}, u.id, ${user.email}, ${user.emailFingerprint}, ${next.newEmail},
      ${next.fingerprint}, ${next.passwordHash}, ${deps.now()} from users u where u.id = ${account}`,
  )
}

function linkTo(deps: Deps, kind: MessageKind, next: NextAddress, account: SQL) {
  return insertMessageWithinLimit(deps.db, newSlip(deps), {
    kind,
    locale: next.locale,
    toEmail: next.newEmail,
    recipient: account,
  })
}

function noticeTo(deps: Deps, user: UserRow, next: NextAddress, account: SQL) {
  return insertMessageWithinLimit(deps.db, newSlip(deps), {
    kind: 'email_change_notice',
    locale: next.locale,
    toEmail: user.email,
    recipient: account,
  })
}

function idsOf(...messages: readonly ({ readonly id: string | null } | undefined)[]): string[] {
  return messages.flatMap((message) => message?.id ?? [])
}
