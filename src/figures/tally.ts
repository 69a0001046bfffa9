// Refused requests, counted in memory: turning one away must not touch the D1 that it was turned away from.
//
// Each isolate counts for itself, and writes after requests that were let through, at most once in thirty seconds; a
// flood alone writes nothing. What an isolate has not written when it ends, or when D1 does not answer, is
// lost: these figures say "at least".

import { sql } from 'drizzle-orm'
import { reasonOf } from '../bounded.ts'
import type { Deps } from '../deps.ts'
import { figures } from '../schema.ts'
import { hourOf } from './metrics.ts'

const WRITTEN_EVERY_MS = 30_000

/** The refusals of one isolate. */
export interface Tally {
  /**
   * Counts one refusal.
   * @param policy the name of the limit
   */
  readonly refused: (policy: string) => void
  /**
   * Writes what was counted, where that is due. Never rejects.
   * @returns the write to wait for after the response, or null where none is due
   */
  readonly writeWhenDue: () => Promise<void> | null
  /**
   * Hands over what is not written yet, as a statement for the cron's batch; null where there is nothing. Whoever
   * takes it must run it: it is not counted again.
   */
  readonly take: () => ReturnType<typeof addRefusals> | null
}

/**
 * Makes one. It belongs to an isolate, not to a request.
 * @param deps D1, the clock and the log
 */
export function createTally(deps: Pick<Deps, 'db' | 'batch' | 'now' | 'log'>): Tally {
  /** By hour and policy: as many entries as there are limits. */
  const counts = new Map<string, Refusals>()
  let takenAt = Number.NEGATIVE_INFINITY

  function take() {
    if (counts.size === 0) return null
    takenAt = deps.now()
    const rows = [...counts.values()]
    counts.clear()
    return addRefusals(deps.db, rows)
  }

  async function write(): Promise<void> {
    const statement = take()
    if (statement === null) return
    try {
      await deps.batch([statement])
    } catch (error) {
      // Not tried again: where only the answer was lost, they would count twice.
      deps.log('outage', { reason: reasonOf(error), path: 'figures' })
    }
  }

  return {
    refused(policy) {
      const hour = hourOf(deps.now())
      const key = `${hour} ${policy}`
      counts.set(key, { hour, policy, count: (counts.get(key)?.count ?? 0) + 1 })
    },
    writeWhenDue() {
      return counts.size === 0 || deps.now() - takenAt < WRITTEN_EVERY_MS ? null : write()
    },
    take,
  }
}

interface Refusals {
  readonly hour: number
  readonly policy: string
  readonly count: number
}

function addRefusals(db: Deps['db'], rows: readonly Refusals[]) {
  return (
    db
      .insert(figures)
      // `where true` keeps SQLite from reading `on conflict` as a join constraint.
      .select(
        sql`select r.value ->> 'hour', 'refused', r.value ->> 'policy', r.value ->> 'count'
          from json_each(${JSON.stringify(rows)}) r where true`,
      )
      .onConflictDoUpdate({
        target: [figures.hour, figures.metric, figures.dimension],
        set: { count: sql`count + excluded.count` },
      })
  )
}
