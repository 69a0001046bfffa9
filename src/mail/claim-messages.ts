// First round trip of the consumer: claim the rows, and read all that deciding about them takes.

import { sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { messages } from '../schema.ts'
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
    deps.db.all<MessageRow>(
      sql`select m.id, m.to_email, m.state, m.attempts, m.not_before,
          u.id as user_id, u.email as user_email, u.email_fingerprint, u.email_verified_at, u.generation,
          exists (select 1 from users o where o.email = m.to_email
            and o.email_verified_at is not null and o.id is not m.user_id) as is_owned_by_another,
          exists (select 1 from suppressions s where s.email = m.to_email) as is_suppressed
        from messages m left join users u on u.id = m.user_id
        where m.id in ${wanted}`,
    ),
  ])
  const isClaimed = new Set(claimedIds.map(({ id }) => id))
  return {
    claimed: rows.filter((row) => isClaimed.has(row.id)).map(claimedMessage),
    notDue: new Map(
      rows
        .filter((row) => row.state === 'queued' && row.not_before !== null)
        .map((row) => [row.id, row.not_before ?? now]),
    ),
  }
}

interface MessageRow {
  id: string
  to_email: string
  state: string
  attempts: number
  not_before: number | null
  user_id: string | null
  user_email: string | null
  email_fingerprint: string | null
  email_verified_at: number | null
  generation: number | null
  is_owned_by_another: number
  is_suppressed: number
}

function claimedMessage(row: MessageRow): ClaimedMessage {
  return {
    id: row.id,
    toEmail: row.to_email,
    attempt: row.attempts,
    user:
      row.user_id === null
        ? null
        : {
            id: row.user_id,
            email: row.user_email ?? '',
            emailFingerprint: row.email_fingerprint ?? '',
            emailVerifiedAt: row.email_verified_at,
            generation: row.generation ?? 0,
          },
    isOwnedByAnother: row.is_owned_by_another === 1,
    isSuppressed: row.is_suppressed === 1,
  }
}
