// The moment the product exists for. A link proves the mailbox; the session of the browser that registered,
// or the password typed there, proves the claim. Both together make the address theirs, and every rival
// claim on it goes in the same transaction.
//
// Attacks this stops: whoever registers your address first cannot have *his* row verified by your click
// (you have neither his session nor his password), and a link scanner verifies nothing whatever it opens,
// runs or posts.

import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { users } from '../schema.ts'
import type { Claims } from '../signing/token.ts'
import { recordEvent } from '../timeline/record.ts'
import { endSilence } from './disown.ts'
import { recordLinkOpened } from './link-opened.ts'
import { findByPassword } from './password-match.ts'
import { isNotRetired } from './retired-links.ts'
import {
  type Access,
  type Client,
  createSession,
  giveSession,
  type NewSession,
  sessionIdOf,
  userOfSession,
} from './sessions.ts'
import { type UserRow, type UserView, viewUnproven, viewUser } from './user.ts'

export type VerifyResult =
  | { readonly outcome: 'verified'; readonly user: UserView; readonly session: NewSession | null }
  | {
      readonly outcome: 'already_verified'
      readonly user: UserView
      /** Only for a client that proved it is the owner's. */
      readonly session: NewSession | null
    }
  | { readonly outcome: 'proof_required'; readonly email: string }
  | { readonly outcome: 'not_found' }

/** What opening a link shows, and nothing more: it changes nothing. */
export type LinkPreview =
  | {
      readonly outcome: 'confirm_required'
      readonly email: string
      /** Whether this browser holds a claim on the address, so that no password is needed. */
      readonly holdsClaim: boolean
    }
  | Extract<VerifyResult, { outcome: 'already_verified' | 'not_found' }>

/**
 * What a link would do in this browser. One round trip; nothing is written but that it was looked at.
 * @param deps D1 and the clock
 * @param claims from a genuine link
 * @param presentedToken the session token that came with the request
 * @param isView whether somebody looks at it: not so for HEAD
 * @throws Outage
 */
export async function previewVerification(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'config'>,
  claims: Claims,
  presentedToken: string | null,
  isView: boolean,
): Promise<LinkPreview> {
  const sessionId = await sessionIdOf(presentedToken)
  const [[row], [held]] = await deps.batch([
    ownerOrNewestClaim(deps, claims),
    deps.db
      .select({ id: users.id, emailFingerprint: users.emailFingerprint })
      .from(users)
      .where(eq(users.id, sql`(${userOfSession(sessionId, deps.now())})`)),
    ...(isView ? [recordLinkOpened(deps, claims)] : []),
  ])
  if (row === undefined) return { outcome: 'not_found' }
  if (row.emailVerifiedAt !== null) {
    return { outcome: 'already_verified', user: viewUnproven(row, deps.config), session: null }
  }
  return {
    outcome: 'confirm_required',
    email: row.email,
    holdsClaim: held?.emailFingerprint === claims.addressFingerprint,
  }
}

/**
 * Confirms with the session of the browser that registered: one round trip.
 * @param deps capabilities
 * @param claims from a genuine link
 * @param presentedToken the session token that came with the request, or null
 * @throws Outage
 */
export async function verifyBySession(
  deps: Deps,
  claims: Claims,
  presentedToken: string | null,
): Promise<VerifyResult> {
  const sessionId = await sessionIdOf(presentedToken)
  return applyProof(deps, claims, {
    by: 'session',
    claim: sql`(${userOfSession(sessionId, deps.now())})`,
    session: { rotate: sessionId },
  })
}

/**
 * Confirms with nothing but the link, for `VERIFY_MODE=click`: the claim that this browser holds on the
 * address, else the one the link was minted for. It signs nobody
 * in, or a victim's click would land them in an account whose password a stranger chose; a session that
 * already belongs to the claim is rotated.
 * @param deps capabilities
 * @param claims from a genuine link
 * @param presentedToken the session token that came with the request, or null
 * @throws Outage
 */
export async function verifyByClick(
  deps: Deps,
  claims: Claims,
  presentedToken: string | null,
): Promise<VerifyResult> {
  const sessionId = await sessionIdOf(presentedToken)
  const own = sql`(select id from users where id = (${userOfSession(sessionId, deps.now())})
    and email_fingerprint = ${claims.addressFingerprint})`
  return applyProof(deps, claims, {
    by: 'click',
    claim: sql`coalesce(${own}, ${claims.userId})`,
    session: { rotate: sessionId },
  })
}

/**
 * Confirms with the password typed at registration, on any device: one read, one hash, one batch. It also
 * signs in.
 * @param deps capabilities
 * @param claims from a genuine link
 * @param input the password and where the session begins
 * @throws Outage
 */
export async function verifyByPassword(
  deps: Deps,
  claims: Claims,
  input: { readonly password: string; readonly client: Client },
): Promise<VerifyResult> {
  // A link that was retired finds nobody.
  const onlyIf = isNotRetired(claims, deps.config.VERIFY_TTL)
  const { addressFingerprint } = claims
  const rows = await findByPassword(deps, addressFingerprint, input.password, { onlyIf })
  const { match, owner } = rows
  const known = owner ?? rows.claims[0]
  if (known === undefined) return { outcome: 'not_found' }
  if (owner !== null && match?.user.id !== owner.id) return alreadyVerified(deps, owner, null)
  if (match === null) return refuseProof(deps, known)
  return applyProof(deps, claims, {
    by: 'password',
    claim: sql`(select id from users where id = ${match.user.id}
      and password_hash = ${match.user.passwordHash})`,
    session: { begin: input.client },
  })
}

/** How the claim was proven, and what becomes of sessions. */
interface Proof {
  readonly by: 'session' | 'password' | 'click'
  /** Yields the id of the proven claim, or nothing. */
  readonly claim: SQL
  readonly session: Access
}

/**
 * One transaction. `changes()` is the number of rows that the statement just before it changed (SQLite), so
 * the event and the end of the rivals happen only if the update did: of twenty concurrent confirms exactly
 * one goes through. The partial unique index stands behind it.
 */
async function applyProof(deps: Deps, claims: Claims, proof: Proof): Promise<VerifyResult> {
  const { db } = deps
  const now = deps.now()
  const session = await createSession(deps)
  const fingerprint = claims.addressFingerprint
  const verifiedUser = sql`select id from users where id = ${proof.claim}
    and email_fingerprint = ${fingerprint} and email_verified_at is not null
    and ${isNotRetired(claims, deps.config.VERIFY_TTL)}`

  const [[verified], , , , [signedIn], [known]] = await deps.batch([
    db
      .update(users)
      .set({ emailVerifiedAt: now })
      .where(
        sql`id = ${proof.claim} and email_fingerprint = ${fingerprint} and email_verified_at is null
          and not exists (select 1 from users o
            where o.email = users.email and o.email_verified_at is not null)
          and ${isNotRetired(claims, deps.config.VERIFY_TTL)}`,
      )
      .returning(),
    recordEvent(db, {
      userId: proof.claim,
      type: 'verified',
      at: now,
      detail: proof.by,
      onlyIf: sql`changes() = 1`,
    }),
    db
      .delete(users)
      .where(
        sql`changes() = 1 and email_fingerprint = ${fingerprint} and email_verified_at is null`,
      ),
    endSilence(deps, verifiedUser),
    giveSession(deps, session, verifiedUser, proof.session),
    ownerOrNewestClaim(deps, claims),
    ...(proof.by === 'click' ? [recordLinkOpened(deps, claims)] : []),
  ])

  if (known === undefined) return { outcome: 'not_found' }
  if (verified !== undefined) {
    deps.log('verified', { userId: verified.id, email: verified.email, reason: proof.by })
    return {
      outcome: 'verified',
      user: viewUser(verified, deps.config),
      session: signedIn ? session : null,
    }
  }
  if (known.emailVerifiedAt === null) return refuseProof(deps, known)
  return alreadyVerified(deps, known, signedIn ? session : null)
}

function alreadyVerified(
  deps: Pick<Deps, 'log' | 'config'>,
  owner: UserRow,
  session: NewSession | null,
): VerifyResult {
  deps.log('already_verified', { userId: owner.id })
  const view = session === null ? viewUnproven : viewUser
  return { outcome: 'already_verified', user: view(owner, deps.config), session }
}

function refuseProof(deps: Pick<Deps, 'log'>, known: UserRow): VerifyResult {
  deps.log('proof_refused', { email: known.email })
  return { outcome: 'proof_required', email: known.email }
}

/** The row that owns the address, or else the newest claim on it; none for a link that was retired. */
function ownerOrNewestClaim(deps: Pick<Deps, 'db' | 'config'>, claims: Claims) {
  return deps.db
    .select()
    .from(users)
    .where(
      and(
        eq(users.emailFingerprint, claims.addressFingerprint),
        isNotRetired(claims, deps.config.VERIFY_TTL),
      ),
    )
    .orderBy(sql`${users.emailVerifiedAt} is null`, desc(users.createdAt))
    .limit(1)
}
