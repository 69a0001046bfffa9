// A link for somebody whom no mail reaches, to be handed over by other means. It exists in one answer and
// nowhere else; that it was made, by whom and why, stands in the timeline.

import { addressFingerprint } from '../accounts/email-address.ts'
import type { Deps } from '../deps.ts'
import { mintLink } from '../mail/links.ts'
import type { Purpose } from '../signing/token.ts'
import { type LinkPurpose, linkTarget, type TargetProblem } from './link-target.ts'
import { type Action, logSupport, recordSupport } from './record-support.ts'

export type MintResult =
  | {
      readonly outcome: 'minted'
      readonly url: string
      /** Milliseconds since the epoch. */
      readonly expiresAt: number
      /** The address that it proves, or whose account it opens. */
      readonly email: string
    }
  | { readonly outcome: TargetProblem }

/**
 * Makes a link as the mail would have carried it. It proves the mailbox without the mailbox: the desk vouches for
 * who it is. To confirm, a verification link still needs the claim's session or password; a reset link needs
 * nothing more, and whoever has it has the account. One round trip.
 * @param deps capabilities
 * @param userId whose
 * @param purpose which link
 * @param action who asks, and why
 * @throws Outage
 */
export async function mintSupportLink(
  deps: Deps,
  userId: string,
  purpose: LinkPurpose,
  action: Action,
): Promise<MintResult> {
  const { read, holds, judge } = linkTarget(deps, userId, purpose)
  const [[user]] = await deps.batch([
    read(),
    recordSupport(
      deps,
      {
        userId,
        type: 'support_minted_link',
        detail: `${purpose}: ${action.reason}`,
        onlyIf: holds,
      },
      action,
    ),
  ])
  const problem = judge(user)
  if (user === undefined || problem !== null) return { outcome: problem ?? 'not_found' }

  const isChange = purpose === 'verify' && user.emailVerifiedAt !== null
  const email = (isChange ? user.pendingEmail : null) ?? user.email
  const minted = await mintLink(deps, isChange ? 'change' : (purpose satisfies Purpose), {
    userId,
    generation: user.generation,
    addressFingerprint: await addressFingerprint(email),
  })
  logSupport(deps, 'support_minted_link', action, { userId })
  return { outcome: 'minted', url: minted.url, expiresAt: deps.now() + minted.ttlMs, email }
}
