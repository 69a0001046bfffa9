// Reading a link of any purpose: signature and expiry only, so a forged one costs nothing but a MAC.

import type { Deps } from '../deps.ts'
import { type Claims, type Purpose, verifyToken } from '../signing/token.ts'

/** What is wrong with a link itself. Known without touching D1. */
export type BadLink = { readonly outcome: 'invalid' } | { readonly outcome: 'expired' }

/** A genuine link and what it is for. */
export type GenuineLink<P extends Purpose> = Claims & { readonly purpose: P }

/**
 * Checks a link against the purposes that are welcome here. The log learns which check failed, the client
 * does not: it would help nobody but a forger.
 * @param deps the key ring, the clock, the log
 * @param welcome the purposes that are welcome; the first is that of links which do not say theirs
 * @param token as it came
 */
export async function readLink<P extends Purpose>(
  deps: Pick<Deps, 'keyRing' | 'now' | 'log'>,
  welcome: readonly [P, ...P[]],
  token: string,
): Promise<GenuineLink<P> | BadLink> {
  const result = await verifyToken(deps.keyRing, welcome, token, deps.now())
  if (result.ok) return { ...result.claims, purpose: result.purpose }
  if (result.failure === 'expired') {
    deps.log('expired_token', { userId: result.claims.userId, reason: result.purpose })
    return { outcome: 'expired' }
  }
  deps.log('invalid_token', { reason: result.failure })
  return { outcome: 'invalid' }
}
