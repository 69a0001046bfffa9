// The eye that the cron keeps on mails. Most are sent, and reported, within seconds: to index every one of them for the
// sweeper would be a row more to write for each. So a mail is written without an entry there, and the cron goes once a
// minute along the keys: what it finds unsettled a minute after it was made gets `watched_at`, and with it the entry
// that the sweeper, /healthz and the daily cap find it by.
//
// A row may appear after the cron has passed its key: its id is made before its batch commits, and D1 may commit late.
// So every run looks again at all keys of the last eleven minutes, far more than any commit takes. A mail is thus read
// some thirteen times; a read costs a thousandth of a write. And below all that goes a slow net, for what no clock and
// no earlier version of this program should leave behind: the whole ledger, slice by slice.

import { sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { cursors, messages } from '../schema.ts'
import { inSlice, nextSlice } from '../slices.ts'
import { firstIdOf } from '../uuid-v7.ts'

/** From this age on. */
const WATCHED_FROM_MS = 60_000
/** A row may appear so long after its id was made. */
const LATE_BY_MS = 11 * 60_000
/** Bounds how far one run goes on: after a long outage of the cron the next runs make up for it. */
const MAX_KEYS = 50_000

/** In `cursors`: `up_to` is how far the cron has come, `after` from where it looks the next time. */
const CURSOR = 'mails'

/**
 * A condition on `messages`: watched, and not settled yet. The partial index is found by its own condition only,
 * spelled out.
 */
export const isWatched = sql`messages.watched_at is not null and messages.settled_at is null`

const reachedKey = sql`coalesce((select up_to from cursors where name = ${CURSOR}), '')`

/** A condition on `messages`, by key: what the cron has not come to yet, normally what the last two minutes wrote. */
export const isBeyondCursor = sql`messages.id > ${reachedKey}`

/**
 * Statements that begin to watch what is not settled, and remember how far they came. A wrong clock does no harm:
 * `up_to` never goes back (`after` may, to where a late row can still appear), and it only ever stands at a mail that
 * there is, so a run whose clock is ahead passes nothing that is yet to be written. Should it stand in the future, at a
 * mail whose id is from there, the last minutes are looked at all the same.
 * @param db builds them
 * @param now milliseconds since the epoch
 * @param maxKeys how far to go on at most, in mails
 */
export function watchUnsettled({ db }: Pick<Deps, 'db'>, now: number, maxKeys = MAX_KEYS) {
  const youngKey = firstYoungKey(now)
  const oldestLateKey = firstIdOf(now - LATE_BY_MS)
  const from = sql`coalesce((select after from cursors where name = ${CURSOR}), '')`
  const upTo = sql`coalesce((select max(id) from (select id from messages
    where id > ${reachedKey} and id < ${youngKey} order by id limit ${maxKeys})), ${reachedKey})`
  return [
    db
      .update(messages)
      .set({ watchedAt: now })
      .where(
        sql`${messages.id} > ${from} and ${messages.id} <= min(${upTo}, ${youngKey})
          and ${isUnwatched}`,
      ),
    db
      .insert(cursors)
      // The next run begins where no row that appears from now on can be older, by its key.
      // `where true` keeps SQLite from reading `on conflict` as a join constraint.
      .select(
        sql`select ${CURSOR}, min(up_to, ${oldestLateKey}), up_to
          from (select ${upTo} as up_to) where true`,
      )
      .onConflictDoUpdate({
        target: cursors.name,
        set: { after: sql`excluded.after`, upTo: sql`excluded.up_to` },
        setWhere: sql`(${cursors.after}, ${cursors.upTo}) is not (excluded.after, excluded.up_to)`,
      }),
  ] as const
}

/**
 * Statements that begin to watch what is unsettled in the next slice of the ledger. What they find is swept a minute
 * later.
 * @param db builds them
 * @param now milliseconds since the epoch
 */
export function watchLeftBehind({ db }: Pick<Deps, 'db'>, now: number) {
  return [
    nextSlice(db, 'unwatched', messages, messages.id),
    db
      .update(messages)
      .set({ watchedAt: now })
      .where(
        sql`${inSlice('unwatched', messages.id)} and ${messages.id} < ${firstYoungKey(now)}
          and ${isUnwatched}`,
      ),
  ] as const
}

const isUnwatched = sql`messages.settled_at is null and messages.watched_at is null`

/** The lowest id that is too young to be watched. */
function firstYoungKey(now: number): string {
  return firstIdOf(now - WATCHED_FROM_MS + 1)
}
