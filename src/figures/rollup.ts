// The cron's count, by the hour, of what the desk shows: no view of the figures scans what they count.
//
// It keeps no account of how far it came. Each run counts whole hours anew: the one that goes on, the one before,
// and one of the older ones in turn, for what happens late. Run twice it changes nothing; runs that were missed are
// made up for. An hour is found by key: ids begin with the instant they were made at, and the timeline lies by user.
//
// Rivals of a proven claim and claims that ran out vanish from the tables, with their timelines. The figures stay
// at the most that was ever counted.

import { lt, type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { WITHHELD } from '../mail/outbox.ts'
import { figures } from '../schema.ts'
import { wasAccepted } from '../timeline/derived-events.ts'
import { newestMailFrom } from '../timeline/mails-of-user.ts'
import { firstIdOf } from '../uuid-v7.ts'
import { BUCKETS, DAY_MS, FUNNEL, HOUR_MS, hourOf, LONGER } from './metrics.ts'

const MINUTE_MS = 60_000
/** For so long after its end an hour is still counted: a link works for 24 hours, a mail is tried for nine. */
const COUNTED_HOURS = 72
/** An hour names so many domains that bounce, the ones with the most first. */
const NAMED_DOMAINS = 10
/** Some 700,000 rows where every hour has forty figures; an hour has fewer than ninety. */
const KEPT_MS = 2 * 365 * DAY_MS

/**
 * Counts three hours, in one round trip to D1. What it reads grows with what happened in these hours, not with the
 * tables.
 * @param deps D1 and the clock, and the refusals that this isolate has not written down yet
 * @throws Outage; the next run makes up for it
 */
export async function rollUp(deps: Pick<Deps, 'db' | 'batch' | 'now' | 'tally'>): Promise<void> {
  const now = deps.now()
  const hours = hoursToCount(now)
  const refusals = deps.tally.take()
  await deps.batch([
    countPeople(deps.db, hours),
    countMails(deps.db, hours),
    deps.db.delete(figures).where(lt(figures.hour, now - KEPT_MS)),
    ...(refusals === null ? [] : [refusals]),
  ])
}

/**
 * The hours that a run counts: the current, the previous, and in each minute another of the older ones, so that
 * every one comes round within 72 minutes.
 * @param now milliseconds since the epoch
 * @returns their first milliseconds
 */
export function hoursToCount(now: number): number[] {
  const older = 2 + (Math.floor(now / MINUTE_MS) % (COUNTED_HOURS - 2))
  return [0, 1, older].map((back) => hourOf(now) - back * HOUR_MS)
}

/** The hours with their range of ids, as a row source `h`; one parameter. */
function hourRows(hours: readonly number[]): SQL {
  const rows = hours.map((hour) => ({
    hour,
    first: firstIdOf(hour),
    end: firstIdOf(hour + HOUR_MS),
  }))
  return sql`json_each(${JSON.stringify(rows)}) h`
}
const isInHour = (id: SQL) => sql`${id} >= h.value ->> 'first' and ${id} < h.value ->> 'end'`
const hour = sql`h.value ->> 'hour'`

/**
 * The way from registering to verified. One row per person first, then one per figure they are counted in. Mails
 * count only where they carry the link to verify with; a reset link proves the mailbox as well. A claim that was
 * renewed began with the registration that the timeline has; an address that was changed was verified when the
 * timeline says so first.
 */
function countPeople(db: Deps['db'], hours: readonly number[]) {
  const at = (condition: SQL) => sql`min(iif(${condition}, e.at, null))`
  // The timeline's instant and the row's; the earlier where both have one.
  const first = (event: SQL, own: SQL) =>
    sql`min(coalesce(${event}, ${own}), coalesce(${own}, ${event}))`
  const proofs = sql`e.type in ('verified', 'password_reset', 'support_verified')`
  const people = sql`select ${hour} as hour,
      min(u.created_at, coalesce(${at(sql`e.type = 'registered'`)}, u.created_at)) as registered_at,
      ${at(sql`e.type = 'mail_accepted' and m.kind = 'verify_email'`)} as accepted_at,
      ${newestMailFrom(
        sql`u.last_message_id`,
        sql`m.kind = 'verify_email' and ${wasAccepted(sql`m`)}`,
      )} is not null as is_accepted,
      ${at(sql`e.type = 'mail_delivered' and m.kind = 'verify_email'`)} as delivered_at,
      ${first(at(sql`e.type = 'link_opened'`), sql`u.link_opened_at`)} as opened_at,
      ${first(at(proofs), sql`u.email_verified_at`)} as verified_at
    from ${hourRows(hours)}
      cross join users u on ${isInHour(sql`u.id`)}
      left join events e on e.user_id = u.id
      left join messages m on m.id = e.message_id
    group by u.id`
  const wait = bucketOf('time_to_verify', sql`verified_at - registered_at`)
  return keep(
    db,
    sql`select hour, k.value, iif(k.value = 'time_to_verify', ${wait}, ''), count(*)
      from (${people})
        cross join json_each(${JSON.stringify([...FUNNEL, 'time_to_verify'])}) k
      where case k.value
        when 'registered' then true
        when 'accepted' then is_accepted or accepted_at is not null
        when 'delivered' then delivered_at is not null
        when 'opened' then opened_at is not null
        when 'verified' then verified_at is not null
        else verified_at is not null end
      group by 1, 2, 3`,
  )
}

/**
 * What became of the hour's mails. Of an address only its domain is looked at. A domain that an hour names stays
 * named: were it to change places with the rest, its mails would be counted twice.
 */
function countMails(db: Deps['db'], hours: readonly number[]) {
  const domain = sql`substr(m.to_email, instr(m.to_email, '@') + 1)`
  const age = sql`m.sent_at - m.created_at`
  const counted = ['queue_age', 'queue_age_max', 'mail_state', 'provider', 'withheld']
  const metrics = JSON.stringify([...counted, 'bounced', 'complained'])
  const perMail = sql`select ${hour} as hour, k.value as metric,
      case k.value
        when 'queue_age' then ${bucketOf('queue_age', age)}
        when 'mail_state' then m.state
        when 'provider' then m.provider
        when 'bounced' then ${domain}
        when 'complained' then ${domain}
        else '' end as dimension,
      iif(k.value = 'queue_age_max', ${age}, 1) as amount
    from ${hourRows(hours)}
      cross join messages m on ${isInHour(sql`m.id`)}
      cross join json_each(${metrics}) k
    where case k.value
      when 'mail_state' then m.error is not ${WITHHELD}
      when 'withheld' then m.error is ${WITHHELD}
      when 'bounced' then m.state = 'bounced'
      when 'complained' then m.state = 'complained'
      else ${wasAccepted(sql`m`)} end`
  // Mails leave a state for another; the one that the last of them left is at zero.
  const leftStates = sql`select f.hour, f.metric, f.dimension, 0 from ${hourRows(hours)}
    cross join figures f on f.hour = ${hour} and f.metric = 'mail_state'`
  const isNamed = sql`exists (select 1 from figures f
    where f.hour = of_hour and f.metric = of_metric and f.dimension = of_dimension)`
  return keep(
    db,
    sql`select of_hour, of_metric,
        iif(of_metric in ('bounced', 'complained') and place > ${NAMED_DOMAINS}, '', of_dimension),
        sum(amount)
      from (select of_hour, of_metric, of_dimension, amount, row_number() over (
            partition by of_hour, of_metric order by ${isNamed} desc, amount desc, of_dimension) as place
          from (select hour as of_hour, metric as of_metric, dimension as of_dimension,
                iif(metric = 'queue_age_max', max(amount), sum(amount)) as amount
              from (${perMail} union all ${leftStates})
              group by 1, 2, 3))
      group by 1, 2, 3`,
  )
}

/** The bucket of a duration in milliseconds. */
function bucketOf(distribution: keyof typeof BUCKETS, duration: SQL): SQL {
  const ends = BUCKETS[distribution].map(
    (end) => sql`when ${duration} <= ${end} then ${String(end)}`,
  )
  return sql`case ${sql.join(ends, sql` `)} else ${LONGER} end`
}

/** Writes what changed, and nothing else: D1 bills rows written. */
function keep(db: Deps['db'], rows: SQL) {
  const next = sql`iif(metric = 'mail_state', excluded.count, max(count, excluded.count))`
  return (
    db
      .insert(figures)
      // `where true` keeps SQLite from reading `on conflict` as a join constraint.
      .select(sql`select * from (${rows}) where true`)
      .onConflictDoUpdate({
        target: [figures.hour, figures.metric, figures.dimension],
        set: { count: next },
        setWhere: sql`count <> ${next}`,
      })
  )
}
