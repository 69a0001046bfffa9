// What the desk shows of the figures: sums of what the cron counted. It reads rows of `figures` only, some forty for
// each hour of the period, however many people and mails there are.

import { sql } from 'drizzle-orm'
import * as z from 'zod/mini'
import type { Deps } from '../deps.ts'
import { orElse } from '../or-else.ts'
import {
  BUCKETS,
  DAY_MS,
  type Distribution,
  FUNNEL,
  type FunnelStep,
  HOUR_MS,
  type Metric,
} from './metrics.ts'

/** By what the figures are shown: the last 48 hours, or the last 30 days, UTC. The one that goes on is among them. */
export const PERIODS = {
  hour: { lengthMs: HOUR_MS, count: 48 },
  day: { lengthMs: DAY_MS, count: 30 },
} as const
export type By = keyof typeof PERIODS

/** So many domains are named, the ones with the most first. */
const NAMED_DOMAINS = 10

/** How many, at each step. */
export type FunnelCounts = Readonly<Record<FunnelStep, number>>

/** One hour or day. */
export interface FunnelPeriod extends FunnelCounts {
  /** Its first millisecond. */
  readonly at: number
}

/** How long something took, for all it happened to. */
export interface Durations {
  readonly total: number
  readonly buckets: readonly {
    /** Milliseconds, this end included; null for what is longer than all others. */
    readonly upTo: number | null
    readonly count: number
  }[]
  /** Milliseconds within which half of them were done; null where there are none, or half took longer than all ends. */
  readonly medianWithin: number | null
  /** The same of nine in ten. */
  readonly p90Within: number | null
}

/** A count by name. */
export interface Named {
  readonly name: string
  readonly count: number
}

/** All that the page shows. */
export interface Figures {
  readonly by: By
  /** First millisecond of the first period. */
  readonly from: number
  readonly periods: readonly FunnelPeriod[]
  readonly funnel: FunnelCounts
  readonly timeToVerify: Durations
  readonly queueAge: Durations
  /** Milliseconds; null where no mail was accepted. */
  readonly longestQueueAge: number | null
  readonly providers: readonly Named[]
  readonly states: readonly Named[]
  /** By domain; null for the rest. */
  readonly bounces: readonly {
    readonly domain: string | null
    readonly bounced: number
    readonly complained: number
  }[]
  /** Mails that the limit of an address kept from being sent. */
  readonly withheld: number
  /** Requests turned away, at least, by limit. */
  readonly refusals: readonly Named[]
}

const TOTALS = [
  'time_to_verify',
  'queue_age',
  'queue_age_max',
  'mail_state',
  'provider',
  'withheld',
  'refused',
] as const satisfies readonly Metric[]

/**
 * Reads a period's figures in one round trip.
 * @param deps D1 and the clock
 * @param by hours or days
 * @throws Outage
 */
export async function readFigures(
  deps: Pick<Deps, 'db' | 'batch' | 'now'>,
  by: By,
): Promise<Figures> {
  const { lengthMs, count } = PERIODS[by]
  const from = (Math.floor(deps.now() / lengthMs) - count + 1) * lengthMs
  const [steps, totals, domains] = await deps.batch([
    deps.db
      .select({
        at: sql<number>`f.hour - f.hour % ${lengthMs}`.as('at'),
        metric: sql<string>`f.metric`.as('metric'),
        count: sql<number>`sum(f.count)`.as('count'),
      })
      .from(figuresOf(deps.now(), from, FUNNEL))
      .groupBy(sql`1, 2`),
    deps.db
      .select({
        metric: sql<string>`f.metric`.as('metric'),
        dimension: sql<string>`f.dimension`.as('dimension'),
        count: sql<number>`iif(f.metric = 'queue_age_max', max(f.count), sum(f.count))`.as('count'),
      })
      .from(figuresOf(deps.now(), from, TOTALS))
      .groupBy(sql`1, 2`),
    // All that have no name here are one row.
    deps.db
      .select({
        domain: sql<string | null>`iif(place <= ${NAMED_DOMAINS}, domain, null)`.as('shown_domain'),
        bounced: sql<number>`sum(bounced)`.as('bounced'),
        complained: sql<number>`sum(complained)`.as('complained'),
      })
      .from(
        sql`(select nullif(f.dimension, '') as domain,
            sum(iif(f.metric = 'bounced', f.count, 0)) as bounced,
            sum(iif(f.metric = 'complained', f.count, 0)) as complained,
            row_number() over (
              order by f.dimension = '', sum(f.count) desc, f.dimension) as place
          from ${figuresOf(deps.now(), from, ['bounced', 'complained'])}
          group by f.dimension)`,
      )
      .groupBy(sql`1`),
  ])
  const named = (metric: Metric) => namedOf(totals, metric)
  const [longest] = named('queue_age_max')
  return {
    by,
    from,
    periods: Array.from({ length: count }, (_, nth) => {
      const at = from + nth * lengthMs
      return { at, ...funnelOf(steps.filter((row) => row.at === at)) }
    }),
    funnel: funnelOf(steps),
    timeToVerify: durationsOf('time_to_verify', named('time_to_verify')),
    queueAge: durationsOf('queue_age', named('queue_age')),
    longestQueueAge: longest?.count ?? null,
    providers: named('provider'),
    states: named('mail_state'),
    bounces: domains.sort(
      (a, b) =>
        Number(a.domain === null) - Number(b.domain === null) ||
        b.bounced + b.complained - a.bounced - a.complained,
    ),
    withheld: named('withheld')[0]?.count ?? 0,
    refusals: named('refused'),
  }
}

/** The wanted rows, as a row source `f`: found one hour and metric after the other, without a look at the rest. */
function figuresOf(now: number, from: number, metrics: readonly Metric[]) {
  const hours = Array.from(
    { length: Math.floor((now - from) / HOUR_MS) + 1 },
    (_, nth) => from + nth * HOUR_MS,
  )
  return sql`json_each(${JSON.stringify(hours)}) h
    cross join json_each(${JSON.stringify(metrics)}) k
    cross join figures f on f.hour = h.value and f.metric = k.value`
}

function funnelOf(rows: readonly { metric: string; count: number }[]): FunnelCounts {
  const sumOf = (step: FunnelStep) =>
    rows.filter(({ metric }) => metric === step).reduce((sum, { count }) => sum + count, 0)
  return {
    registered: sumOf('registered'),
    accepted: sumOf('accepted'),
    delivered: sumOf('delivered'),
    opened: sumOf('opened'),
    verified: sumOf('verified'),
  }
}

/** Most first. */
function namedOf(
  rows: readonly { metric: string; dimension: string; count: number }[],
  metric: Metric,
): Named[] {
  return rows
    .filter((row) => row.metric === metric && row.count > 0)
    .map(({ dimension, count }) => ({ name: dimension, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
}

/**
 * A distribution, of its buckets.
 * @param distribution which buckets there are
 * @param counted counts by bucket, in any order; those of buckets that no longer exist count as the longest
 */
export function durationsOf(distribution: Distribution, counted: readonly Named[]): Durations {
  const ends: readonly number[] = BUCKETS[distribution]
  const countOf = (name: string) => counted.find((row) => row.name === name)?.count ?? 0
  const buckets = ends.map((upTo) => ({ upTo, count: countOf(String(upTo)) }))
  const known = buckets.reduce((sum, { count }) => sum + count, 0)
  const total = counted.reduce((sum, { count }) => sum + count, 0)

  function within(share: number): number | null {
    let reached = 0
    for (const { upTo, count } of buckets) {
      reached += count
      if (total > 0 && reached >= total * share) return upTo
    }
    return null
  }

  return {
    total,
    buckets: [...buckets, { upTo: null, count: total - known }],
    medianWithin: within(0.5),
    p90Within: within(0.9),
  }
}

/** What `?by=` may say; anything else shows hours. */
export const byField = orElse(z.enum(['hour', 'day']), 'hour')
