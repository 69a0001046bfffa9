// Why an address is not mailed, in words.

import type { Suppression } from '../mail/suppressions.ts'
import type { SuppressionReason } from '../schema.ts'

const REASONS: Readonly<Record<SuppressionReason, string>> = {
  disowned: 'Whoever reads this mailbox said that they did not sign up',
  hard_bounce: 'A mail to it bounced for good',
  complaint: 'A mail to it was marked as spam',
}

/**
 * A suppression in a sentence.
 * @param suppression in force
 */
export function describeSuppression(suppression: Omit<Suppression, 'email'>): string {
  const day = (at: number) => new Date(at).toISOString().slice(0, 10)
  const { reason, createdAt, expiresAt } = suppression
  const end = expiresAt === null ? '' : `, until ${day(expiresAt)}`
  return `${REASONS[reason]}, ${day(createdAt)}${end}.`
}
