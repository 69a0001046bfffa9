// Whether an address is not mailed, and why.

import { and, eq, gt, isNull, or, type SQL } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { suppressions } from '../schema.ts'

export type Suppression = typeof suppressions.$inferSelect

/**
 * A statement for the suppression of an address, while it holds.
 * @param deps the clock, and what builds the statement
 * @param email an expression for a canonical address
 */
export function suppressionOf(deps: Pick<Deps, 'db' | 'now'>, email: SQL) {
  const { expiresAt } = suppressions
  return deps.db
    .select()
    .from(suppressions)
    .where(and(eq(suppressions.email, email), or(isNull(expiresAt), gt(expiresAt, deps.now()))))
}
