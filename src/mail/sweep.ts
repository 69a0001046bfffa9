// The sweeper: once a minute it begins to watch what takes long, enqueues again what the Queue lost, ends what nobody
// will end, and flags what was accepted and then never heard of.

import { inArray, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { messages } from '../schema.ts'
import { userOf } from '../timeline/mails-of-user.ts'
import { recordMailEvents } from '../timeline/record.ts'
import { releaseHeld } from './daily-cap.ts'
import { isNotice } from './outbox.ts'
import { isWatched, watchLeftBehind, watchUnsettled } from './watch-unsettled.ts'

/** A mail due for so long without being sent is taken for lost. */
const OVERDUE_MS = 60_000
/** A mail swept once is left to the Queue for so long, or a backlog would be enqueued anew every minute. */
const SWEPT_FOR_MS = 5 * 60_000
/** Mail servers answer within minutes, and so do the providers' reports. */
const STALLED_AFTER_MS = 15 * 60_000
/** Providers try on for three days where the receiving server asks to wait; then they report the end of it. */
const DEFERRED_FOR_MS = 4 * 24 * 60 * 60_000
const NEVER_FINISHED = 'the last attempt was never finished'
/** Bounds the work of one run; the next one is a minute away. */
const MAX_ROWS = 500

export interface SweepResult {
  readonly enqueued: number
  /** Mails given up because each attempt took its consumer down with it. */
  readonly abandoned: number
  /** Mails newly found accepted and silent. */
  readonly stalled: number
}

/**
 * One run, in one round trip to D1.
 * @param deps capabilities
 * @throws Outage; the next run makes up for it
 */
export async function sweep(deps: Deps): Promise<SweepResult> {
  const now = deps.now()
  const [, , , abandoned, , stalled, , overdue] = await deps.batch([
    // First: what it finds is looked at in this same run.
    ...watchUnsettled(deps, now),
    ...ending(deps, isAbandoned(deps, now), 'mail_failed', {
      state: 'failed',
      error: NEVER_FINISHED,
      settledAt: now,
    }),
    // Nothing more is waited for; a report that comes all the same still counts.
    ...ending(deps, isStalled(now), 'mail_stalled', { stalledAt: now, settledAt: now }),
    releaseHeld(deps),
    // A queued row has no lease; here the column says until when a copy is believed to be in the Queue.
    deps.db
      .update(messages)
      .set({ leaseUntil: now + SWEPT_FOR_MS, state: 'queued' })
      .where(
        inArray(
          messages.id,
          sql`(select id from messages where ${isWatched} and state in ('queued', 'sending')
            and created_at <= ${now - OVERDUE_MS}
            and coalesce(not_before, 0) <= ${now - OVERDUE_MS}
            and coalesce(lease_until, 0) <= ${now}
            order by ${isNotice(sql`kind`)}, created_at limit ${MAX_ROWS})`,
        ),
      )
      .returning({ id: messages.id }),
    ...watchLeftBehind(deps, now),
  ])

  for (const { id, userId } of abandoned) {
    deps.log('mail_failed', { messageId: id, userId, reason: NEVER_FINISHED })
  }
  for (const { id, userId, provider } of stalled) {
    deps.log('mail_stalled', { messageId: id, userId, ...(provider === null ? {} : { provider }) })
  }
  await deps.enqueue(overdue.map(({ id }) => id))
  if (overdue.length > 0) deps.log('sweep', { count: overdue.length })
  return { enqueued: overdue.length, abandoned: abandoned.length, stalled: stalled.length }
}

/** A mail that takes its consumer down with it, each time, must come to an end as well. */
const isAbandoned = ({ config }: Deps, now: number) => sql`${isWatched}
  and messages.created_at <= ${now} and messages.state = 'sending'
  and messages.lease_until <= ${now} and messages.attempts >= ${config.MAIL_MAX_ATTEMPTS}`

const isStalled = (now: number) => sql`${isWatched}
  and messages.created_at <= ${now - STALLED_AFTER_MS}
  and ((messages.state = 'sent' and messages.sent_at <= ${now - STALLED_AFTER_MS})
    or (messages.state = 'deferred' and messages.sent_at <= ${now - DEFERRED_FOR_MS}))`

/** Two statements: the timeline's entry for each mail concerned, then what becomes of it. */
function ending(
  { db, now }: Deps,
  which: ReturnType<typeof sql>,
  event: 'mail_failed' | 'mail_stalled',
  values: Partial<typeof messages.$inferInsert>,
) {
  return [
    recordMailEvents(db, {
      which,
      type: event,
      at: now(),
      detail: values.error ?? null,
      namesProvider: true,
    }),
    db
      .update(messages)
      .set(values)
      .where(which)
      .returning({
        id: messages.id,
        userId: userOf(sql`messages`).as('user_id'),
        provider: messages.provider,
      }),
  ] as const
}
