// A new password for whoever knows the old one.

import { and, eq, ne, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { insertMessageWithinLimit, newSlip } from '../mail/outbox.ts'
import { type Locale, sessions, users } from '../schema.ts'
import { recordEvent } from '../timeline/record.ts'
import { checkPassword } from './password-hash.ts'
import { createSession, handOver, isSession, type NewSession, type SignedIn } from './sessions.ts'

export type ChangePasswordResult =
  | {
      readonly outcome: 'password_changed'
      readonly session: NewSession
      readonly messageId: string | null
    }
  | { readonly outcome: 'invalid_credentials' }
  | { readonly outcome: 'unchanged' }

/**
 * Changes the password: other sessions and outstanding links die, a pending change of address with them, this
 * session gets a new token, and a notice is mailed. The current password is asked, so that a browser left
 * open is not enough.
 * @param deps capabilities
 * @param signedIn who asks
 * @param input current password as typed, checked new password, language of who asks
 * @throws Outage
 */
export async function changePassword(
  deps: Deps,
  { user, sessionId }: SignedIn,
  input: {
    readonly currentPassword: string
    readonly newPassword: string
    readonly locale: Locale
  },
): Promise<ChangePasswordResult> {
  const computed = await deps.hashPassword(input.currentPassword, user.email)
  const check = await checkPassword(user.passwordHash, computed, input.currentPassword)
  if (check === 'mismatch') return { outcome: 'invalid_credentials' }

  if (input.newPassword.normalize('NFC') === input.currentPassword.normalize('NFC')) {
    return { outcome: 'unchanged' }
  }

  const { db } = deps
  const now = deps.now()
  const [passwordHash, session] = await Promise.all([
    deps.hashPassword(input.newPassword, user.email),
    createSession(deps),
  ])
  // The new token in place of the old one says that this request did it, and not its twin of a double submit.
  const done = sql`(select user_id from sessions where user_id = ${user.id} and id = ${session.id})`
  const [[changed], , [notice]] = await deps.batch([
    db
      .update(users)
      .set({ passwordHash, pendingEmail: null, generation: sql`${users.generation} + 1` })
      .where(
        and(
          eq(users.id, user.id),
          eq(users.passwordHash, user.passwordHash),
          eq(users.generation, user.generation),
          sql`exists (select 1 from sessions where user_id = ${user.id} and id = ${sessionId})`,
        ),
      )
      .returning({ id: users.id }),
    db
      .update(sessions)
      .set({ id: session.id, expiresAt: session.expiresAt })
      .where(and(isSession({ userId: user.id, id: sessionId }), sql`changes() = 1`)),
    insertMessageWithinLimit(deps.db, newSlip(deps), {
      kind: 'password_changed_notice',
      locale: input.locale,
      toEmail: user.email,
      // A claim's address is a stranger's until proven: no false alarms to it.
      recipient: sql`select id from users where id = ${done} and email_verified_at is not null`,
    }),
    recordEvent(db, { userId: done, type: 'password_changed', at: now }),
    db.delete(sessions).where(and(eq(sessions.userId, done), ne(sessions.id, session.id))),
  ])
  if (changed === undefined) return { outcome: 'invalid_credentials' } // changed elsewhere meanwhile
  deps.log('password_changed', { userId: user.id })
  return {
    outcome: 'password_changed',
    session: handOver(session, user.id),
    messageId: notice?.id ?? null,
  }
}
