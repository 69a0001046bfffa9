// What the desk's API answers: names in snake case, instants as RFC 3339.

import { instant } from '../accounts/user.ts'
import type { Suppression } from '../mail/suppressions.ts'
import type { TimelineEntry } from '../timeline/read-timeline.ts'
import type { FoundUser } from './find-users.ts'
import type { MailRow, UserAtDesk } from './read-user.ts'

/**
 * A user that was found.
 * @param found from `findUsers`
 */
export function viewFound({ user, foundBy }: FoundUser) {
  return {
    id: user.id,
    email: user.email,
    is_email_verified: user.emailVerifiedAt !== null,
    email_verified_at: instant(user.emailVerifiedAt),
    pending_email: user.pendingEmail,
    created_at: instant(user.createdAt),
    found_by: foundBy,
  }
}

/**
 * A suppression in force.
 * @param suppression a row
 */
export function viewSuppression({ email, reason, createdAt, expiresAt }: Suppression) {
  return { email, reason, since: instant(createdAt), until: instant(expiresAt) }
}

/**
 * A mail of the ledger.
 * @param mail a row
 */
export function viewMailRow(mail: MailRow) {
  return {
    id: mail.id,
    user_id: mail.userId,
    kind: mail.kind,
    to: mail.toEmail,
    state: mail.state,
    stalled: mail.stalledAt !== null,
    attempts: mail.attempts,
    provider: mail.provider,
    provider_message_id: mail.providerMessageId,
    error: mail.error,
    created_at: instant(mail.createdAt),
    not_before: instant(mail.notBefore),
    sent_at: instant(mail.sentAt),
    settled_at: instant(mail.settledAt),
  }
}

/** As many as are looked at one by one; the timeline has the rest. */
const SHOWN_MAILS = 20

/**
 * A user with all that support needs to know, except for the timeline.
 * @param found from `readUserAtDesk`
 */
export function viewUserAtDesk({ user, sessionCount, suppressions, mails, rivals }: UserAtDesk) {
  return {
    user: {
      id: user.id,
      email: user.email,
      is_email_verified: user.emailVerifiedAt !== null,
      email_verified_at: instant(user.emailVerifiedAt),
      pending_email: user.pendingEmail,
      created_at: instant(user.createdAt),
      sessions: sessionCount,
    },
    suppressions: suppressions.map(viewSuppression),
    same_address: rivals.map(({ id, emailVerifiedAt, createdAt }) => ({
      id,
      is_email_verified: emailVerifiedAt !== null,
      created_at: instant(createdAt),
    })),
    mails: mails.slice(0, SHOWN_MAILS).map(viewMailRow),
  }
}

/**
 * A line of a timeline.
 * @param entry from `readTimeline`
 */
export function viewEntry(entry: TimelineEntry) {
  return {
    at: instant(entry.at),
    type: entry.type,
    mail_id: entry.messageId,
    mail_kind: entry.mailKind,
    to: entry.toEmail,
    provider: entry.provider,
    provider_message_id: entry.providerMessageId,
    actor: entry.actor,
    detail: entry.detail,
  }
}
