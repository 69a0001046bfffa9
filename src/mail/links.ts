// Minting links, in the consumer at send time: no token ever lies in D1, KV, the Queue or a log.

import type { Deps } from '../deps.ts'
import { signToken } from '../signing/token.ts'

/** Whom a link is for. */
export interface LinkRecipient {
  readonly userId: string
  readonly generation: number
  readonly addressFingerprint: string
}

/**
 * A verification link, good for `VERIFY_TTL` from now.
 * @param deps the key ring, the clock, where links point
 * @param recipient the user and the fingerprint of the address it is mailed to
 * @returns an absolute URL
 */
export async function mintVerifyLink(
  deps: Pick<Deps, 'config' | 'keyRing' | 'now'>,
  recipient: LinkRecipient,
): Promise<string> {
  const token = await signToken(deps.keyRing, 'verify', {
    ...recipient,
    expiresAtSeconds: Math.floor((deps.now() + deps.config.VERIFY_TTL) / 1000),
  })
  return deps.config.VERIFY_URL.replace('{token}', token)
}
