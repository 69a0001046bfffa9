// A user as the outside sees one.

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

/**
 * Picks what may be shown; the password hash is not among it.
 * @param user a row
 */
export function viewUser(
  user: Pick<UserRow, 'id' | 'email' | 'emailVerifiedAt' | 'pendingEmail'>,
): UserView {
  return {
    id: user.id,
    email: user.email,
    is_email_verified: user.emailVerifiedAt !== null,
    email_verified_at: instant(user.emailVerifiedAt),
    pending_email: user.pendingEmail,
  }
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
