// What the consumer knows of a mail API: one function and three kinds of outcome.

import type { FillableMail } from '../messages/form-letter.ts'

export const providerNames = ['sendgrid', 'resend', 'postmark', 'cloudflare'] as const
export type ProviderName = (typeof providerNames)[number]

/** A mail. Those of one kind and language share one form, the same object; `fillIn` makes a mail of it. */
export interface OutgoingMail extends FillableMail {
  /** Our message id; the only thing about it that the provider is told besides the mail itself. */
  readonly id: string
  readonly to: string
}

export type SendOutcome =
  | { readonly kind: 'accepted'; readonly providerMessageId: string | null }
  /** Worth trying again: the other side was busy, broken or silent. */
  | {
      readonly kind: 'retry'
      readonly reason: string
      /** Seconds that the other side asked to wait, or null. */
      readonly afterSeconds: number | null
      /**
       * Whether it is the provider that is in trouble (pushback, a quota, an outage, silence) and not this one
       * mail: the mails behind it should wait or go elsewhere.
       */
      readonly isProviderDown: boolean
      /** Whether the mail may have been accepted all the same: the answer was lost, or blames the server. */
      readonly mayBeAccepted: boolean
    }
  /** Will not be accepted however often it is sent. */
  | {
      readonly kind: 'refused'
      readonly reason: string
      /** Whether it is the account or the key that was refused, so that another provider may take the mail. */
      readonly isAccountRefused: boolean
    }

export interface MailProvider {
  readonly name: ProviderName
  /** How many mails one call takes. */
  readonly maxBatch: number
  /** How many calls may be under way at once. */
  readonly maxConcurrentCalls: number
  /**
   * Whether a call that is repeated with the same key and the same mails is answered as before, and not sent
   * again.
   */
  readonly knowsRepeatedCalls: boolean
  /**
   * Sends mails, in one call unless the provider refuses them together. Never rejects: what goes wrong is an
   * outcome.
   * @param mails at most `maxBatch`
   * @param key names the call, for providers that know a repeated one
   * @returns one outcome a mail, in the same order
   */
  readonly send: (mails: readonly OutgoingMail[], key: string) => Promise<readonly SendOutcome[]>
}
