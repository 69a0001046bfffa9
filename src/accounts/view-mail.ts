// A mail's fate as the person who waits for it is told.

import type { ShownMail } from '../mail/outbox.ts'
import { instant } from './user.ts'

/** The `mail` member of `GET /auth/session`. */
export interface MailView {
  readonly state: ShownMail['state']
  /** RFC 3339. */
  readonly at: string
  /** There where it was accepted and has not been heard of for too long. */
  readonly stalled?: true
  /** RFC 3339; there where it waits because no more may be sent today. */
  readonly waits_until?: string
}

/**
 * @param mail the last mail with a link to confirm, or null
 */
export function viewMail(mail: ShownMail | null): MailView | null {
  if (mail === null) return null
  return {
    state: mail.state,
    at: instant(mail.at),
    ...(mail.isStalled ? { stalled: true } : {}),
    ...(mail.waitsUntil === null ? {} : { waits_until: instant(mail.waitsUntil) }),
  }
}
