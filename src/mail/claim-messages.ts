// First round trip of the consumer: claim the rows, and read all that deciding about them takes.

import { eq, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { messages, users } from '../schema.ts'
import { leaseMs } from './lease.ts'

/** A claimed mail with what is known of its recipient at this moment. */
export interface ClaimedMessage {
  readonly id: string
  readonly toEmail: string
  /** This attempt, from 1. */
  readonly attempt: number
  /** Null where the claim is gone. */
  readonly user: {
    readonly id: string
    readonly email: string
    readonly emailFingerprint: string
    readonly emailVerifiedAt: number | null
    readonly generation: number
  } | null
  readonly isOwnedByAnother: boolean
  readonly isSuppressed: boolean
}

export interface ClaimResult {
  readonly claimed: readonly ClaimedMessage[]
  /** Ids that are queued but not due yet, with the instant they are, in milliseconds since the epoch. */
  readonly notDue: ReadonlyMap<string, number>
}

/**
 * Claims what is due: queued, or sending under a lease that ran out.
 * @param deps D1 and the clock
 * @param ids message ids, at most a batch of them. They travel as one JSON parameter: D1 binds at most 100.
 * @throws Outage
 */
export async function claimMessages(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'config'>,
  ids: readonly string[],
): Promise<ClaimResult> {
  const now = deps.now()
  const wanted = sql`(select value from json_each(${JSON.stringify(ids)}))`
  const [claimedIds, rows] = await deps.batch([
    deps.db
      .update(messages)
      .set({
        state: 'sending',
        attempts: sql`${messages.attempts} + 1`,
        leaseUntil: now + leaseMs(deps.config),
      })
      .where(
        sql`${messages.id} in ${wanted} and (
          (${messages.state} = 'queued' and coalesce(${messages.notBefore}, 0) <= ${now})
          or (${messages.state} = 'sending' and ${messages.leaseUntil} <= ${now}))`,
      )
      .returning({ id: messages.id }),
    // Aliased throughout: a batch maps rows by column name, and two named "id" would be one.
    deps.db
      .select({
        id: messages.id,
        toEmail: messages.toEmail,
        state: messages.state,
        attempt: messages.attempts,
        notBefore: messages.notBefore,
        userId: sql<string | null>`${users.id}`.as('user_id'),
        userEmail: users.email,
        emailFingerprint: users.emailFingerprint,
        emailVerifiedAt: users.emailVerifiedAt,
        generation: sql<number | null>`${users.generation}`.as('user_generation'),
        isOwnedByAnother:
          sql<number>`exists (select 1 from users o where o.email = ${messages.toEmail}
          and o.email_verified_at is not null and o.id is not ${messages.userId})`.as('is_owned'),
        isSuppressed: sql<number>`exists (select 1 from suppressions s
          where s.email = ${messages.toEmail})`.as('is_suppressed'),
      })
      .from(messages)
      .leftJoin(users, eq(users.id, messages.userId))
      .where(sql`${messages.id} in ${wanted}`),
  ])
  const isClaimed = new Set(claimedIds.map(({ id }) => id))
  return {
    claimed: rows.filter((row) => isClaimed.has(row.id)).map(claimedMessage),
    notDue: new Map(
      rows
        .filter((row) => row.state === 'queued' && row.notBefore !== null)
        .map((row) => [row.id, row.notBefore ?? now]),
    ),
  }
}

interface MessageRow {
  id: string
  toEmail: string
  attempt: number
  userId: string | null
  userEmail: string | null
  emailFingerprint: string | null
  emailVerifiedAt: number | null
  generation: number | null
  isOwnedByAnother: number
  isSuppressed: number
}

function claimedMessage(row: MessageRow): ClaimedMessage {
  const { userId, userEmail, emailFingerprint, emailVerifiedAt, generation } = row
  const hasUser = userId !== null && userEmail !== null && emailFingerprint !== null
  return {
    id: row.id,
    toEmail: row.toEmail,
    attempt: row.attempt,
    user: hasUser
      ? {
          id: userId,
          email: userEmail,
          emailFingerprint,
          emailVerifiedAt,
          generation: generation ?? 0,
        }
      : null,
    isOwnedByAnother: row.isOwnedByAnother === 1,
    isSuppressed: row.isSuppressed === 1,
  }
}
