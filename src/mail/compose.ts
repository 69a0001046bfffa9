// What to send for a claimed mail, if anything. Here, and not in the request, it is decided whether the
// address has an owner: the request answers everybody alike.

import type { Deps } from '../deps.ts'
import { maskEmail } from '../timeline/log.ts'
import type { LeasedMessage } from './lease-messages.ts'
import { type LinkRecipient, mintLink } from './links.ts'
import { type Brand, type MailContent, renderMessage } from './messages/render-message.ts'
import type { OutgoingMail } from './providers/provider.ts'

export type Composition =
  | { readonly kind: 'send'; readonly mail: OutgoingMail }
  | { readonly kind: 'suppressed' }
  /** Nothing is left to say; `reason` is for the record. */
  | { readonly kind: 'expired'; readonly reason: string }

type ComposeDeps = Pick<Deps, 'config' | 'keyRing' | 'now'>
type Recipient = NonNullable<LeasedMessage['user']>

/**
 * Decides, mints and renders.
 * @param deps the configuration, the key ring, the clock
 * @param message claimed
 */
export async function composeMail(deps: ComposeDeps, message: LeasedMessage): Promise<Composition> {
  const { user, toFingerprint } = message
  if (message.isSuppressed) return { kind: 'suppressed' }
  if (user === null) return { kind: 'expired', reason: 'the claim is gone' }
  const reason = whyExpired(message, user)
  if (reason !== null) return { kind: 'expired', reason }
  // Only a notice without a link can do without.
  if (toFingerprint === null && message.kind !== 'password_changed_notice') {
    return { kind: 'expired', reason: 'the change is gone' }
  }

  const link = {
    userId: user.id,
    generation: message.generation,
    addressFingerprint: toFingerprint ?? '',
  }
  const content = await contentOf(deps, message, link)
  const rendered = renderMessage(brandOf(deps), message.locale, message.toEmail, content)
  return { kind: 'send', mail: { id: message.id, to: message.toEmail, ...rendered } }
}

/** A mail that waited may have been overtaken by what happened since. */
function whyExpired(message: LeasedMessage, user: Recipient): string | null {
  const { toEmail, generation } = message
  switch (message.kind) {
    case 'verify_email':
      if (user.email !== toEmail) return 'the address was changed'
      return user.emailVerifiedAt === null ? null : 'already verified'
    case 'reset_password':
    case 'reset_after_undo':
      if (user.email !== toEmail) return 'the address was changed'
      return user.generation === generation ? null : 'the account has changed since'
    case 'change_email':
      if (user.pendingEmail !== toEmail) return 'the change was cancelled or replaced'
      return user.generation === generation ? null : 'the account has changed since'
    case 'email_change_notice':
      return message.newEmail === null ? 'the change is gone' : null
    case 'password_changed_notice':
      return null
  }
}

async function contentOf(
  deps: ComposeDeps,
  message: LeasedMessage,
  link: LinkRecipient,
): Promise<MailContent> {
  const { APP_BASE_URL } = deps.config
  const forgotUrl = `${APP_BASE_URL}/forgot-password`
  const { kind } = message
  switch (kind) {
    case 'verify_email': {
      if (message.isOwnedByAnother) {
        return { kind: 'account_exists', signInUrl: `${APP_BASE_URL}/login`, forgotUrl }
      }
      const { url: disownUrl } = await mintLink(deps, 'disown', link)
      return { kind, ...(await mintLink(deps, 'verify', link)), disownUrl }
    }
    case 'reset_password':
    case 'reset_after_undo':
      return { kind, ...(await mintLink(deps, 'reset', link)) }
    case 'change_email':
      return { kind, ...(await mintLink(deps, 'change', link)) }
    case 'email_change_notice': {
      const { url: undoUrl, ttlMs } = await mintLink(deps, 'undo', link)
      // Masked: the old mailbox may be read by somebody who need not know the new address.
      return { kind, undoUrl, ttlMs, newAddress: maskEmail(message.newEmail ?? '') }
    }
    case 'password_changed_notice':
      return { kind, forgotUrl }
  }
}

function brandOf({ config }: ComposeDeps): Brand {
  return {
    appName: config.APP_NAME,
    color: config.BRAND_COLOR,
    supportEmail: config.SUPPORT_EMAIL ?? null,
  }
}
