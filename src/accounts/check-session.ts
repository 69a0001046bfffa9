// The question that every gate asks, whichever door it comes through.

import type { Deps } from '../deps.ts'
import { findSession } from './sessions.ts'
import { type UserView, viewUser } from './user.ts'

export type CheckResult =
  | { readonly ok: true; readonly user: UserView }
  | { readonly ok: false; readonly error: 'not_signed_in' | 'email_not_verified' }

/**
 * Whether a session token lets its holder pass. One round trip.
 * @param deps D1, the clock, the configuration
 * @param token as presented, or null
 * @param mustBeVerified whether a session alone is not enough
 * @throws Outage
 */
export async function checkSession(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'config'>,
  token: string | null,
  mustBeVerified: boolean,
): Promise<CheckResult> {
  const signedIn = await findSession(deps, token)
  if (signedIn === null) return { ok: false, error: 'not_signed_in' }
  const user = viewUser(signedIn.user, deps.config)
  if (mustBeVerified && !user.is_email_verified) return { ok: false, error: 'email_not_verified' }
  return { ok: true, user }
}
