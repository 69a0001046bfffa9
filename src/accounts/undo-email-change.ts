// The undo link that the old address gets with the notice of a change, good for seven days. It answers an
// attacker who knows the password or holds a session: the address comes back, every session ends, the password
// is void, and a reset link goes to the old address. Later changes cannot outrun it.

import { sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { insertMessageWithinLimit, newSlip } from '../mail/outbox.ts'
import { emailChanges, type Locale, sessions, users } from '../schema.ts'
import type { Claims } from '../signing/token.ts'
import { keepVerified } from '../timeline/derived-events.ts'
import { recordEvent } from '../timeline/record.ts'
import { endSilence } from './disown.ts'
import { type BadLink, readLink } from './read-link.ts'
import { retireLinks } from './retired-links.ts'

export type UndoPreview = BadLink | { readonly outcome: 'ready'; readonly email: string }

export type UndoResult =
  | BadLink
  | {
      readonly outcome: 'restored'
      readonly email: string
      /** The reset link to enqueue, or null where the address had its share of links. */
      readonly messageId: string | null
    }

/** No PHC string: no password matches it. */
const VOID_HASH = 'void'

/**
 * Whether the link can still undo something, and which address it restores. Nothing is written.
 * @param deps capabilities
 * @param token as it came
 * @throws Outage
 */
export async function openUndoLink(deps: Deps, token: string): Promise<UndoPreview> {
  const link = await readLink(deps, ['undo'], token)
  if ('outcome' in link) return link
  const [[change]] = await deps.batch([
    deps.db
      .select({ fromEmail: emailChanges.fromEmail })
      .from(emailChanges)
      .where(changeOf(link))
      .limit(1),
  ])
  return change === undefined
    ? { outcome: 'invalid' }
    : { outcome: 'ready', email: change.fromEmail }
}

/**
 * Undoes a change, applied or pending. One round trip; the link works once.
 * @param deps capabilities
 * @param token as it came
 * @param locale the language of who asks
 * @throws Outage
 */
export async function undoEmailChange(
  deps: Deps,
  token: string,
  locale: Locale,
): Promise<UndoResult> {
  const link = await readLink(deps, ['undo'], token)
  if ('outcome' in link) return link
  const { db } = deps
  const now = deps.now()
  const from = sql`(select from_email from email_changes where ${changeOf(link)} limit 1)`
  const done = sql`(select id from users where id = ${link.userId}
    and email_fingerprint = ${link.addressFingerprint} and password_hash = ${VOID_HASH})`

  const isFree = sql`not exists (select 1 from users o where o.email = ${from}
    and o.email_verified_at is not null and o.id <> users.id)`
  const mayUndo = sql`id = ${link.userId} and ${from} is not null and ${isFree}`
  const [, , [restored], , [reset]] = await deps.batch([
    // Links to the address that is taken away must not prove it once more.
    retireLinks(
      deps,
      sql`select users.email_fingerprint from users where users.id = ${link.userId}
        and users.email_fingerprint <> ${link.addressFingerprint}
        and ${from} is not null and ${isFree}`,
    ),
    keepVerified(db, sql`(select id from users where ${mayUndo})`),
    db
      .update(users)
      .set({
        email: from,
        emailFingerprint: link.addressFingerprint,
        emailVerifiedAt: now, // the link has just proven the mailbox
        verifiedBy: null, // and the event of the undoing tells it
        pendingEmail: null,
        passwordHash: VOID_HASH,
        generation: sql`${users.generation} + 1`,
      })
      .where(mayUndo)
      .returning(),
    recordEvent(db, {
      userId: link.userId,
      type: 'email_change_undone',
      at: now,
      onlyIf: sql`changes() = 1`,
    }),
    insertMessageWithinLimit(deps.db, newSlip(deps), {
      kind: 'reset_after_undo',
      locale,
      toEmail: sql`u.email`,
      // Still counted from the update: the event is one row where the update was one.
      recipient: sql`select id from users where changes() = 1 and id = ${link.userId}`,
    }),
    db.delete(sessions).where(sql`user_id = ${done}`),
    endSilence(deps.db, done),
    db.delete(users).where(
      sql`email_fingerprint = ${link.addressFingerprint} and email_verified_at is null
          and exists ${done}`,
    ),
    // With it every later change: an attacker's own undo link must not bring his address back.
    db.delete(emailChanges).where(
      sql`user_id = ${done} and created_at >= (select min(c.created_at) from email_changes c
        where c.user_id = ${link.userId} and c.from_fingerprint = ${link.addressFingerprint})`,
    ),
  ])
  if (restored === undefined) {
    deps.log('invalid_token', { userId: link.userId, reason: 'state' })
    return { outcome: 'invalid' }
  }
  deps.log('email_change_undone', { userId: restored.id, email: restored.email })
  return { outcome: 'restored', email: restored.email, messageId: reset?.id ?? null }
}

function changeOf(link: Claims) {
  return sql`email_changes.user_id = ${link.userId}
    and email_changes.from_fingerprint = ${link.addressFingerprint}`
}
