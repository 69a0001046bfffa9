// Mailing an address again that was silenced: by a bounce, a complaint, or its owner's wish.

import { inArray, sql } from 'drizzle-orm'
import { addressFingerprint } from '../accounts/email-address.ts'
import type { Deps } from '../deps.ts'
import { type SuppressionReason, suppressions, users } from '../schema.ts'
import { type Action, logSupport, recordSupport } from './record-support.ts'

export type LiftResult =
  | { readonly outcome: 'lifted'; readonly reasons: readonly SuppressionReason[] }
  | { readonly outcome: 'not_suppressed' | 'not_found' }

/**
 * Lifts what lies on a user's address and on the pending one. One round trip.
 * @param deps capabilities
 * @param userId whose
 * @param action who, and why
 * @throws Outage
 */
export async function liftSuppressionOfUser(
  deps: Deps,
  userId: string,
  action: Action,
): Promise<LiftResult> {
  const own = sql`(select email from users where id = ${userId}
    union select pending_email from users where id = ${userId})`
  const [[user], lifted] = await deps.batch([
    deps.db.select({ id: users.id }).from(users).where(sql`id = ${userId}`),
    deps.db
      .delete(suppressions)
      .where(inArray(suppressions.email, own))
      .returning({ reason: suppressions.reason }),
    recordSupport(
      deps,
      { userId, type: 'support_lifted_suppression', onlyIf: sql`changes() > 0` },
      action,
    ),
  ])
  if (user === undefined) return { outcome: 'not_found' }
  return told(deps, action, { userId }, lifted)
}

/**
 * Lifts what lies on an address, whether or not it has users; those it has find it in their timelines. One round
 * trip.
 * @param deps capabilities
 * @param email canonical
 * @param action who, and why
 * @throws Outage
 */
export async function liftSuppressionOfAddress(
  deps: Deps,
  email: string,
  action: Action,
): Promise<LiftResult> {
  const fingerprint = await addressFingerprint(email)
  const [lifted] = await deps.batch([
    deps.db
      .delete(suppressions)
      .where(sql`email = ${email}`)
      .returning({ reason: suppressions.reason }),
    recordSupport(
      deps,
      {
        // Not one id but all of the address: the condition does the choosing.
        userId: sql`u.id`,
        type: 'support_lifted_suppression',
        onlyIf: sql`u.email_fingerprint = ${fingerprint} and changes() > 0`,
      },
      action,
    ),
  ])
  return told(deps, action, { email }, lifted)
}

function told(
  deps: Deps,
  action: Action,
  about: { userId?: string; email?: string },
  lifted: readonly { reason: SuppressionReason }[],
): LiftResult {
  if (lifted.length === 0) return { outcome: 'not_suppressed' }
  logSupport(deps, 'support_lifted_suppression', action, about)
  return { outcome: 'lifted', reasons: lifted.map(({ reason }) => reason) }
}
