// "I did not sign up": the link in the verification mail for whoever got it without asking. Claims on the
// address die, and nothing is mailed to it for thirty days, unless its owner registers from the page itself.

import { eq, type SQL, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import type { Deps } from '../deps.ts'
import { DISOWN_TTL_MS } from '../mail/links.ts'
import type { Given } from '../prepared-batch.ts'
import { suppressions, users } from '../schema.ts'
import { addressFingerprint } from './email-address.ts'
import { type BadLink, readLink } from './read-link.ts'
import { isNotRetired, mintedLink } from './retired-links.ts'

export type DisownResult = BadLink | { readonly outcome: 'disowned' }

/** In milliseconds. */
export const SILENCE_MS = 30 * 24 * 60 * 60 * 1000

/**
 * Whether the link is genuine, for the page that asks before it acts. Touches nothing.
 * @param deps the key ring, the clock, the log
 * @param token as it came
 */
export async function openDisownLink(
  deps: Deps,
  token: string,
): Promise<BadLink | { readonly outcome: 'ready' }> {
  const link = await readLink(deps, ['disown'], token)
  return 'outcome' in link ? link : { outcome: 'ready' }
}

/**
 * Ends all claims on the address and silences it. An account that has proven the address stays, and is not
 * silenced. Repeating it is no error.
 * @param deps capabilities
 * @param token as it came
 * @throws Outage
 */
export async function disown(deps: Deps, token: string): Promise<DisownResult> {
  const link = await readLink(deps, ['disown'], token)
  if ('outcome' in link) return link
  const now = deps.now()
  // Not by a link from before the address changed hands.
  const isCurrent = isNotRetired(mintedLink(link, DISOWN_TTL_MS))
  const isUnowned = sql`${isCurrent} and not exists (select 1 from users o
    where o.email_fingerprint = ${link.addressFingerprint} and o.email_verified_at is not null)`
  await deps.batch([
    deps.db
      .insert(suppressions)
      .select(
        sql`select distinct u.email, 'disowned', ${now}, ${now + SILENCE_MS} from users u
          where u.email_fingerprint = ${link.addressFingerprint} and ${isUnowned}`,
      )
      // A suppression for good is not shortened to thirty days.
      .onConflictDoUpdate({
        target: suppressions.email,
        set: { expiresAt: now + SILENCE_MS },
        setWhere: eq(suppressions.reason, 'disowned'),
      }),
    deps.db
      .delete(users)
      .where(sql`email_fingerprint = ${link.addressFingerprint} and email_verified_at is null
          and ${isCurrent}`),
  ])
  deps.log('disowned', { userId: link.userId })
  return { outcome: 'disowned' }
}

/**
 * A statement that ends the silence of an address whose owner has proven it: whoever wants the account wants
 * its mail, reset links and warnings most of all.
 * @param db builds the statement
 * @param owner a subquery for the id of the account that has just proven its address
 */
export function endSilence(db: DrizzleD1Database, owner: SQL) {
  return endSilenceOf(db, sql`(select email from users where id = (${owner}))`)
}

/**
 * The same for an address.
 * @param db builds the statement
 * @param email canonical, or an expression
 */
export function endSilenceOf(db: DrizzleD1Database, email: Given<string>) {
  return db.delete(suppressions).where(sql`reason = 'disowned' and email = ${email}`)
}

/**
 * Whether a disown link was mailed to this address: then who holds it may end the silence by registering.
 * @param deps the key ring, the clock, the log
 * @param token as it came
 * @param email canonical
 */
export async function isDisownLinkOf(deps: Deps, token: string, email: string): Promise<boolean> {
  const link = await readLink(deps, ['disown'], token)
  return !('outcome' in link) && link.addressFingerprint === (await addressFingerprint(email))
}
