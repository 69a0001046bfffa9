// Which account or claim on an address does a password belong to?

import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { users } from '../schema.ts'
import { checkPassword, sameSaltAndCost } from './password-hash.ts'
import type { UserRow } from './user.ts'

export interface PasswordMatch {
  readonly user: UserRow
  /** The hash as it would be made today. */
  readonly currentHash: string
  /** Whether the stored hash was made with other parameters or another salt and should be replaced. */
  readonly isOutdated: boolean
}

/** The best match, the row that owns the address, and the claims on it, newest first. */
export interface PasswordLookup {
  readonly match: PasswordMatch | null
  readonly owner: UserRow | null
  readonly claims: readonly UserRow[]
}

/** The owner and so many of the newest claims: whoever registers an address thousands of times pays alone. */
const MAX_ROWS = 1000
/** Hashes of other parameters or salts that one attempt may cost: the owner's, and the newest claim's. */
const MAX_FOREIGN_HASHES = 2

/**
 * Reads all rows on an address (one round trip) and checks a password against every one of them with one
 * hash, so the work does not tell how many rows there are. Only a hash of other parameters or another salt
 * costs one more: after a change of cost, until each has signed in once.
 * @param deps D1 and the hasher
 * @param fingerprint of the address
 * @param password as typed
 * @param options `email`: canonical, where the caller knows it; else it is taken from the rows, and without
 * rows nothing is hashed. `onlyIf`: a further condition on the rows
 * @throws Outage
 */
export async function findByPassword(
  deps: Pick<Deps, 'db' | 'batch' | 'hashPassword'>,
  fingerprint: string,
  password: string,
  options: { readonly email?: string; readonly onlyIf?: SQL } = {},
): Promise<PasswordLookup> {
  const [rows] = await deps.batch([
    deps.db
      .select()
      .from(users)
      .where(and(eq(users.emailFingerprint, fingerprint), options.onlyIf))
      .orderBy(sql`${users.emailVerifiedAt} is null`, desc(users.createdAt))
      .limit(MAX_ROWS),
  ])
  const owner = rows.find((row) => row.emailVerifiedAt !== null) ?? null
  const claims = rows.filter((row) => row.emailVerifiedAt === null)
  const address = options.email ?? rows[0]?.email
  if (address === undefined) return { match: null, owner, claims }

  const currentHash = await deps.hashPassword(password, address)
  let foreignHashes = 0
  for (const user of rows) {
    const isForeign = !sameSaltAndCost(user.passwordHash, currentHash)
    if (isForeign && ++foreignHashes > MAX_FOREIGN_HASHES) continue
    const check = await checkPassword(user.passwordHash, currentHash, password)
    if (check !== 'mismatch') {
      return { match: { user, currentHash, isOutdated: check === 'outdated' }, owner, claims }
    }
  }
  return { match: null, owner, claims }
}
