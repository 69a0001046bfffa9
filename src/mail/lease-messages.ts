// First round trip of the consumer: claim the rows, and read all that deciding about them takes.

import { eq, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { type Locale, type MessageKind, messages, users } from '../schema.ts'
import { leaseMs } from './lease.ts'

/** A claimed mail with what is known of its recipient at this moment. */
export interface LeasedMessage {
  readonly id: string
  readonly kind: MessageKind
  readonly locale: Locale
  readonly toEmail: string
  /** Of the address it goes to. */
  readonly toFingerprint: string | null
  /** For a notice of a change: the new address. */
  readonly newEmail: string | null
  /** Of the user when it was written. */
  readonly generation: number
  /** This attempt, from 1. */
  readonly attempt: number
  /** Null where the claim is gone. */
  readonly user: {
    readonly id: string
    readonly email: string
    readonly pendingEmail: string | null
    readonly emailVerifiedAt: number | null
    readonly generation: number
  } | null
  readonly isOwnedByAnother: boolean
  readonly isSuppressed: boolean
}

export interface LeaseResult {
  readonly claimed: readonly LeasedMessage[]
  /** Ids that are queued but not due yet, with the instant they are, in milliseconds since the epoch. */
  readonly notDue: ReadonlyMap<string, number>
}

/**
 * Claims what is due: queued, or sending under a lease that ran out.
 * @param deps D1 and the clock
 * @param ids message ids, at most a batch of them. They travel as one JSON parameter: D1 binds at most 100.
 * @throws Outage
 */
export async function leaseMessages(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'config'>,
  ids: readonly string[],
): Promise<LeaseResult> {
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
        kind: messages.kind,
        locale: messages.locale,
        generation: messages.generation,
        userId: sql<string | null>`${users.id}`.as('user_id'),
        userEmail: users.email,
        pendingEmail: users.pendingEmail,
        emailVerifiedAt: users.emailVerifiedAt,
        userGeneration: sql<number | null>`${users.generation}`.as('user_generation'),
        toFingerprint: sql<string | null>`coalesce(
          case when ${users.email} = ${messages.toEmail} then ${users.emailFingerprint} end,
          (select c.to_fingerprint from email_changes c
            where c.user_id = ${messages.userId} and c.to_email = ${messages.toEmail} limit 1),
          (select c.from_fingerprint from email_changes c
            where c.user_id = ${messages.userId} and c.from_email = ${messages.toEmail} limit 1)
          )`.as('to_fingerprint'),
        newEmail: sql<string | null>`(select c.to_email from email_changes c
          where c.user_id = ${messages.userId} and c.from_email = ${messages.toEmail}
          and c.created_at <= ${messages.createdAt}
          order by c.created_at desc, c.id desc limit 1)`.as('new_email'),
        isOwnedByAnother:
          sql<number>`exists (select 1 from users o where o.email = ${messages.toEmail}
          and o.email_verified_at is not null and o.id is not ${messages.userId})`.as('is_owned'),
        isSuppressed: sql<number>`exists (select 1 from suppressions s
          where s.email = ${messages.toEmail}
          and coalesce(s.expires_at, ${now} + 1) > ${now})`.as('is_suppressed'),
      })
      .from(messages)
      .leftJoin(users, eq(users.id, messages.userId))
      .where(sql`${messages.id} in ${wanted}`),
  ])
  const isClaimed = new Set(claimedIds.map(({ id }) => id))
  return {
    claimed: rows.filter((row) => isClaimed.has(row.id)).map(leasedMessage),
    notDue: new Map(
      rows
        .filter((row) => row.state === 'queued' && row.notBefore !== null)
        .map((row) => [row.id, row.notBefore ?? now]),
    ),
  }
}

interface MessageRow extends Omit<LeasedMessage, 'user' | 'isOwnedByAnother' | 'isSuppressed'> {
  userId: string | null
  userEmail: string | null
  pendingEmail: string | null
  emailVerifiedAt: number | null
  userGeneration: number | null
  isOwnedByAnother: number
  isSuppressed: number
}

function leasedMessage(row: MessageRow): LeasedMessage {
  const { userId, userEmail, pendingEmail, emailVerifiedAt, userGeneration, ...message } = row
  return {
    ...message,
    user:
      userId === null || userEmail === null || userGeneration === null
        ? null
        : {
            id: userId,
            email: userEmail,
            pendingEmail,
            emailVerifiedAt,
            generation: userGeneration,
          },
    isOwnedByAnother: row.isOwnedByAnother === 1,
    isSuppressed: row.isSuppressed === 1,
  }
}
