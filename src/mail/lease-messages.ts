// First round trip of the consumer: claim the rows, and read all that deciding about them takes.

import { eq, type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { type Locale, type MessageKind, messages, users } from '../schema.ts'
import { claimRepeatedCalls, planKeys, rememberCalls, withRepeatedCalls } from './call-keys.ts'
import { outageStatements, type ProviderOutage } from './choose-provider.ts'
import { countPlaces, hasPlaceToday, holdUntilTomorrow } from './daily-cap.ts'
import { leaseMs } from './lease.ts'
import { DAILY_CAP } from './outbox.ts'
import type { MailProvider } from './providers/provider.ts'
import { isSuppressed } from './suppressions.ts'
import { utcDay } from './utc-day.ts'

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
  /** Who was asked last, and what came of it; null before the first attempt. */
  readonly provider: string | null
  readonly error: string | null
  /** The key of the call that it is to be part of; null where no provider knows keys. */
  readonly batchId: string | null
  /** Whether that call was made before, perhaps, and nobody knows what came of it. */
  readonly isRepeat: boolean
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

export interface Lease {
  readonly claimed: readonly LeasedMessage[]
  /** Ids that are queued but not to be sent now, with when to look again, in milliseconds since the epoch. */
  readonly notDue: ReadonlyMap<string, number>
  /** When it began and until when it holds, in milliseconds since the epoch. */
  readonly at: number
  readonly until: number
  /** Where a daily cap is set: the day that counts the claimed mails. */
  readonly day: string | null
  /** How many were found to exceed the daily cap. */
  readonly held: number
  readonly outages: readonly ProviderOutage[]
  /** The provider that this consumer is to try before anybody else does. */
  readonly probing: string | null
}

/** Left over by a lease for no reason of its own: look again after so long. */
const LEFT_OVER_MS = 5000

/**
 * Claims what is due: queued, or sending under a lease that ran out. One transaction decides besides which earlier
 * calls are repeated, how much of the daily cap is left, and who tries a provider whose pause is over.
 * @param deps D1, the clock, ids and the configuration
 * @param providers in the order they are asked
 * @param ids message ids, each once, at most a batch of them. They travel as one JSON parameter: D1 binds at most
 * 100.
 * @throws Outage
 */
export async function leaseMessages(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'newId' | 'config'>,
  providers: readonly MailProvider[],
  ids: readonly string[],
): Promise<Lease> {
  const now = deps.now()
  const until = now + leaseMs(deps.config)
  const plan = planKeys(deps, providers, ids)
  const table = sql`messages`
  const isDue = (
    row: SQL,
  ) => sql`((${row}.state = 'queued' and coalesce(${row}.not_before, 0) <= ${now})
    or (${row}.state = 'sending' and ${row}.lease_until <= ${now}))`
  // A mail that was held may go before midnight after all, if a place was given back.
  const isDueOrHeld = sql`(${isDue(table)} or (messages.state = 'queued' and messages.error = ${DAILY_CAP}))`
  const claim = {
    state: sql`'sending'`,
    attempts: sql`${messages.attempts} + 1`,
    leaseUntil: sql`${until}`,
    // Some come along before their time; should this consumer die, the sweeper must not wait for that.
    notBefore: sql`min(${messages.notBefore}, ${now})`,
  }
  const hasClaimed = sql`exists (select 1 from json_each(${JSON.stringify(ids)}) w
    join messages m on m.id = w.value where m.state = 'sending' and m.lease_until = ${until})`

  const claimFresh = deps.db
    .update(messages)
    .set({ ...claim, batchId: sql`w.value ->> 'key'` })
    .from(sql`json_each(${JSON.stringify(plan.wanted)}) w`)
    .where(
      sql`${messages.id} = w.value ->> 'id' and ${isDueOrHeld} and not (${plan.isRepeat(table)})
        and ${hasPlaceToday(deps, ids, isDueOrHeld, plan.isRepeat(table))}`,
    )
    .returning({ id: messages.id })
  const lookAround = [
    ...outageStatements(deps, providers, hasClaimed),
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
        provider: messages.provider,
        error: messages.error,
        batchId: messages.batchId,
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
        isSuppressed: sql<number>`${isSuppressed(sql`${messages.toEmail}`, now)}`.as(
          'is_suppressed',
        ),
      })
      .from(messages)
      .leftJoin(users, eq(users.id, messages.userId))
      .where(sql`${messages.id} in (${withRepeatedCalls(plan, until)})`),
  ] as const

  async function claimAll() {
    const [repeated, fresh, , , held, , , ...seen] = await deps.batch([
      claimRepeatedCalls(deps, plan, { set: claim, due: isDue(sql`m`) }, now),
      claimFresh,
      countPlaces(deps),
      ...holdUntilTomorrow(deps, ids, sql`${isDue(table)} and not (${plan.isRepeat(table)})`),
      ...rememberCalls(deps, plan, until),
      ...lookAround,
    ])
    return { repeated, fresh, held, seen }
  }

  /** Where nobody knows keys and no cap is set, the other statements would find nothing to do. */
  async function claimPlainly() {
    const [fresh, ...seen] = await deps.batch([claimFresh, ...lookAround])
    return { repeated: [], fresh, held: [], seen }
  }

  const isPlain = plan.repeatable === '[]' && deps.config.MAIL_DAILY_CAP === null
  const claims = await (isPlain ? claimPlainly() : claimAll())
  const { repeated, fresh, held } = claims
  const [[probe], outages, rows] = claims.seen
  const isRepeat = new Map([
    ...repeated.map(({ id }) => [id, true] as const),
    ...fresh.map(({ id }) => [id, false] as const),
  ])
  return {
    claimed: rows.flatMap((row) => {
      const repeats = isRepeat.get(row.id)
      return repeats === undefined ? [] : [leasedMessage(row, repeats)]
    }),
    notDue: new Map(
      rows
        .filter((row) => row.state === 'queued')
        .map((row) => [row.id, Math.max(row.notBefore ?? 0, now + LEFT_OVER_MS)]),
    ),
    at: now,
    until,
    day: deps.config.MAIL_DAILY_CAP === null ? null : utcDay(now),
    held: held.length,
    outages,
    probing: probe?.provider ?? null,
  }
}

interface MessageRow
  extends Omit<LeasedMessage, 'user' | 'isOwnedByAnother' | 'isSuppressed' | 'isRepeat'> {
  userId: string | null
  userEmail: string | null
  pendingEmail: string | null
  emailVerifiedAt: number | null
  userGeneration: number | null
  isOwnedByAnother: number
  isSuppressed: number
}

function leasedMessage(row: MessageRow, isRepeat: boolean): LeasedMessage {
  const { userId, userEmail, pendingEmail, emailVerifiedAt, userGeneration, ...message } = row
  return {
    ...message,
    isRepeat,
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
