// What has grown old goes: claims nobody proved, sessions at their end, the records of mails and the timeline's
// entries after their time. The cron runs it every minute, each time with a bounded amount of work.
//
// Tables whose keys begin with an instant are cut off by key. The others have no index by age (it would be paid
// for with every row written, to find what is read once): they are gone through in slices.

import { inArray, lt, lte, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { DISOWN_TTL_MS, UNDO_TTL_MS } from '../mail/links.ts'
import { utcDay } from '../mail/utc-day.ts'
import {
  dailySends,
  emailChanges,
  events,
  mailBatches,
  messages,
  retiredLinks,
  sessions,
  suppressions,
  users,
} from '../schema.ts'
import { inSlice, nextSlice, SLICE_KEYS } from '../slices.ts'
import { firstIdOf } from '../uuid-v7.ts'

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
/** The undo link is minted when the notice is sent, which may be late; it must find its row to the end. */
const EMAIL_CHANGE_KEPT_MS = UNDO_TTL_MS + 2 * DAY_MS
/** Providers that know a call by its key forget the key after a day. */
const MAIL_BATCH_KEPT_MS = 25 * HOUR_MS
const DAILY_SENDS_KEPT_MS = 7 * DAY_MS

/** How many rows of each kind went. */
export interface Pruned {
  readonly claims: number
  readonly sessions: number
  readonly events: number
  readonly messages: number
  readonly emailChanges: number
  readonly suppressions: number
}

/**
 * One run, in one round trip to D1. It has a transaction of its own: a table that cannot be pruned must not keep
 * the sweeper from sending lost mail.
 * @param deps D1, the clock and how long things are kept
 * @throws Outage; the slices stay where they were, and the next run makes up for it
 */
export async function prune(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'config' | 'log'>,
): Promise<Pruned> {
  const [, , , claims, oldSessions, oldEvents, oldMessages, , oldChanges, oldSuppressions] =
    await deps.batch(pruningStatements(deps, deps.now()))
  const pruned = {
    claims: claims.length,
    sessions: oldSessions.length,
    events: oldEvents.length,
    messages: oldMessages.length,
    emailChanges: oldChanges.length,
    suppressions: oldSuppressions.length,
  }
  if (Object.values(pruned).some((count) => count > 0)) deps.log('sweep', { pruned: { ...pruned } })
  return pruned
}

/** One row per row that went, and nothing of what was in it. */
const counted = { one: sql<number>`1`.as('one') }

function pruningStatements({ db, config }: Pick<Deps, 'db' | 'config'>, now: number) {
  const oldestChange = firstIdOf(now - EMAIL_CHANGE_KEPT_MS)
  return [
    nextSlice(db, 'claims', users, users.id),
    // Whole users, here and for events: a slice ends with the last row of the user that its last key is about.
    nextSlice(db, 'sessions', sessions, sessions.userId),
    nextSlice(db, 'events', events, events.userId),
    db
      .delete(users)
      .where(
        sql`${inSlice('claims', users.id)} and email_verified_at is null
          and created_at < ${now - config.CLAIM_TTL}`,
      )
      .returning(counted),
    db
      .delete(sessions)
      .where(sql`${inSlice('sessions', sessions.userId)} and expires_at <= ${now}`)
      .returning(counted),
    db
      .delete(events)
      .where(sql`${inSlice('events', events.userId)} and at < ${now - config.EVENTS_RETENTION}`)
      .returning(counted),
    db
      .delete(messages)
      .where(
        inArray(
          messages.id,
          sql`(select id from messages where id < ${firstIdOf(now - config.LEDGER_TTL)}
            and state not in ('queued', 'sending') order by id limit ${SLICE_KEYS})`,
        ),
      )
      .returning(counted),
    // A pending change ends with the row that applying it takes.
    db
      .update(users)
      .set({ pendingEmail: null })
      .where(
        sql`id in (select user_id from email_changes where id < ${oldestChange})
          and pending_email in (select to_email from email_changes
            where user_id = users.id and id < ${oldestChange})`,
      ),
    db.delete(emailChanges).where(lt(emailChanges.id, oldestChange)).returning(counted),
    db.delete(suppressions).where(lte(suppressions.expiresAt, now)).returning(counted),
    // No link that it could hold against is older.
    db.delete(retiredLinks).where(lt(retiredLinks.retiredAt, now - DISOWN_TTL_MS)),
    db.delete(mailBatches).where(lt(mailBatches.id, firstIdOf(now - MAIL_BATCH_KEPT_MS))),
    db.delete(dailySends).where(lt(dailySends.day, utcDay(now - DAILY_SENDS_KEPT_MS))),
  ] as const
}
