// The daily cap, for accounts that may send no more than so many mails a day (UTC). D1 decides, in the transaction
// that claims the mails: however many consumers run at once, no more than the cap is handed to providers.

import { type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { dailySends, messages } from '../schema.ts'
import { recordMailEvents } from '../timeline/record.ts'
import { DAILY_CAP, isNotice } from './outbox.ts'
import { nextUtcDay, utcDay } from './utc-day.ts'
import { isWatched } from './watch-unsettled.ts'

type CapDeps = Pick<Deps, 'db' | 'now' | 'config'>

/**
 * One place in so many is not for sign-ups: anybody can make those up, and use up the day with them. It is kept for
 * mail to accounts: a reset, the undo of a change.
 */
const KEPT_FOR_ACCOUNTS = 5

/** How many of so many places a day are free at an instant. */
function placesLeft(places: number, at: number): SQL {
  return sql`max(0, ${places} - coalesce(
    (select count from daily_sends where day = ${utcDay(at)}), 0))`
}

/**
 * Whether a mail may still be claimed today. All that is watched is ranked with the batch at hand, or a newcomer
 * would overtake those that wait since yesterday: links before notices (somebody sits and waits for a link),
 * then the oldest first. Of the newcomers of this minute each batch ranks its own.
 * @param deps the cap and the clock
 * @param ids of the mails at hand
 * @param isDue whether a row of `messages` could be claimed now
 * @param takesNoPlace whether a row has had its place already
 * @returns a condition on `messages`; true where no cap is set, and then nothing is scanned
 */
export function hasPlaceToday(
  { now, config }: CapDeps,
  ids: readonly string[],
  isDue: SQL,
  takesNoPlace: SQL,
): SQL {
  const cap = config.MAIL_DAILY_CAP
  if (cap === null) return sql`true`
  const left = placesLeft(cap, now())
  return sql`messages.id in (select id from (
      select messages.id, kind, created_at, row_number() over (
        partition by kind = 'verify_email' order by created_at, messages.id) as nth
      from messages where messages.id in (select messages.id from messages where ${isWatched}
          union all select value from json_each(${JSON.stringify(ids)}))
        and ${isDue} and not (${takesNoPlace}))
    where kind <> 'verify_email' or nth <= ${left} - ${Math.floor(cap / KEPT_FOR_ACCOUNTS)}
    order by ${isNotice(sql`kind`)}, created_at, id
    limit ${left})`
}

/**
 * A statement that counts the mails which the statement before it has claimed, of the same batch.
 * @param deps the cap and the clock
 */
export function countPlaces({ db, now, config }: CapDeps) {
  return db
    .insert(dailySends)
    .select(
      sql`select ${utcDay(now())}, changes()
        where changes() > 0 and ${config.MAIL_DAILY_CAP !== null}`,
    )
    .onConflictDoUpdate({
      target: dailySends.day,
      set: { count: sql`${dailySends.count} + excluded.count` },
    })
}

/**
 * Statements that let what found no place wait for the next day, with an entry in the timeline. It is watched from this
 * moment on, or it would be overtaken.
 * @param deps the cap and the clock
 * @param ids of the mails at hand
 * @param isLeftOver whether a row of `messages` could have been claimed, and was not
 */
export function holdUntilTomorrow(
  { db, now, config }: CapDeps,
  ids: readonly string[],
  isLeftOver: SQL,
) {
  const held = sql`messages.id in (select value
    from json_each(${JSON.stringify(config.MAIL_DAILY_CAP === null ? [] : ids)})) and ${isLeftOver}`
  return [
    recordMailEvents(db, { which: held, type: 'mail_deferred', at: now(), detail: DAILY_CAP }),
    db
      .update(messages)
      .set({
        state: 'queued',
        leaseUntil: null,
        notBefore: nextUtcDay(now()),
        error: DAILY_CAP,
        watchedAt: now(),
      })
      .where(held)
      .returning({ id: messages.id }),
  ] as const
}

/**
 * A statement that gives places back.
 * @param db builds it
 * @param day the day they were taken of, such as `2026-11-21`
 * @param count how many
 */
export function givePlacesBack({ db }: Pick<Deps, 'db'>, day: string, count: SQL) {
  return db
    .update(dailySends)
    .set({ count: sql`max(0, ${dailySends.count} - ${count})` })
    .where(sql`${dailySends.day} = ${day}`)
}

/**
 * A statement that lets held mails go before the day is over, where there is room again: the cap was raised or lifted,
 * or places were given back. The sweeper enqueues them.
 * @param deps the cap and the clock
 */
export function releaseHeld({ db, now, config }: CapDeps) {
  const cap = config.MAIL_DAILY_CAP
  const room =
    cap === null
      ? sql`${RELEASED_AT_ONCE}`
      : placesLeft(cap - Math.floor(cap / KEPT_FOR_ACCOUNTS), now())
  return db
    .update(messages)
    .set({ notBefore: now() - RELEASED_SINCE_MS, error: null })
    .where(
      sql`messages.id in (select id from messages where ${isWatched} and state = 'queued'
        and error = ${DAILY_CAP} and not_before > ${now()}
        order by ${isNotice(sql`kind`)}, created_at, id limit ${room})`,
    )
}

/** Bounds the work of one run of the sweeper. */
const RELEASED_AT_ONCE = 500
/** So that the sweeper finds them overdue in the same run. */
const RELEASED_SINCE_MS = 60_000
