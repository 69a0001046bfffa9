// A user as the outside sees one.

import type { Config } from '../config.ts'
import type { users } from '../schema.ts'

export type UserRow = typeof users.$inferSelect

/** The `user` member of every answer. */
export interface UserView {
  readonly id: string
  readonly email: string
  readonly is_email_verified: boolean
  /** RFC 3339, or null. */
  readonly email_verified_at: string | null
  readonly pending_email: string | null
}

/** What the view and the gates depend on. */
type Policy = Pick<Config, 'EMAIL_CHANGE'>

/**
 * Whether an account counts as verified. Under `unverify_at_once` it does not while a new address waits to be
 * confirmed. Nothing else of it changes meanwhile: it owns its old address until then, and can be undone.
 * @param user a row
 * @param policy what a change of address means
 */
export function countsAsVerified(
  user: Pick<UserRow, 'emailVerifiedAt' | 'pendingEmail'>,
  policy: Policy,
): boolean {
  if (user.emailVerifiedAt === null) return false
  return policy.EMAIL_CHANGE === 'keep_until_confirmed' || user.pendingEmail === null
}

/**
 * Picks what may be shown; the password hash is not among it.
 * @param user a row
 * @param policy what a change of address means
 */
export function viewUser(
  user: Pick<UserRow, 'id' | 'email' | 'emailVerifiedAt' | 'pendingEmail'>,
  policy: Policy,
): UserView {
  const isVerified = countsAsVerified(user, policy)
  return {
    id: user.id,
    email: user.email,
    is_email_verified: isVerified,
    email_verified_at: isVerified ? instant(user.emailVerifiedAt) : null,
    pending_email: user.pendingEmail,
  }
}

/**
 * What whoever holds a link to the address may see of its owner: not where the account is about to move.
 * @param user a row
 * @param policy what a change of address means
 */
export function viewUnproven(
  user: Pick<UserRow, 'id' | 'email' | 'emailVerifiedAt'>,
  policy: Policy,
): UserView {
  return viewUser({ ...user, pendingEmail: null }, policy)
}

/**
 * An instant as RFC 3339.
 * @param at milliseconds since the epoch
 */
export function instant(at: number): string
export function instant(at: number | null): string | null
export function instant(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
