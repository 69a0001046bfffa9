// Which address a link made at the desk is for, and whether there is anything for it to do: the same for a link
// that is mailed and for one that is read out.

import { eq, type SQL, sql } from 'drizzle-orm'
import { OWNED_BY_NOBODY_ELSE } from '../accounts/reset-password.ts'
import type { Deps } from '../deps.ts'
import { users } from '../schema.ts'
import { deskColumns } from './read-user.ts'

/** `verify` confirms the address that waits, a claim's own or an account's next one; `reset` sets a password. */
export type LinkPurpose = 'verify' | 'reset'

/** Why there is no link to make. */
export type TargetProblem = 'not_found' | 'already_verified' | 'email_taken'

/** The user's row as it is read in the same batch. */
interface TargetRow {
  readonly emailVerifiedAt: number | null
  readonly pendingEmail: string | null
  readonly isFree: number
}

/**
 * The pieces of statements about a row `u` of users, and what to say where they find nothing.
 * @param deps what builds the statements
 * @param userId whose link
 * @param purpose which link
 */
export function linkTarget(deps: Pick<Deps, 'db'>, userId: string, purpose: LinkPurpose) {
  const isVerify = purpose === 'verify'
  return {
    /** A statement for the row by which to judge; `isSuppressed` is about a row `u`. */
    read: (isSuppressed: SQL = sql`0`) =>
      deps.db
        .select({
          ...deskColumns,
          isFree: sql<number>`${OWNED_BY_NOBODY_ELSE}`.as('is_free'),
          isSuppressed:
            sql<number>`(select ${isSuppressed} from users u where u.id = ${userId})`.as(
              'is_suppressed',
            ),
        })
        .from(users)
        .where(eq(users.id, userId)),
    /** The mail that carries such a link. */
    kind: isVerify
      ? sql`iif(u.email_verified_at is null, 'verify_email', 'change_email')`
      : sql`'reset_password'`,
    email: isVerify
      ? sql`iif(u.email_verified_at is null, u.email, u.pending_email)`
      : sql`u.email`,
    /** There is something for the link to do. */
    holds: sql`${isVerify ? sql`(u.email_verified_at is null or u.pending_email is not null)` : sql`true`}
      and u.id in (select users.id from users where users.id = ${userId}
        and ${OWNED_BY_NOBODY_ELSE})`,
    judge(row: TargetRow | undefined): TargetProblem | null {
      if (row === undefined) return 'not_found'
      if (row.isFree === 0) return 'email_taken'
      const isDone = row.emailVerifiedAt !== null && row.pendingEmail === null
      return isVerify && isDone ? 'already_verified' : null
    },
  }
}
