// Account deletion, behind a verified address: the gate at work in this Worker itself.

import { and, eq, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { users } from '../schema.ts'
import { checkPassword } from './password-hash.ts'
import { retireLinks } from './retired-links.ts'
import type { UserRow } from './user.ts'

export type DeleteAccountResult =
  | { readonly outcome: 'deleted' }
  | { readonly outcome: 'invalid_credentials' }

/**
 * Deletes the account with its sessions and timeline. What was mailed stays in the ledger, with the address and the
 * id of who is gone, until it is pruned after `LEDGER_TTL`: deleting and registering anew must not reset the limit on
 * the address.
 *
 * The password is asked again: a browser left open must not be enough to destroy an account.
 * @param deps capabilities
 * @param user the signed-in user
 * @param password as typed
 * @throws Outage
 */
export async function deleteAccount(
  deps: Deps,
  user: UserRow,
  password: string,
): Promise<DeleteAccountResult> {
  const computed = await deps.hashPassword(password, user.email)
  const check = await checkPassword(user.passwordHash, computed, password)
  if (check === 'mismatch') return { outcome: 'invalid_credentials' }
  // Guarded by the hash that was checked, in case the password changed in between.
  const [deleted] = await deps.batch([
    deps.db
      .delete(users)
      .where(and(eq(users.id, user.id), eq(users.passwordHash, user.passwordHash)))
      .returning({ id: users.id }),
    retireLinks(deps, sql`select ${user.emailFingerprint} where changes() = 1`),
  ])
  if (deleted.length === 0) return { outcome: 'invalid_credentials' }
  deps.log('account_deleted', { userId: user.id })
  return { outcome: 'deleted' }
}
