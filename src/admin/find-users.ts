// Who is it that writes to support? By an address, whatever it is to the account, or by an id.

import { sql } from 'drizzle-orm'
import { addressFingerprint } from '../accounts/email-address.ts'
import type { Deps } from '../deps.ts'
import { type Suppression, suppressionOf } from '../mail/suppressions.ts'
import { users } from '../schema.ts'
import { type DeskUser, deskColumns } from './read-user.ts'

/** What the query is to a user that was found. */
export type FoundBy = 'id' | 'mail_id' | 'address' | 'pending_address' | 'mailed_address'

export interface FoundUser {
  readonly user: DeskUser
  readonly foundBy: FoundBy
}

export interface FoundUsers {
  /** Owners first, then the newest claims. */
  readonly users: readonly FoundUser[]
  /** Of the address that was asked for. */
  readonly suppression: Suppression | null
}

/** More than ever matter: claims on one address are limited by how many mails it gets. */
const MAX_FOUND = 100

/**
 * Finds users in one round trip. By an address: its owner, all claims on it, whoever is about to change to it,
 * and whoever had mail sent to it lately, which finds the address somebody had before.
 * @param deps D1 and the clock
 * @param query a canonical address, or an id in lower case
 * @throws Outage
 */
export async function findUsers(
  deps: Pick<Deps, 'db' | 'batch' | 'now'>,
  query: { readonly id: string } | { readonly email: string },
): Promise<FoundUsers> {
  const email = 'email' in query ? query.email : ''
  // A pending address has no index of its own: the mail with the link went there, and the ledger has one.
  const ids =
    'email' in query
      ? sql`(select id from users where email_fingerprint = ${await addressFingerprint(email)}
          union select user_id from messages where to_email = ${email})`
      : sql`(select id from users where id = ${query.id}
          union select user_id from messages where id = ${query.id})`
  const [found, [suppression]] = await deps.batch([
    deps.db
      .select(deskColumns)
      .from(users)
      .where(sql`id in ${ids}`)
      .orderBy(sql`email_verified_at is null, created_at desc`)
      .limit(MAX_FOUND),
    suppressionOf(deps, sql`${email}`),
  ])
  return {
    users: found.map((user) => ({ user, foundBy: foundBy(user, query) })),
    suppression: suppression ?? null,
  }
}

function foundBy(user: DeskUser, query: { id: string } | { email: string }): FoundBy {
  if ('id' in query) return user.id === query.id ? 'id' : 'mail_id'
  if (user.email === query.email) return 'address'
  return user.pendingEmail === query.email ? 'pending_address' : 'mailed_address'
}
