// Second round trip of the consumer: write down how it went, for the whole batch.

import { sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { events, type MessageState, mailBatches, messages, providerOutages } from '../schema.ts'
import { wasAccepted } from '../timeline/derived-events.ts'
import type { EventType } from '../timeline/record.ts'
import type { ProviderOutage } from './choose-provider.ts'
import { givePlacesBack } from './daily-cap.ts'
import type { Lease } from './lease-messages.ts'

/** How one claimed mail ended. */
export interface RecordedOutcome {
  readonly id: string
  /** The attempt under which it was claimed: a consumer that overslept its lease must not overwrite. */
  readonly leasedAttempt: number
  /** The attempts to keep: one less for a mail that was claimed but never tried. */
  readonly attempts: number
  readonly state: Extract<MessageState, 'queued' | 'sent' | 'failed' | 'suppressed' | 'expired'>
  readonly notBefore: number | null
  readonly provider: string | null
  readonly providerMessageId: string | null
  readonly error: string | null
  readonly sentAt: number | null
  readonly settledAt: number | null
  /** The call that it may have been accepted with; null where that is settled. */
  readonly batchId: string | null
  /** Whether it was certainly not handed over, so that its place of the day is free again. */
  readonly freesPlace: boolean
  /** What to say in the timeline, each at its own instant; an acceptance is written where the ledger does not say it. */
  readonly events: readonly OutcomeEvent[]
}

export interface OutcomeEvent {
  readonly type: EventType
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly provider: string | null
  readonly detail: string | null
}

/** All that one run of the consumer has to write down. */
export interface RunRecord {
  readonly outcomes: readonly RecordedOutcome[]
  /** Providers found to be down. */
  readonly down: readonly ProviderOutage[]
  /** Names of providers that are back. */
  readonly recovered: readonly string[]
  /** Calls that got a key of their own in the run, and may have to be repeated. */
  readonly calls: readonly { readonly id: string; readonly messageIds: readonly string[] }[]
}

/**
 * Records a run in one round trip, whatever the number of mails. To record it twice changes nothing more. What the
 * run says nothing of gets no statement: each one costs time, also where it finds nothing to do.
 * @param deps D1
 * @param lease under which the mails were claimed
 * @param run what came of it
 * @throws Outage
 */
export async function recordOutcomes(
  deps: Pick<Deps, 'db' | 'batch'>,
  lease: Pick<Lease, 'until' | 'day'>,
  { outcomes, down, recovered, calls }: RunRecord,
): Promise<void> {
  const rows = sql`json_each(${JSON.stringify(outcomes)}) o`
  const given = (name: keyof RecordedOutcome) => sql`o.value ->> ${name}`
  const told = sql`json_each(${JSON.stringify(
    outcomes.flatMap(({ id, leasedAttempt, events }) =>
      events.map((event) => ({ ...event, id, leasedAttempt })),
    ),
  )}) e`
  const tells = (name: keyof OutcomeEvent | 'id' | 'leasedAttempt') => sql`e.value ->> ${name}`
  // A report that came before this moved the row on already: then its state stands, and nothing is given back.
  const isStillOurs = sql`messages.state = 'sending' and messages.lease_until = ${lease.until}
    and messages.attempts = ${given('leasedAttempt')}`

  const isAcceptance = sql`${tells('type')} = 'mail_accepted'`
  // A report that came before this told of the same acceptance, or of an earlier one.
  const isTold = sql`${wasAccepted(sql`m`)} and m.provider is ${tells('provider')}
    and (${tells('detail')} is null or m.provider_message_id is null
      or m.provider_message_id = ${tells('detail')})`

  await deps.batch([
    // First, while the rows still show who claimed them.
    deps.db
      .insert(events)
      .select(
        sql`select m.user_id, ${tells('at')}, ${tells('type')}, m.id, ${tells('provider')}, null,
          ${tells('detail')} from ${told} join messages m on m.id = ${tells('id')}
          where m.attempts = ${tells('leasedAttempt')}
            and iif(m.state = 'sending', m.lease_until = ${lease.until} and not ${isAcceptance},
              m.state <> 'queued' and not (${isAcceptance} and ${isTold}))`,
      )
      .onConflictDoNothing(),
    ...(lease.day === null || !outcomes.some(({ freesPlace }) => freesPlace)
      ? []
      : [
          givePlacesBack(
            deps,
            lease.day,
            sql`(select count(*) from ${rows} join messages on messages.id = ${given('id')}
              where ${given('freesPlace')} and ${isStillOurs})`,
          ),
        ]),
    deps.db
      .update(messages)
      .set({
        state: given('state'),
        attempts: given('attempts'),
        notBefore: given('notBefore'),
        leaseUntil: null,
        provider: given('provider'),
        providerMessageId: given('providerMessageId'),
        error: given('error'),
        sentAt: given('sentAt'),
        settledAt: given('settledAt'),
        batchId: given('batchId'),
      })
      .from(rows)
      .where(sql`${messages.id} = ${given('id')} and ${isStillOurs}`),
    ...(calls.length === 0 ? [] : [insertCalls(deps, calls)]),
    ...(down.length === 0 ? [] : [insertOutages(deps, down)]),
    ...(recovered.length === 0
      ? []
      : [
          deps.db
            .delete(providerOutages)
            .where(
              sql`${providerOutages.provider} in (select value from json_each(${JSON.stringify(recovered)}))`,
            ),
        ]),
  ])
}

function insertCalls({ db }: Pick<Deps, 'db'>, calls: RunRecord['calls']) {
  return db
    .insert(mailBatches)
    .select(
      sql`select c.value ->> 'id', c.value -> 'messageIds'
        from json_each(${JSON.stringify(calls)}) c where true`,
    )
    .onConflictDoNothing()
}

function insertOutages({ db }: Pick<Deps, 'db'>, down: RunRecord['down']) {
  return db
    .insert(providerOutages)
    .select(
      sql`select d.value ->> 'provider', d.value ->> 'failures', d.value ->> 'since',
        d.value ->> 'downUntil', d.value ->> 'reason'
        from json_each(${JSON.stringify(down)}) d where true`,
    )
    .onConflictDoUpdate({
      target: providerOutages.provider,
      set: {
        failures: sql`excluded.failures`,
        // Of two consumers the one that was asked to wait longer is right.
        downUntil: sql`max(${providerOutages.downUntil}, excluded.down_until)`,
        reason: sql`excluded.reason`,
      },
    })
}
