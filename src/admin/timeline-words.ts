// A timeline in a person's words.

import type { MessageKind } from '../schema.ts'
import type { LedgerEntryType, TimelineEntry } from '../timeline/read-timeline.ts'
import type { EventType } from '../timeline/record.ts'

export type Tone = 'good' | 'bad' | 'support' | 'plain'

/** What the kinds of mail are called. */
export const KIND_WORDS: Readonly<Record<MessageKind, string>> = {
  verify_email: 'Verification mail',
  reset_password: 'Reset mail',
  reset_after_undo: 'Reset mail after an undone change',
  change_email: 'Mail to confirm a new address',
  email_change_notice: 'Notice of a change of address',
  password_changed_notice: 'Notice of a new password',
}

const WORDS: Readonly<Record<EventType | LedgerEntryType, readonly [string, Tone]>> = {
  registered: ['Registered', 'plain'],
  signed_in: ['Signed in', 'plain'],
  resend_requested: ['Asked for the link again', 'plain'],
  resend_limited: ['Asked for the link again, beyond the limit', 'bad'],
  verified: ['Address verified', 'good'],
  reset_requested: ['Asked for a reset link', 'plain'],
  password_reset: ['Password reset by mailed link', 'plain'],
  password_changed: ['Password changed', 'plain'],
  email_change_requested: ['Asked for another address', 'plain'],
  email_change_cancelled: ['Change of address cancelled', 'plain'],
  email_changed: ['Address changed', 'good'],
  email_change_undone: ['Change of address undone from the old mailbox', 'plain'],
  session_revoked: ['Ended a session', 'plain'],
  mail_queued: ['Mail written and queued', 'plain'],
  mail_withheld: ['Mail withheld: the limit per address was reached', 'bad'],
  mail_held_for_cap: ['Mail held: the cap on mails a day was reached', 'bad'],
  mail_accepted: ['Accepted by the provider', 'plain'],
  mail_deferred: ['Not sent this time, will be tried again', 'plain'],
  mail_failed: ['Mail failed', 'bad'],
  mail_expired: ['Mail not sent: no longer needed', 'plain'],
  mail_suppressed: ['Mail not sent: the address is suppressed', 'bad'],
  mail_delivered: ['Delivered', 'good'],
  mail_delivery_deferred: ['Delayed by the receiving server', 'plain'],
  mail_bounced: ['Bounced', 'bad'],
  mail_complained: ['Marked as spam by the recipient', 'bad'],
  mail_stalled: ['Accepted, and then silent for too long', 'bad'],
  link_opened: ['Looked at the page behind the link', 'plain'],
  support_resent: ['Support sent a mail', 'support'],
  support_minted_link: ['Support made a link', 'support'],
  support_verified: ['Support marked the address as verified', 'support'],
  support_lifted_suppression: ['Support lifted the suppression', 'support'],
  support_retried_mail: ['Support retried the failed mail', 'support'],
}

/**
 * What happened, in words.
 * @param entry of a timeline
 * @returns the words and how they are meant; an unknown type is its own word
 */
export function describeEntry({ type }: Pick<TimelineEntry, 'type'>): readonly [string, Tone] {
  return isKnown(type) ? WORDS[type] : [type, 'plain']
}

function isKnown(type: string): type is keyof typeof WORDS {
  return Object.hasOwn(WORDS, type)
}
