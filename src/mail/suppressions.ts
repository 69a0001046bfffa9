// Addresses that are not mailed: until when that holds is asked here and nowhere else.

import { type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { suppressions } from '../schema.ts'

export type Suppression = typeof suppressions.$inferSelect

/** A condition on a row of `suppressions`. */
const holdsFor = (email: SQL, now: number) =>
  sql`suppressions.email = ${email} and coalesce(suppressions.expires_at, ${now + 1}) > ${now}`

/**
 * A condition: an address is not to be mailed.
 * @param email an expression for a canonical address
 * @param now milliseconds since the epoch
 */
export function isSuppressed(email: SQL, now: number): SQL {
  return sql`exists (select 1 from suppressions where ${holdsFor(email, now)})`
}

/**
 * A statement for the suppression of an address, while it holds.
 * @param deps the clock, and what builds the statement
 * @param email an expression for a canonical address
 */
export function suppressionOf(deps: Pick<Deps, 'db' | 'now'>, email: SQL) {
  return deps.db.select().from(suppressions).where(holdsFor(email, deps.now()))
}
