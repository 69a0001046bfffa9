// Applying a change of address: the link proves the new mailbox, and the session or the password of the
// account proves that it is the account's owner who opened it. Without the second proof a typo would hand the
// account to whoever the mistyped address belongs to.

import { eq, type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { emailChanges, users } from '../schema.ts'
import type { Claims } from '../signing/token.ts'
import { keepVerified } from '../timeline/derived-events.ts'
import { recordEvent } from '../timeline/record.ts'
import { endSilence } from './disown.ts'
import { recordLinkOpened } from './link-opened.ts'
import { checkPassword } from './password-hash.ts'
import type { LinkPreview } from './preview-verification.ts'
import { retireLinks } from './retired-links.ts'
import { NOBODY, sessionKeyOf } from './session-token.ts'
import {
  type Access,
  type Client,
  createSession,
  giveSession,
  handOver,
  userOfSession,
} from './sessions.ts'
import { type UserRow, viewUnproven, viewUser } from './user.ts'
import type { VerifyResult } from './verify-email.ts'

export type ApplyResult = VerifyResult | { readonly outcome: 'email_taken' } | StaleLink

/** The change was cancelled, replaced by a later one, or undone: told as `invalid`. */
export interface StaleLink {
  readonly outcome: 'invalid'
}

/**
 * What a change link would do in this browser. One round trip; nothing is written but that it was looked at.
 * @param deps capabilities
 * @param link genuine
 * @param presentedToken the session token that came with the request
 * @param isView whether somebody looks at it: not so for HEAD
 * @throws Outage
 */
export async function previewEmailChange(
  deps: Deps,
  link: Claims,
  presentedToken: string | null,
  isView: boolean,
): Promise<LinkPreview | StaleLink> {
  const holder = userOfSession(await sessionKeyOf(presentedToken), deps.now())
  const [[found]] = await deps.batch([
    deps.db
      .select({ user: users, isHolder: sql<number>`users.id is (${holder})`.as('is_holder') })
      .from(users)
      .where(eq(users.id, link.userId)),
    ...(isView ? recordLinkOpened(deps.db, link.userId, deps.now()) : []),
  ])
  if (found === undefined) return { outcome: 'not_found' }
  const { user } = found
  if (isApplied(user, link)) {
    return { outcome: 'already_verified', user: viewUnproven(user, deps.config), session: null }
  }
  if (user.generation !== link.generation || user.pendingEmail === null) return stale(deps, link)
  return {
    outcome: 'confirm_required',
    email: user.pendingEmail,
    holdsClaim: found.isHolder === 1,
  }
}

/**
 * Applies a change with the session of the account: one round trip.
 * @param deps capabilities
 * @param link genuine
 * @param presentedToken the session token that came with the request, or null
 * @throws Outage
 */
export async function applyBySession(
  deps: Deps,
  link: Claims,
  presentedToken: string | null,
): Promise<ApplyResult> {
  const rotate = await sessionKeyOf(presentedToken)
  const account = sql`(${userOfSession(rotate, deps.now())})`
  return applyChange(deps, link, account, { rotate })
}

/**
 * Applies a change with the password of the account, on any device: one read, one hash, one batch.
 * @param deps capabilities
 * @param link genuine
 * @param input the password and where the session begins
 * @throws Outage
 */
export async function applyByPassword(
  deps: Deps,
  link: Claims,
  input: { readonly password: string; readonly client: Client },
): Promise<ApplyResult> {
  const [[user]] = await deps.batch([deps.db.select().from(users).where(eq(users.id, link.userId))])
  if (user === undefined) return { outcome: 'not_found' }
  const computed = await deps.hashPassword(input.password, user.email)
  const check = await checkPassword(user.passwordHash, computed, input.password)
  const account =
    check === 'mismatch'
      ? sql`(select null)`
      : sql`(select id from users where id = ${user.id} and generation = ${user.generation})`
  // Nor does a wrong password get the session of who applies the change at the same moment.
  const access = check === 'mismatch' ? { rotate: NOBODY } : { begin: input.client }
  return applyChange(deps, link, account, access)
}

async function applyChange(
  deps: Deps,
  link: Claims,
  account: SQL,
  access: Access,
): Promise<ApplyResult> {
  const { db } = deps
  const now = deps.now()
  const session = await createSession(deps)
  const change = sql`(select id from email_changes where user_id = ${link.userId}
    and to_fingerprint = ${link.addressFingerprint} and to_email = users.pending_email
    order by created_at desc, id desc limit 1)`
  const taken = sql`select 1 from users o where o.email = users.pending_email
    and o.email_verified_at is not null and o.id <> users.id`
  const mayChange = sql`id = ${link.userId} and id = ${account} and generation = ${link.generation}
    and pending_email is not null and ${change} is not null and not exists (${taken})`
  const applied = sql`select id from users where id = ${link.userId}
    and email_fingerprint = ${link.addressFingerprint} and generation = ${link.generation + 1}
    and email_verified_at = ${now}`

  const [[before], , [changed], , , , , , [signedIn]] = await deps.batch([
    db
      .select({
        id: users.id,
        isProven: sql<number>`${users.id} is ${account}`.as('is_proven'),
        email: users.email,
        emailFingerprint: users.emailFingerprint,
        emailVerifiedAt: users.emailVerifiedAt,
        pendingEmail: users.pendingEmail,
        generation: users.generation,
      })
      .from(users)
      .where(eq(users.id, link.userId)),
    keepVerified(db, sql`(select id from users where ${mayChange})`),
    db
      .update(users)
      .set({
        email: sql`pending_email`,
        emailFingerprint: link.addressFingerprint,
        passwordHash: sql`(select to_password_hash from email_changes where id = ${change})`,
        emailVerifiedAt: now,
        verifiedBy: null, // the event of the change tells it
        pendingEmail: null,
        generation: sql`${users.generation} + 1`,
      })
      .where(mayChange)
      .returning(),
    // Straight after the update, whose rows `changes()` counts.
    db.delete(users).where(
      sql`changes() = 1 and email_fingerprint = ${link.addressFingerprint}
          and email_verified_at is null`,
    ),
    recordEvent(db, { userId: sql`(${applied})`, type: 'email_changed', at: now }),
    retireLinks(
      deps,
      sql`select c.from_fingerprint from email_changes c
        where c.user_id = (${applied}) and c.to_fingerprint = ${link.addressFingerprint}
        order by c.created_at desc, c.id desc limit 1`,
    ),
    // Who comes back to an address has undone what led away from it: undo links of the way there die.
    db.delete(emailChanges).where(
      sql`user_id = (${applied}) and created_at >= (select min(c.created_at) from email_changes c
        where c.user_id = ${link.userId} and c.from_fingerprint = ${link.addressFingerprint})`,
    ),
    endSilence(deps.db, applied),
    giveSession(db, session, applied, access, now),
  ])

  if (changed !== undefined) {
    deps.log('email_changed', { userId: changed.id, email: changed.email })
    return {
      outcome: 'verified',
      user: viewUser(changed, deps.config),
      session: signedIn === undefined ? null : handOver(session, signedIn.userId),
    }
  }
  if (before === undefined) return { outcome: 'not_found' }
  if (isApplied(before, link)) {
    return { outcome: 'already_verified', user: viewUnproven(before, deps.config), session: null }
  }
  if (before.generation !== link.generation || before.pendingEmail === null) {
    return stale(deps, link)
  }
  if (before.isProven !== 1) {
    deps.log('proof_refused', { userId: before.id })
    return { outcome: 'proof_required', email: before.pendingEmail }
  }
  // Whoever gets here has proven the new mailbox: it is theirs to know.
  deps.log('email_change_refused', { userId: before.id, reason: 'taken' })
  return { outcome: 'email_taken' }
}

/** A second click on a link that has done its work. */
function isApplied(
  user: Pick<UserRow, 'emailFingerprint' | 'emailVerifiedAt'>,
  link: Claims,
): boolean {
  return user.emailVerifiedAt !== null && user.emailFingerprint === link.addressFingerprint
}

function stale(deps: Deps, link: Claims): StaleLink {
  deps.log('invalid_token', { userId: link.userId, reason: 'state' })
  return { outcome: 'invalid' }
}
