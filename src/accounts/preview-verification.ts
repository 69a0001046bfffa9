// What a link in a mail would do in this browser. Opening it changes nothing.

import { sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import type { Deps } from '../deps.ts'
import { preparedBatch, type Slots } from '../prepared-batch.ts'
import type { Claims } from '../signing/token.ts'
import { recordLinkOpened } from './link-opened.ts'
import { type MintedLink, mintedLink } from './retired-links.ts'
import { type SessionKey, sessionKeyOf } from './session-token.ts'
import { userOfSession } from './sessions.ts'
import { viewUnproven } from './user.ts'
import { ownerOrNewestClaim, type VerifyResult } from './verify-email.ts'

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
  const presented = await sessionKeyOf(presentedToken)
  const values = {
    ...mintedLink(claims, deps.config.VERIFY_TTL),
    linkUserId: claims.userId,
    now: deps.now(),
    ...presented,
  }
  const [[found]] = await deps.batch((isView ? view : look)(deps.db, values))
  if (found === undefined) return { outcome: 'not_found' }
  const { user } = found
  if (user.emailVerifiedAt !== null) {
    return { outcome: 'already_verified', user: viewUnproven(user, deps.config), session: null }
  }
  return { outcome: 'confirm_required', email: user.email, holdsClaim: found.holdsClaim === 1 }
}

type PreviewSlots = Slots<MintedLink & SessionKey & { linkUserId: string; now: number }>

function findOwner(db: DrizzleD1Database, slots: PreviewSlots) {
  // The session is live, and its claim or account is of the link's address.
  const holdsClaim = sql`exists (select 1 from users h where h.id = (${userOfSession(slots, slots.now)})
    and h.email_fingerprint = ${slots.fingerprint})`
  return ownerOrNewestClaim(db, slots, holdsClaim)
}

const look = preparedBatch((db, slots: PreviewSlots) => [findOwner(db, slots)])
const view = preparedBatch((db, slots: PreviewSlots) => [
  findOwner(db, slots),
  ...recordLinkOpened(db, slots.linkUserId, slots.now),
])
