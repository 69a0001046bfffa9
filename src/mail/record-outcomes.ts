// Second round trip of the consumer: write down how it went, for the whole batch.

import { sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { events, type MessageState, messages } from '../schema.ts'
import type { EventType } from '../timeline/record.ts'

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
  readonly event: EventType
}

/**
 * Records all outcomes and their events in one round trip, whatever their number.
 * @param deps D1 and the clock
 * @param outcomes of a batch
 * @throws Outage
 */
export async function recordOutcomes(
  deps: Pick<Deps, 'db' | 'batch' | 'now'>,
  outcomes: readonly RecordedOutcome[],
): Promise<void> {
  const rows = sql`json_each(${JSON.stringify(outcomes)}) o`
  const given = (name: keyof RecordedOutcome) => sql`o.value ->> ${name}`
  await deps.batch([
    // First, while the rows still show who claimed them.
    deps.db
      .insert(events)
      .select(
        sql`select m.user_id, ${deps.now()}, ${given('event')}, m.id, ${given('provider')}, null,
          coalesce(${given('error')}, ${given('providerMessageId')})
          from ${rows} join messages m on m.id = ${given('id')}
          where m.state = 'sending' and m.attempts = ${given('leasedAttempt')}
            and m.user_id is not null`,
      )
      .onConflictDoNothing(),
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
      })
      .from(rows)
      .where(
        sql`${messages.id} = ${given('id')} and ${messages.state} = 'sending'
          and ${messages.attempts} = ${given('leasedAttempt')}`,
      ),
  ])
}
