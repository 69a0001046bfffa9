// The figures: how far people come between registering and being verified, and what becomes of their mail. Every
// chart has its numbers in a table below it.

import type { Child } from 'hono/jsx'
import type { FunnelStep } from '../figures/metrics.ts'
import {
  type By,
  type Durations,
  type Figures,
  type FunnelPeriod,
  type Named,
  PERIODS,
} from '../figures/read.ts'
import type { Brand } from '../pages/layout.tsx'
import { type Bar, BarChart } from './charts/bar-chart.tsx'
import { type Column, ColumnChart } from './charts/column-chart.tsx'
import { Legend } from './charts/hatching.tsx'
import { countWords, durationWords, shareWords } from './charts/number-words.ts'
import { DeskPage } from './desk-layout.tsx'

export const FIGURES_PATH = '/admin/figures'
export const CHART_STYLESHEET_PATH = '/admin/figures/charts.css'

const PERIOD_WORDS = {
  hour: { link: 'By hour, 48 hours', span: 'the last 48 hours' },
  day: { link: 'By day, 30 days', span: 'the last 30 days' },
} as const satisfies Record<By, object>

const STEP_WORDS = {
  registered: 'Registered',
  accepted: 'Accepted by a provider',
  delivered: 'Delivered',
  opened: 'Link opened',
  verified: 'Verified',
} as const satisfies Record<FunnelStep, string>
const STEPS = Object.entries(STEP_WORDS) as [FunnelStep, string][]

/** What the page shows. */
export interface FiguresPageProps {
  readonly brand: Brand
  readonly figures: Figures
  /** Whether any provider's reports reach us: without them nothing is ever known to be delivered. */
  readonly hasReports: boolean
}

/** The page. */
export function FiguresPage({ brand, figures, hasReports }: FiguresPageProps) {
  const { span } = PERIOD_WORDS[figures.by]
  return (
    <DeskPage brand={brand} title="Figures" current="figures">
      <link rel="stylesheet" href={CHART_STYLESHEET_PATH} />
      <h1>Figures</h1>
      <nav class="period" aria-label="Period">
        {(['hour', 'day'] as const).map((by) =>
          by === figures.by ? (
            <strong aria-current="page">{PERIOD_WORDS[by].link}</strong>
          ) : (
            <a href={`${FIGURES_PATH}?by=${by}`}>{PERIOD_WORDS[by].link}</a>
          ),
        )}
      </nav>
      <p class="quiet">{`Of ${span}, in UTC, counted every minute. The current ${figures.by} is not over.`}</p>
      <div class="figures">
        <FunnelSection figures={figures} hasReports={hasReports} />
        <PeriodsSection figures={figures} />
        <Section title="Time to verify" table={<DurationsTable {...figures.timeToVerify} />}>
          <p>{timeToVerifyWords(figures.timeToVerify)}</p>
          {figures.timeToVerify.total > 0 && (
            <BarChart
              id="time-to-verify"
              title="People by how long after registering they verified"
              bars={durationBars(figures.timeToVerify)}
            />
          )}
        </Section>
        <Section title="Wait for a provider" table={<DurationsTable {...figures.queueAge} />}>
          <p>{queueAgeWords(figures)}</p>
          {figures.queueAge.total > 0 && (
            <BarChart
              id="queue-age"
              title="Mails by how long they waited until a provider accepted them"
              bars={durationBars(figures.queueAge)}
            />
          )}
        </Section>
        <BouncesSection figures={figures} hasReports={hasReports} />
        <LimitsSection figures={figures} />
        <NamedSection
          id="providers"
          title="Mails by provider"
          head="Provider"
          nothing="No mail was accepted by a provider."
          rows={figures.providers}
        />
        <NamedSection
          id="states"
          title="Mails by state"
          head="State"
          nothing="No mail was written."
          rows={figures.states}
        />
      </div>
    </DeskPage>
  )
}

/** A chart with its numbers below it. */
function Section({ title, table, children }: { title: string; table: Child; children: Child }) {
  return (
    <section>
      <h2>{title}</h2>
      {children}
      <details>
        <summary>{`${title}: the numbers`}</summary>
        <div class="scroll">{table}</div>
      </details>
    </section>
  )
}

/** A table of counts. */
function Numbers({ head, rows }: { head: readonly string[]; rows: readonly (readonly Child[])[] }) {
  return (
    <table>
      <thead>
        <tr>
          {head.map((name, nth) => (
            <th scope="col" class={nth === 0 ? undefined : 'number'}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, ...counts]) => (
          <tr>
            <th scope="row">{name}</th>
            {counts.map((count) => (
              <td class="number">{count}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function FunnelSection({ figures, hasReports }: { figures: Figures; hasReports: boolean }) {
  const { funnel } = figures
  const share = (step: FunnelStep) => shareWords(funnel[step], funnel.registered)
  const table = (
    <Numbers
      head={['Step', 'People', 'Of registered']}
      rows={STEPS.map(([step, words]) => [words, countWords(funnel[step]), share(step)])}
    />
  )
  return (
    <Section title="From registering to verified" table={table}>
      <p>
        {funnel.registered === 0
          ? 'Nobody registered.'
          : `${countWords(funnel.registered)} registered; ${countWords(funnel.verified)} of them (${share('verified')}) are verified.`}
      </p>
      {funnel.registered > 0 && (
        <BarChart
          id="funnel"
          title="People who registered, and how far they came"
          bars={STEPS.map(([step, words]) => ({
            label: words,
            note: `${countWords(funnel[step])} · ${share(step)}`,
            parts: [{ count: funnel[step], look: 'plain' }],
          }))}
        />
      )}
      {!hasReports && (
        <p class="hint">
          Nothing is known to be delivered: no provider’s webhook is set up, see the README.
        </p>
      )}
      <p class="hint">
        Everybody counts under the time of their registration. Front ends that confirm without our
        page open no link.
      </p>
    </Section>
  )
}

const COLUMN_NAMES = { whole: 'registered', part: 'verified of them' } as const

function PeriodsSection({ figures }: { figures: Figures }) {
  const { by, periods, funnel } = figures
  const table = (
    <Numbers
      head={['From (UTC)', 'Registered', 'Accepted', 'Delivered', 'Opened', 'Verified']}
      rows={[...periods]
        .reverse()
        .map((period) => [
          periodWords(period.at, by),
          ...STEPS.map(([step]) => countWords(period[step])),
        ])}
    />
  )
  return (
    <Section title={by === 'hour' ? 'Hour by hour' : 'Day by day'} table={table}>
      {funnel.registered === 0 ? (
        <p>Nobody registered.</p>
      ) : (
        <>
          <Legend
            id="periods-legend"
            words={[
              ['hatched', COLUMN_NAMES.whole],
              ['plain', COLUMN_NAMES.part],
            ]}
          />
          <ColumnChart
            id="periods"
            title={`People who registered, and those of them who are verified, by ${by}`}
            names={COLUMN_NAMES}
            columns={periods.map((period) => columnOf(period, by))}
          />
        </>
      )}
    </Section>
  )
}

function columnOf({ at, registered, verified }: FunnelPeriod, by: By): Column {
  const { lengthMs } = PERIODS[by]
  const nth = Math.floor(at / lengthMs)
  const label = periodWords(at, by)
  const isTicked = by === 'hour' ? nth % 12 === 0 : nth % 7 === 0
  return {
    label,
    tick: isTicked ? tickWords(at) : null,
    whole: registered,
    part: verified,
  }
}

const dayOf = (at: number) => {
  const date = new Date(at)
  const month = date.toLocaleString('en', { month: 'short', timeZone: 'UTC' })
  return `${date.getUTCDate()} ${month}`
}
const clockOf = (at: number) => new Date(at).toISOString().slice(11, 16)
const periodWords = (at: number, by: By) =>
  by === 'day' ? dayOf(at) : `${dayOf(at)}, ${clockOf(at)}`
const tickWords = (at: number) => (clockOf(at) === '00:00' ? dayOf(at) : clockOf(at))

function BouncesSection({ figures, hasReports }: { figures: Figures; hasReports: boolean }) {
  const { bounces } = figures
  const nameOf = (domain: string | null) => domain ?? 'Other domains'
  const table = (
    <Numbers
      head={['Domain', 'Bounced', 'Complained']}
      rows={bounces.map(({ domain, bounced, complained }) => [
        nameOf(domain),
        countWords(bounced),
        countWords(complained),
      ])}
    />
  )
  const noneWords = hasReports
    ? 'No mail bounced and nobody complained.'
    : 'Unknown: no provider’s webhook is set up, see the README.'
  return (
    <Section title="Bounces and complaints by domain" table={table}>
      {bounces.length === 0 ? (
        <p>{noneWords}</p>
      ) : (
        <>
          <Legend
            id="bounces-legend"
            words={[
              ['plain', 'bounced'],
              ['hatched', 'complained'],
            ]}
          />
          <BarChart
            id="bounces"
            title="Mails that bounced or were complained of, by the recipient’s domain"
            bars={bounces.map(({ domain, bounced, complained }) => ({
              label: nameOf(domain),
              note: `${countWords(bounced)} + ${countWords(complained)}`,
              parts: [
                { count: bounced, look: 'plain' },
                { count: complained, look: 'hatched' },
              ],
            }))}
          />
        </>
      )}
    </Section>
  )
}

function LimitsSection({ figures }: { figures: Figures }) {
  const rows = [
    { name: 'mails withheld', count: figures.withheld, look: 'hatched' as const },
    ...figures.refusals.map(({ name, count }) => ({
      name,
      count,
      look: 'plain' as const,
    })),
  ]
  const hasAny = rows.some(({ count }) => count > 0)
  const table = (
    <Numbers
      head={['What', 'Count']}
      rows={rows.map(({ name, count, look }) => [
        name,
        look === 'plain' ? `at least ${countWords(count)}` : countWords(count),
      ])}
    />
  )
  return (
    <Section title="Limits" table={table}>
      {hasAny ? (
        <BarChart
          id="limits"
          title="Mails withheld and requests refused, by limit"
          bars={rows.map(({ name, count, look }) => ({
            label: name,
            note: look === 'plain' ? `at least ${countWords(count)}` : countWords(count),
            parts: [{ count, look }],
          }))}
        />
      ) : (
        <p>No limit was reached.</p>
      )}
      <p class="hint">
        Hatched: mails not sent because their address had its share. Filled: requests turned away,
        by the name of the limit. These are counted in memory, or each would cost the write that
        refusing it saves: there were at least so many.
      </p>
    </Section>
  )
}

function NamedSection(props: {
  id: string
  title: string
  head: string
  nothing: string
  rows: readonly Named[]
}) {
  const { id, title, head, nothing, rows } = props
  const total = rows.reduce((sum, { count }) => sum + count, 0)
  const table = <Shares head={[head, 'Mails', 'Share']} rows={rows} total={total} />
  return (
    <Section title={title} table={table}>
      {rows.length === 0 ? (
        <p>{nothing}</p>
      ) : (
        <BarChart id={id} title={title} bars={shareBars(rows, total)} />
      )}
    </Section>
  )
}

function DurationsTable({ buckets, total }: Durations) {
  return <Shares head={['Time', 'Count', 'Share']} rows={bucketNames(buckets)} total={total} />
}

function durationBars({ buckets, total }: Durations): Bar[] {
  return shareBars(bucketNames(buckets), total)
}

/** Counts and what they are of all. */
function Shares(props: { head: readonly string[]; rows: readonly Named[]; total: number }) {
  const { head, rows, total } = props
  return (
    <Numbers
      head={head}
      rows={rows.map(({ name, count }) => [name, countWords(count), shareWords(count, total)])}
    />
  )
}

function shareBars(rows: readonly Named[], total: number): Bar[] {
  return rows.map(({ name, count }) => ({
    label: name,
    note: `${countWords(count)} · ${shareWords(count, total)}`,
    parts: [{ count, look: 'plain' }],
  }))
}

function bucketNames(buckets: Durations['buckets']): Named[] {
  return buckets.map(({ upTo, count }, nth) => {
    const before = buckets[nth - 1]?.upTo
    if (!before) return { name: upTo === null ? 'any time' : `up to ${durationWords(upTo)}`, count }
    const from = durationWords(before)
    return { name: upTo === null ? `more than ${from}` : `${from} – ${durationWords(upTo)}`, count }
  })
}

function timeToVerifyWords(durations: Durations): string {
  if (durations.total === 0) return 'Nobody verified.'
  return `Half of those who verified did so ${withinWords(durations, 'medianWithin')} after registering, nine of ten ${withinWords(durations, 'p90Within')}.`
}

function queueAgeWords({ queueAge, longestQueueAge }: Figures): string {
  if (queueAge.total === 0) return 'No mail was accepted by a provider.'
  const longest =
    longestQueueAge === null ? '' : ` The longest wait was ${durationWords(longestQueueAge)}.`
  return `Half of the mails were accepted ${withinWords(queueAge, 'medianWithin')} after they were asked for, nine of ten ${withinWords(queueAge, 'p90Within')}.${longest}`
}

function withinWords(durations: Durations, which: 'medianWithin' | 'p90Within'): string {
  const within = durations[which]
  if (within !== null) return `within ${durationWords(within)}`
  const last = durations.buckets.at(-2)?.upTo
  return last ? `more than ${durationWords(last)}` : 'some time'
}
