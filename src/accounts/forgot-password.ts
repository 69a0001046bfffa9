// Asking for a reset link. It works for claims too: the link proves the mailbox, which is all a claim lacks.

import { sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { insertMessageWithinLimit, newSlip } from '../mail/outbox.ts'
import type { Locale } from '../schema.ts'
import { onceAMinute, recordEvent } from '../timeline/record.ts'
import { addressFingerprint } from './email-address.ts'

/**
 * Mails a reset link to the owner of an address, or else to its newest claim, within the limit. One round
 * trip of the same statements for every address; the client is told nothing but that it was heard.
 * @param deps capabilities
 * @param email canonical
 * @param locale the language of who asks
 * @returns the mail to enqueue, or null
 * @throws Outage
 */
export async function forgotPassword(
  deps: Deps,
  email: string,
  locale: Locale,
): Promise<string | null> {
  const { db } = deps
  const now = deps.now()
  const fingerprint = await addressFingerprint(email)
  const account = sql`(select c.id from users c where c.email_fingerprint = ${fingerprint}
    order by c.email_verified_at is null, c.created_at desc limit 1)`
  const [[message]] = await deps.batch([
    insertMessageWithinLimit(deps.db, newSlip(deps), {
      kind: 'reset_password',
      locale,
      toEmail: email,
      recipient: account,
    }),
    recordEvent(db, {
      userId: account,
      type: 'reset_requested',
      at: now,
      onlyIf: onceAMinute('reset_requested', now),
    }),
  ])
  deps.log('reset_requested', { email })
  return message?.id ?? null
}
