// What to send for a claimed mail, if anything. Here, and not in the request, it is decided whether the
// address has an owner: the request answers everybody alike.

import type { Deps } from '../deps.ts'
import { formLetterOf, valuesOf } from './form-letters.ts'
import type { LeasedMessage } from './lease-messages.ts'
import { fillable } from './messages/form-letter.ts'
import type { OutgoingMail } from './providers/provider.ts'

export type Composition =
  | { readonly kind: 'send'; readonly mail: OutgoingMail }
  | { readonly kind: 'suppressed' }
  /** Nothing is left to say; `reason` is for the record. */
  | { readonly kind: 'expired'; readonly reason: string }

type ComposeDeps = Pick<Deps, 'config' | 'keyRing' | 'now'>
type Recipient = NonNullable<LeasedMessage['user']>

/**
 * Decides what to say, and mints the links for it.
 * @param deps the configuration, the key ring, the clock
 * @param message claimed
 * @throws MissingValue where something is missing that the mail would have to say
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
  const isForOwner = message.kind === 'verify_email' && message.isOwnedByAnother
  const kind = isForOwner ? 'account_exists' : message.kind
  return {
    kind: 'send',
    mail: {
      id: message.id,
      to: message.toEmail,
      ...fillable(
        formLetterOf(deps.config, message.locale, kind),
        await valuesOf(deps, kind, message, link),
      ),
    },
  }
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
