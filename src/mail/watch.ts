// The eye that the cron keeps on mails. Most are sent, and reported, within seconds: to index every one of them for the
// sweeper would be a row more to write for each. So a mail is written without an entry there, and the cron goes once a
// minute along the keys: what it finds unsettled a minute after it was made gets `watched_at`, and with it the entry
// that the sweeper, /healthz and the daily cap find it by.
//
// A row may come later than its key: the request makes the id before its batch is committed, and a batch may be tried
// again for tens of seconds. So each mail is looked at once a minute for ten minutes after its first one, wherever the
// cron has come to, and a row that appears behind it is found all the same. It is read some thirteen times thereby,
// at a thousandth of a row written each.

import { type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { cursors, messages } from '../schema.ts'
import { firstIdOf } from '../uuid-v7.ts'

/** From this age on. */
const WATCHED_FROM_MS = 60_000
/** A row may appear so long after its id was made. */
const LATE_BY_MS = 11 * 60_000
/** Bounds how far one run goes on: after a long outage of the cron the next runs make up for it. */
const MAX_KEYS = 50_000

/** In `cursors`: `up_to` is how far the cron has come, `after` from where it looks the next time. */
const MAILS = 'mails'

/** A condition on `messages`: what the cron has an eye on. The partial index is found by its own condition only, spelled out. */
export const isWatched = sql`messages.watched_at is not null and messages.settled_at is null`

const passed = sql`coalesce((select up_to from cursors where name = ${MAILS}), '')`

/** A condition on `messages`, by key: what the cron has not come to yet; normally what was written within two minutes. */
export const isAhead = sql`messages.id > ${passed}`

/**
 * Statements that begin to watch what is not settled, and remember how far they came. A wrong clock does no harm: the
 * cursor never goes back, and it only ever stands at a mail that there is, so a run whose clock is ahead passes nothing
 * that is yet to be written. Should it stand in the future, at a mail whose id is from there, the last minutes are
 * looked at all the same.
 * @param db builds them
 * @param now milliseconds since the epoch
 * @param maxKeys how far to go on at most, in mails
 */
export function watchUnsettled({ db }: Pick<Deps, 'db'>, now: number, maxKeys = MAX_KEYS) {
  const young = firstIdOf(now - WATCHED_FROM_MS + 1)
  const late = firstIdOf(now - LATE_BY_MS)
  const from = sql`coalesce((select after from cursors where name = ${MAILS}), '')`
  const upTo = sql`coalesce((select max(id) from (select id from messages
    where id > ${passed} and id < ${young} order by id limit ${maxKeys})), ${passed})`
  return [
    db
      .update(messages)
      .set({ watchedAt: now })
      .where(
        sql`${messages.id} > ${from} and ${messages.id} <= min(${upTo}, ${young})
          and settled_at is null and watched_at is null`,
      ),
    db
      .insert(cursors)
      // The next run begins where no row that appears from now on can be older, by its key.
      // `where true` keeps SQLite from reading `on conflict` as a join constraint.
      .select(
        sql`select ${MAILS}, min(up_to, ${late}), up_to
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
 * The value of `watched_at` for a mail that shall be watched from now on, if it is not yet: one that has to wait for
 * long, or that was settled and is not any more.
 * @param now milliseconds since the epoch
 */
export function watchedSince(now: number): SQL<number> {
  return sql<number>`coalesce(messages.watched_at, ${now})`
}
