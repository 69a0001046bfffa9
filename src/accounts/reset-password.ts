// Setting a new password by a mailed link. Opening it is inert. Using it ends every session and every other
// outstanding link of the account, and proves the mailbox, so the address is verified too.
//
// A claim reset this way is safe even if a stranger made it: its password, sessions and links all go.

import { and, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { insertMessageWithinLimit, newSlip } from '../mail/outbox.ts'
import { type Locale, sessions, users } from '../schema.ts'
import type { Claims } from '../signing/token.ts'
import { newestMailFrom } from '../timeline/mails-of-user.ts'
import { recordEvent } from '../timeline/record.ts'
import { endSilence } from './disown.ts'
import { type BadLink, readLink } from './read-link.ts'
import { type UserView, viewUser } from './user.ts'

export type ResetPreview = BadLink | { readonly outcome: 'ready'; readonly email: string }

export type ResetResult =
  | BadLink
  | {
      readonly outcome: 'password_reset'
      readonly user: UserView
      /** The notice to enqueue, or null where the address had its share of notices. */
      readonly messageId: string | null
    }

/**
 * Whether a link can still be used, and for which address. Nothing is written.
 * @param deps capabilities
 * @param token as it came
 * @throws Outage
 */
export async function openResetLink(deps: Deps, token: string): Promise<ResetPreview> {
  const link = await readLink(deps, ['reset'], token)
  if ('outcome' in link) return link
  const user = await findAccount(deps, link)
  return user === null ? { outcome: 'invalid' } : { outcome: 'ready', email: user.email }
}

/**
 * Sets the password. One read (the salt needs the address, which the link does not say), one hash, one batch.
 * @param deps capabilities
 * @param input the token, the checked new password, the language of who asks
 * @throws Outage
 */
export async function resetPassword(
  deps: Deps,
  input: { readonly token: string; readonly password: string; readonly locale: Locale },
): Promise<ResetResult> {
  const link = await readLink(deps, ['reset'], input.token)
  if ('outcome' in link) return link
  const account = await findAccount(deps, link)
  if (account === null) return { outcome: 'invalid' }

  const { db } = deps
  const now = deps.now()
  const passwordHash = await deps.hashPassword(input.password, account.email)
  const done = sql`(select id from users where id = ${link.userId}
    and generation = ${link.generation + 1} and password_hash = ${passwordHash})`
  const lastNotice = newestMailFrom(
    sql`users.last_message_id`,
    sql`m.kind = 'password_changed_notice'`,
  )
  const [[user], , , [notice]] = await deps.batch([
    db
      .update(users)
      .set({
        passwordHash,
        emailVerifiedAt: sql`coalesce(${users.emailVerifiedAt}, ${now})`,
        pendingEmail: null,
        generation: sql`${users.generation} + 1`,
      })
      .where(and(linkHolds(link), OWNED_BY_NOBODY_ELSE))
      .returning(),
    // Of two uses of one link at once, only one did it: changes() is of the statement just before.
    recordEvent(db, {
      userId: link.userId,
      type: 'password_reset',
      at: now,
      onlyIf: sql`changes() = 1`,
    }),
    db.delete(sessions).where(sql`changes() = 1 and user_id = ${link.userId}`),
    // One notice per generation, so that the twin of a double submit sends none.
    insertMessageWithinLimit(deps.db, newSlip(deps), {
      kind: 'password_changed_notice',
      locale: input.locale,
      toEmail: account.email,
      recipient: sql`select id from users where id = ${done} and not exists (
        select 1 from messages n where n.id = ${lastNotice} and n.generation = users.generation)`,
    }),
    endSilence(deps.db, done),
    db.delete(users).where(
      sql`email_fingerprint = ${link.addressFingerprint} and email_verified_at is null
          and exists ${done}`,
    ),
  ])
  if (user === undefined) return { outcome: 'invalid' } // used a moment ago, or the address is owned now
  deps.log('password_reset', { userId: user.id })
  return {
    outcome: 'password_reset',
    user: viewUser(user, deps.config),
    messageId: notice?.id ?? null,
  }
}

async function findAccount(deps: Deps, link: Claims) {
  const [[user]] = await deps.batch([
    deps.db
      .select()
      .from(users)
      .where(and(linkHolds(link), OWNED_BY_NOBODY_ELSE)),
  ])
  if (user === undefined) deps.log('invalid_token', { userId: link.userId, reason: 'state' })
  return user ?? null
}

/** Account, generation and address must all still be what the link says. */
function linkHolds(link: Claims) {
  return sql`users.id = ${link.userId} and users.generation = ${link.generation}
    and users.email_fingerprint = ${link.addressFingerprint}`
}

/** An SQL condition on a row of `users`: no other account has proven its address. */
export const OWNED_BY_NOBODY_ELSE = sql`not exists (select 1 from users o where o.email = users.email
  and o.email_verified_at is not null and o.id <> users.id)`
