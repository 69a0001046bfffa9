// What to send for a claimed mail, if anything. Here, and not in the request, it is decided whether the
// address has an owner: the request answers everybody alike.

import type { Deps } from '../deps.ts'
import type { ClaimedMessage } from './claim-messages.ts'
import { mintVerifyLink } from './links.ts'
import { accountExistsMail } from './messages/account-exists.ts'
import { verifyEmailMail } from './messages/verify-email.ts'
import type { OutgoingMail } from './providers/provider.ts'

export type Composition =
  | { readonly kind: 'send'; readonly mail: OutgoingMail }
  | { readonly kind: 'suppressed' }
  /** Nothing is left to say; `reason` is for the record. */
  | { readonly kind: 'expired'; readonly reason: string }

/**
 * Decides, mints and renders.
 * @param deps the configuration, the key ring, the clock
 * @param message claimed
 */
export async function composeMail(
  deps: Pick<Deps, 'config' | 'keyRing' | 'now'>,
  message: ClaimedMessage,
): Promise<Composition> {
  const { config } = deps
  const { id, toEmail: to, user } = message
  if (message.isSuppressed) return { kind: 'suppressed' }
  if (user === null) return { kind: 'expired', reason: 'the claim is gone' }
  if (user.email !== to) return { kind: 'expired', reason: 'the address was changed' }
  if (user.emailVerifiedAt !== null) return { kind: 'expired', reason: 'already verified' }

  const common = { appName: config.APP_NAME, address: to }
  if (message.isOwnedByAnother) {
    const signInUrl = `${config.APP_BASE_URL}/login`
    return { kind: 'send', mail: { id, to, ...accountExistsMail({ ...common, signInUrl }) } }
  }
  const url = await mintVerifyLink(deps, {
    userId: user.id,
    generation: user.generation,
    addressFingerprint: user.emailFingerprint,
  })
  const rendered = verifyEmailMail({ ...common, url, ttlMs: config.VERIFY_TTL })
  return { kind: 'send', mail: { id, to, ...rendered } }
}
