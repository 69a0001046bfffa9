// What providers report after they accepted a mail, and which state that leaves it in. Reports come late, twice
// and in any order, so the state is the furthest that any of them got: whoever reads them in another order
// ends in the same place.

import type { MessageState } from '../schema.ts'

/** What a provider reports of a mail. */
export type DeliveryKind =
  /** It has the mail. */
  | 'accepted'
  /** The recipient's server asked to wait; the provider tries on. */
  | 'deferred'
  /** The recipient's server took it. */
  | 'delivered'
  /** Refused this time: mailbox full, blocked, too large. The address may well exist. */
  | 'soft_bounce'
  /** Refused for good: no such mailbox, no such domain. */
  | 'hard_bounce'
  /** The recipient called it spam. */
  | 'complaint'

/**
 * How far each report takes a mail. A bounce is further than a delivery: servers accept mails and return them
 * later. A complaint is the last word.
 */
export const DELIVERY_RANKS: Readonly<Record<DeliveryKind, number>> = {
  accepted: 1,
  deferred: 2,
  delivered: 3,
  soft_bounce: 4,
  hard_bounce: 5,
  complaint: 6,
}

/** The state that the furthest report leaves a mail in. */
export const DELIVERY_STATES: Readonly<Record<DeliveryKind, MessageState>> = {
  accepted: 'sent',
  deferred: 'deferred',
  delivered: 'delivered',
  soft_bounce: 'bounced',
  hard_bounce: 'bounced',
  complaint: 'complained',
}

/** One report, whoever it comes from. */
export interface DeliveryReport {
  /** Our message id, where the provider gives it back; else its own decides. */
  readonly messageId: string | null
  readonly providerMessageId: string | null
  readonly kind: DeliveryKind
  /** When it happened, in milliseconds since the epoch, by the provider's clock. */
  readonly at: number
  /** The provider's words, free of addresses. */
  readonly detail: string | null
}
