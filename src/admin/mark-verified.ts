// "I know this person": the desk verifies an address as its owner's click would have.

import { sql } from 'drizzle-orm'
import { endSilence } from '../accounts/disown.ts'
import { OWNED_BY_NOBODY_ELSE } from '../accounts/reset-password.ts'
import type { Deps } from '../deps.ts'
import { users } from '../schema.ts'
import { deskColumns } from './read-user.ts'
import { type Action, logSupport, recordSupport } from './record-support.ts'

export interface MarkResult {
  readonly outcome: 'verified' | 'already_verified' | 'email_taken' | 'not_found'
}

/**
 * Verifies a claim: rivals on its address go with their sessions, and a silence that was asked for ends. One
 * transaction; where another account owns the address nothing happens, and the partial unique index stands
 * behind it. `changes()` is the number of rows that the statement just before it changed (SQLite).
 * @param deps capabilities
 * @param userId the claim
 * @param action who says so, and why
 * @throws Outage
 */
export async function markVerified(
  deps: Deps,
  userId: string,
  action: Action,
): Promise<MarkResult> {
  const { db } = deps
  const now = deps.now()
  const done = sql`select id from users where id = ${userId} and email_verified_at = ${now}`
  const [[verified], , , , [user]] = await deps.batch([
    db
      .update(users)
      .set({ emailVerifiedAt: now, verifiedBy: 'support' })
      .where(sql`id = ${userId} and email_verified_at is null and ${OWNED_BY_NOBODY_ELSE}`)
      .returning({ id: users.id, email: users.email }),
    recordSupport(deps, { userId, type: 'support_verified', onlyIf: sql`changes() = 1` }, action),
    db.delete(users).where(
      sql`email_verified_at is null
        and email_fingerprint = (select email_fingerprint from users where id = (${done}))`,
    ),
    endSilence(deps.db, done),
    db.select(deskColumns).from(users).where(sql`id = ${userId}`),
  ])
  if (verified !== undefined) {
    logSupport(deps, 'support_verified', action, { userId, email: verified.email })
    return { outcome: 'verified' }
  }
  if (user === undefined) return { outcome: 'not_found' }
  return { outcome: user.emailVerifiedAt === null ? 'email_taken' : 'already_verified' }
}
