// What the desk did, by whom and why: in the timeline of the user it was done to, in the batch of what was
// done, and in the log.

import { type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { type EventType, recordEvent } from '../timeline/record.ts'

/** Who of the desk acts, and why. */
export interface Action {
  readonly actor: string
  readonly reason: string
}

export type SupportEvent = Extract<EventType, `support_${string}`>

/**
 * A statement that records an action, unless its user is gone. Two of one kind at one millisecond are two: the
 * timeline's key takes them for one fact, so the later one moves on by a millisecond.
 * @param deps the clock, and what builds the statement
 * @param event what was done and to whom; `userId` and `onlyIf` as in `recordEvent`
 * @param action who and why
 */
export function recordSupport(
  deps: Pick<Deps, 'db' | 'now'>,
  event: {
    readonly userId: SQL | string
    readonly type: SupportEvent
    readonly messageId?: string | null
    readonly onlyIf?: SQL
    /** The reason, unless there is something to put before it. */
    readonly detail?: string
  },
  action: Action,
) {
  const now = deps.now()
  return recordEvent(deps.db, {
    ...event,
    at: sql`coalesce((select max(e.at) + 1 from events e where e.user_id = u.id
      and e.at >= ${now} and e.type = ${event.type}), ${now})`,
    detail: event.detail ?? action.reason,
    actor: action.actor,
  })
}

/**
 * Notes an action in the log. The reason stays in the timeline: people write addresses into it.
 * @param deps the log
 * @param type what was done
 * @param action who
 * @param about to whom
 */
export function logSupport(
  deps: Pick<Deps, 'log'>,
  type: SupportEvent,
  action: Pick<Action, 'actor'>,
  about: {
    readonly userId?: string | null
    readonly messageId?: string
    readonly email?: string
    readonly count?: number
  },
): void {
  deps.log('support_action', { ...about, actor: action.actor, reason: type })
}
