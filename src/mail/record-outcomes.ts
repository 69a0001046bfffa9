// Second round trip of the consumer: write down how it went, for the whole batch.

import { sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import type { MessageState } from '../schema.ts'
import type { EventType } from '../timeline/record.ts'

/** How one claimed mail ended. */
export interface RecordedOutcome {
  readonly id: string
  /** The attempt under which it was claimed: a consumer that overslept its lease must not overwrite. */
  readonly claimedAttempt: number
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
  const rows = sql`(select value ->> 'id' as id, value ->> 'claimedAttempt' as claimed_attempt,
      value ->> 'attempts' as attempts, value ->> 'state' as state, value ->> 'notBefore' as not_before,
      value ->> 'provider' as provider, value ->> 'providerMessageId' as provider_message_id,
      value ->> 'error' as error, value ->> 'sentAt' as sent_at, value ->> 'settledAt' as settled_at,
      value ->> 'event' as event
    from json_each(${JSON.stringify(outcomes)})) o`
  await deps.batch([
    // First, while the rows still show who claimed them.
    deps.db.run(
      sql`insert into events (user_id, message_id, type, at, detail)
        select m.user_id, m.id, o.event, ${deps.now()}, o.error
        from ${rows} join messages m on m.id = o.id
        where m.state = 'sending' and m.attempts = o.claimed_attempt and m.user_id is not null`,
    ),
    deps.db.run(
      sql`update messages set state = o.state, attempts = o.attempts, not_before = o.not_before,
          lease_until = null, provider = o.provider, provider_message_id = o.provider_message_id,
          error = o.error, sent_at = o.sent_at, settled_at = o.settled_at
        from ${rows}
        where messages.id = o.id and messages.state = 'sending'
          and messages.attempts = o.claimed_attempt`,
    ),
  ])
}
