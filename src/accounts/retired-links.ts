// Links outlive the mail they came in. While an address is unproven that is wanted, any of them will do; once
// an account gives its address up, the links that were mailed until then must not prove it again.
//
// The attack it stops: somebody who once read a link (in a shared mailbox, a gateway's log, a browser's history)
// waits until the account is deleted, registers the address, and confirms with the old link.

import { type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import type { Givens } from '../prepared-batch.ts'
import { retiredLinks } from '../schema.ts'
import type { Claims } from '../signing/token.ts'

/**
 * A statement that retires the links of addresses that are given up.
 * @param deps the clock, and what builds the statement
 * @param fingerprints a select of one column, the fingerprints; it may yield none
 */
export function retireLinks(deps: Pick<Deps, 'db' | 'now'>, fingerprints: SQL) {
  const now = deps.now()
  return (
    deps.db
      .insert(retiredLinks)
      // `where true` keeps SQLite from reading `on conflict` as a join constraint.
      .select(sql`select *, ${now} from (${fingerprints}) where true`)
      .onConflictDoUpdate({ target: retiredLinks.emailFingerprint, set: { retiredAt: now } })
  )
}

/** When a link was minted, and for which address. */
export interface MintedLink {
  readonly fingerprint: string
  /** Milliseconds since the epoch. */
  readonly mintedAt: number
}

/**
 * Of a genuine link.
 * @param claims what it says
 * @param ttlMs how long such links work: a link says when it ends, and so when it began
 */
export function mintedLink(claims: Claims, ttlMs: number): MintedLink {
  const mintedAt = claims.expiresAtSeconds * 1000 - ttlMs
  return { fingerprint: claims.addressFingerprint, mintedAt }
}

/**
 * An SQL condition: this link was mailed after its address was last given up, if it ever was.
 * @param link from {@link mintedLink}
 */
export function isNotRetired({ fingerprint, mintedAt }: Givens<MintedLink>): SQL {
  return sql`not exists (select 1 from retired_links r
    where r.email_fingerprint = ${fingerprint} and r.retired_at >= ${mintedAt})`
}
