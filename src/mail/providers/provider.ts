// What the consumer knows of a mail API: one function and three kinds of outcome.

/** A mail, rendered. */
export interface OutgoingMail {
  /** Our message id; the only thing about it that the provider is told besides the mail itself. */
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

export type SendOutcome =
  | { readonly kind: 'accepted'; readonly providerMessageId: string | null }
  /** Worth trying again: the other side was busy, broken or silent. */
  | {
      readonly kind: 'retry'
      readonly reason: string
      /** Seconds that the other side asked to wait, or null. */
      readonly afterSeconds: number | null
      /** Whether it pushed back, so that the mails behind this one should wait too. */
      readonly isPushback: boolean
    }
  /** Will not be accepted however often it is sent. */
  | { readonly kind: 'refused'; readonly reason: string }

export interface MailProvider {
  readonly name: string
  /** Sends one mail. Never rejects: what goes wrong is an outcome. */
  readonly send: (mail: OutgoingMail) => Promise<SendOutcome>
}
