// A fresh mail at the desk's word: the link that confirms the address that waits for it, or one that sets a new
// password.

import { sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { newRow } from '../mail/outbox.ts'
import { isSuppressed } from '../mail/suppressions.ts'
import { messages } from '../schema.ts'
import { type LinkPurpose, linkTarget, type TargetProblem } from './link-target.ts'
import { type Action, logSupport, recordSupport } from './record-support.ts'

export type ResendResult =
  | { readonly outcome: 'sent'; readonly messageId: string }
  | { readonly outcome: TargetProblem | 'suppressed' }

/**
 * Writes the mail, in one round trip. The limit per address does not hold it back, whoever is at the desk has
 * somebody on the phone who waits; it counts like any other, so the address is not flooded by others on top.
 * A suppressed address is refused: lift the suppression first, knowingly.
 * @param deps capabilities
 * @param userId whom to mail
 * @param purpose which link
 * @param action who asks, and why
 * @throws Outage
 */
export async function resendLink(
  deps: Deps,
  userId: string,
  purpose: LinkPurpose,
  action: Action,
): Promise<ResendResult> {
  const { db } = deps
  const now = deps.now()
  const id = deps.newId()
  const { read, kind, email, holds, judge } = linkTarget(deps, userId, purpose)
  const suppressed = isSuppressed(sql`${email}`, now)
  // In the language of the mail before it, which was the person's own.
  const locale = sql`coalesce((select m.locale from messages m where m.id = u.last_message_id), 'en')`
  const [[target], [message]] = await deps.batch([
    read(suppressed),
    db
      .insert(messages)
      .select(
        sql`select ${newRow({
          id,
          userId: sql`u.id`,
          kind,
          locale,
          toEmail: email,
          generation: sql`u.generation`,
          state: 'queued',
          createdAt: now,
          previousId: sql`u.last_message_id`,
        })} from users u where u.id = ${userId} and ${holds} and not ${suppressed}`,
      )
      .returning({ id: messages.id }),
    recordSupport(
      deps,
      { userId, type: 'support_resent', messageId: id, onlyIf: sql`changes() = 1` },
      action,
    ),
  ])
  if (message !== undefined) {
    logSupport(deps, 'support_resent', action, { userId, messageId: id })
    return { outcome: 'sent', messageId: id }
  }
  return { outcome: judge(target) ?? 'suppressed' }
}
