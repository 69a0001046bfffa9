// The moment the product exists for. A link proves the mailbox; the session of the browser that registered,
// or the password typed there, proves the claim. Both together make the address theirs, and every rival
// claim on it goes in the same transaction.
//
// Attacks this stops: whoever registers your address first cannot have *his* row verified by your click
// (you have neither his session nor his password), and a link scanner verifies nothing whatever it opens,
// runs or posts.

import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import type { Deps } from '../deps.ts'
import { type Givens, preparedBatch, type Slots } from '../prepared-batch.ts'
import { users } from '../schema.ts'
import type { Claims } from '../signing/token.ts'
import { endSilence } from './disown.ts'
import { recordLinkOpened } from './link-opened.ts'
import { findByPassword } from './password-match.ts'
import { isNotRetired, type MintedLink, mintedLink } from './retired-links.ts'
import { NOBODY, sessionKeyOf } from './session-token.ts'
import {
  type Access,
  type Client,
  createSession,
  giveSession,
  handOver,
  type NewSession,
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
  const presented = await sessionKeyOf(presentedToken)
  if (presented === NOBODY) {
    // Nothing to prove it by, and nothing to write.
    const [[known]] = await deps.batch(
      readLinkOwner(deps.db, mintedLink(claims, deps.config.VERIFY_TTL)),
    )
    return notVerifiedNow(deps, known?.user, null)
  }
  const { userId, id: presentedId } = presented
  return applyProof(deps, claims, 'session', (values) =>
    deps.batch(proveBySession(deps.db, { ...values, userId, presentedId })),
  )
}

/**
 * Confirms with nothing but the link, for `VERIFY_MODE=click`: the claim that this browser holds on the
 * address, else the one the link was minted for. It signs nobody in, or a victim's click would land them in an
 * account whose password a stranger chose; a session that already belongs to the claim is rotated.
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
  const presented = await sessionKeyOf(presentedToken)
  const own = sql`(select id from users where id = (${userOfSession(presented, deps.now())})
    and email_fingerprint = ${claims.addressFingerprint})`
  const claim = sql`coalesce(${own}, ${claims.userId})`
  return applyProof(deps, claims, 'click', (values) =>
    deps.batch([
      ...proofStatements(deps.db, values, { by: 'click', claim, session: { rotate: presented } }),
      ...recordLinkOpened(deps.db, claims.userId, values.now),
    ]),
  )
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
  const onlyIf = isNotRetired(mintedLink(claims, deps.config.VERIFY_TTL))
  const { addressFingerprint } = claims
  const rows = await findByPassword(deps, addressFingerprint, input.password, { onlyIf })
  const { match, owner } = rows
  const known = owner ?? rows.claims[0]
  if (known === undefined) return { outcome: 'not_found' }
  if (owner !== null && match?.user.id !== owner.id) return alreadyVerified(deps, owner, null)
  if (match === null) return refuseProof(deps, known)
  const claim = sql`(select id from users where id = ${match.user.id}
    and password_hash = ${match.user.passwordHash})`
  const session = { begin: input.client }
  return applyProof(deps, claims, 'password', (values) =>
    deps.batch(proofStatements(deps.db, values, { by: 'password', claim, session })),
  )
}

/** How the claim was proven, and what becomes of sessions. */
interface Proof {
  readonly by: 'session' | 'password' | 'click'
  /** Yields the id of the proven claim, or nothing. */
  readonly claim: SQL
  readonly session: Access
}

/** What every proof takes: the instant, the link, and the session that comes of it. */
interface ProofValues extends MintedLink {
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly sessionId: string
  readonly expiresAt: number
}

/**
 * One transaction. `changes()` is the number of rows that the statement just before it changed (SQLite), so
 * the rivals, which the statement after the update ends, go only if the update happened: of twenty concurrent
 * confirms exactly one goes through. The partial unique index stands behind it.
 */
function proofStatements(db: DrizzleD1Database, values: Givens<ProofValues>, proof: Proof) {
  const { now, fingerprint } = values
  const verifiedUser = sql`select id from users where id = ${proof.claim}
    and email_fingerprint = ${fingerprint} and email_verified_at is not null
    and ${isNotRetired(values)}`
  return [
    db
      .update(users)
      .set({ emailVerifiedAt: sql`${now}`, verifiedBy: proof.by })
      .where(
        sql`id = ${proof.claim} and email_fingerprint = ${fingerprint} and email_verified_at is null
          and not exists (select 1 from users o
            where o.email = users.email and o.email_verified_at is not null)
          and ${isNotRetired(values)}`,
      )
      .returning(),
    db
      .delete(users)
      .where(
        sql`changes() = 1 and email_fingerprint = ${fingerprint} and email_verified_at is null`,
      ),
    endSilence(db, verifiedUser),
    giveSession(
      db,
      { id: values.sessionId, expiresAt: values.expiresAt },
      verifiedUser,
      proof.session,
      now,
    ),
    ownerOrNewestClaim(db, values, sql`0`),
  ] as const
}

/** What comes back of {@link proofStatements}, and of what is run after them. */
type ProofRows = readonly [
  UserRow[],
  unknown,
  unknown,
  { readonly userId: string }[],
  { readonly user: UserRow }[],
  ...unknown[],
]

const proveBySession = preparedBatch(
  (db, slots: Slots<ProofValues & { userId: string; presentedId: string }>) => {
    const presented = { userId: slots.userId, id: slots.presentedId }
    return proofStatements(db, slots, {
      by: 'session',
      claim: sql`(${userOfSession(presented, slots.now)})`,
      session: { rotate: presented },
    })
  },
)

const readLinkOwner = preparedBatch((db, slots: Slots<MintedLink>) => [
  ownerOrNewestClaim(db, slots, sql`0`),
])

async function applyProof(
  deps: Deps,
  claims: Claims,
  by: Proof['by'],
  run: (values: ProofValues) => Promise<ProofRows>,
): Promise<VerifyResult> {
  const session = await createSession(deps)
  const [[verified], , , [signedIn], [known]] = await run({
    ...mintedLink(claims, deps.config.VERIFY_TTL),
    now: deps.now(),
    sessionId: session.id,
    expiresAt: session.expiresAt,
  })

  const rotated = signedIn === undefined ? null : handOver(session, signedIn.userId)
  if (verified !== undefined) {
    deps.log('verified', { userId: verified.id, email: verified.email, reason: by })
    return {
      outcome: 'verified',
      user: viewUser(verified, deps.config),
      session: rotated,
    }
  }
  return notVerifiedNow(deps, known?.user, rotated)
}

/** What is told where this request did not verify the address. */
function notVerifiedNow(
  deps: Pick<Deps, 'log' | 'config'>,
  known: UserRow | undefined,
  session: NewSession | null,
): VerifyResult {
  if (known === undefined) return { outcome: 'not_found' }
  if (known.emailVerifiedAt === null) return refuseProof(deps, known)
  return alreadyVerified(deps, known, session)
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

/**
 * A statement for the row that owns a link's address, or else the newest claim on it; none for a link that was
 * retired.
 * @param db builds the statement
 * @param link genuine
 * @param held whether whoever asks holds a claim on it: an expression, 1 or 0
 */
export function ownerOrNewestClaim(db: DrizzleD1Database, link: Givens<MintedLink>, held: SQL) {
  return db
    .select({ user: users, holdsClaim: sql<number>`${held}`.as('holds_claim') })
    .from(users)
    .where(and(eq(users.emailFingerprint, link.fingerprint), isNotRetired(link)))
    .orderBy(sql`${users.emailVerifiedAt} is null`, desc(users.createdAt))
    .limit(1)
}
