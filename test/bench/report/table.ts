// The results as Markdown, for the README and for the terminal.

import { DELAYS, type DistanceRow } from '../parts/distance.ts'
import type { Results } from '../results.ts'
import { OPERATIONS, type SideName, TITLES } from '../sides/side.ts'
import { countsTable } from './counts-table.ts'
import { kib, mib, short, spread, table, times } from './format.ts'
import { moneyTables } from './money-tables.ts'
import { targetsOf } from './targets.ts'

/** With more of a core than that taken by others, rates are noise. */
const MOST_LOAD = 0.3

/** From here on the load generator's one thread is what is measured. */
const MOST_GENERATOR = 0.9

/** The whole of it. */
export function markdown(results: Results): string {
  const sections = [
    circumstances(results),
    section('Targets', targets(results)),
    section('Throughput', throughput(results)),
    section('Queue drain', drain(results)),
    section('Counted', countsTable(results)),
    section('Money', moneyTables(results)),
    section('Distance', distance(results.distance)),
    section('Growth', growth(results)),
    section('Bundle', bundle(results)),
  ]
  return `${sections.filter((text) => text !== null).join('\n\n')}\n`
}

function section(title: string, text: string | null): string | null {
  return text === null ? null : `### ${title}\n\n${text}`
}

function circumstances({ circumstances: all }: Results): string {
  const given = Object.entries(all).flatMap(([part, value]) =>
    value === undefined ? [] : [[part, value] as const],
  )
  const [first] = given
  if (first === undefined) return 'Nothing measured.'
  const [, { machine, node, workerd, peer }] = first
  const sides: SideName[] = ['ours', 'peer', 'floor']
  const changed = sides.filter(
    (side) => new Set(given.map(([, { bundles }]) => bundles[side])).size > 1,
  )
  const busy = given
    .filter(([, { load }]) => load !== null && load > MOST_LOAD)
    .map(([part, { load }]) => `${part} (${short(load ?? 0)} cores)`)
  const quick = given.filter(([, value]) => value.quick).map(([part]) => part)
  const notes = [
    `Mailproof, better-auth ${peer} and a floor (Hono's router and one bare batch for each request, nothing else), each bundled for production and served by Miniflare: ${machine}, workerd ${workerd}, Node ${node}.`,
    ...(changed.length > 0
      ? [`Its parts were measured with different builds: ${changed.join(', ')}.`]
      : []),
    ...(busy.length > 0
      ? [
          `Others used the machine meanwhile: ${busy.join(', ')}; rates and latencies are noise there.`,
        ]
      : []),
    ...(quick.length > 0 ? [`Quick runs, not to be quoted: ${quick.join(', ')}.`] : []),
  ]
  return notes.join(' ')
}

const MET: Readonly<Record<string, string>> = {
  true: 'met',
  false: '**missed**',
  null: 'not measured',
}

function targets(results: Results): string | null {
  const all = targetsOf(results)
  if (all.length === 0) return null
  const reached = table(
    ['Target', 'Wanted', 'Got', ''],
    all.map(({ what, wanted, got, met }) => [what, wanted, got, MET[String(met)] ?? '']),
  )
  return `${reached}\n\nOf several numbers of callers, the worst. Ratios are medians of the rounds' ratios, and need not be the ratio of the median rates.`
}

function throughput({ throughput: cells }: Results): string | null {
  if (cells === undefined) return null
  const rows = cells.map((cell) => {
    const { operation, callers, toPeer, toPeerInMemory, toFloor, perSecond } = cell
    const { cpuToPeer, cpuToFloor } = cell
    const rate = (side: SideName) => short(perSecond[side]?.median ?? Number.NaN)
    return [
      TITLES[operation],
      String(callers),
      toPeer === null ? '–' : `**${spread(toPeer, '×')}**`,
      toPeerInMemory === null ? '–' : spread(toPeerInMemory, '×'),
      toFloor === null ? '–' : spread(toFloor, '×'),
      `${cpuToPeer === null ? '–' : times(cpuToPeer)}, ${cpuToFloor === null ? '–' : times(cpuToFloor)}`,
      `${rate('ours')} / ${rate('peer')} / ${rate('floor')}`,
    ]
  })
  const head = [
    '',
    'callers',
    'of better-auth',
    'of it with its rate limit in memory',
    'of the floor',
    'first and last by CPU time',
    'per second: ours / peer / floor',
  ]
  const limited = cells.flatMap(({ operation, callers, generator }) =>
    Object.entries(generator)
      .filter(([, share]) => share.median >= MOST_GENERATOR)
      .map(([side]) => `${TITLES[operation]} of ${side} at ${callers}`),
  )
  const limit =
    limited.length === 0
      ? ''
      : ` The load generator had no more to give, and the rate is too low: ${limited.join(', ')}; by CPU time is what holds there.`
  return `${table(head, rows)}\n\nMedian of the rounds (lowest–highest). Ratios are within a round; the absolute numbers are this machine's. By CPU time: of the whole workerd, simulated D1, KV and Queue included; it stays the same on a machine that is busy otherwise.${limit}`
}

function drain({ drain: cases }: Results): string | null {
  if (cases === undefined) return null
  const rows = cases.map(({ mails, apiMs, mailsPerSecond, toPeer, toFloor }) => {
    const rate = (side: SideName) => short(mailsPerSecond[side]?.median ?? Number.NaN)
    return [
      `${mails} mails, the API answers ${apiMs === 0 ? 'at once' : `after ${apiMs} ms`}`,
      `**${spread(toPeer, '×')}**`,
      spread(toFloor, '×'),
      `${rate('ours')} / ${rate('peer')} / ${rate('floor')}`,
    ]
  })
  return table(
    ['', 'of better-auth', 'of the floor', 'mails per second: ours / peer / floor'],
    rows,
  )
}

function distance(rows: readonly DistanceRow[] | undefined): string | null {
  if (rows === undefined) return null
  const head = ['', ...DELAYS.map((delay) => `${delay} ms: ours / peer`), 'delays waited for']
  const body = rows.map(({ operation, ours, peer, oursTrips, peerTrips }) => [
    TITLES[operation],
    ...DELAYS.map((_, i) => {
      const theirs = peer === null ? '–' : short(peer[i] ?? Number.NaN)
      return `${short(ours[i] ?? Number.NaN)} / ${theirs}`
    }),
    `${short(Math.max(0, oursTrips))} / ${peerTrips === null ? '–' : short(peerTrips)}`,
  ])
  return `${table(head, body)}\n\nMedian latency in milliseconds, one caller, with so much delay on each trip to D1.`
}

function growth({ growth: grown }: Results): string | null {
  if (grown === undefined) return null
  const { users, rows } = grown
  const body = OPERATIONS.flatMap((operation) => {
    const of = (side: SideName) =>
      rows.find((row) => row.side === side && row.operation === operation)
    const [ours, peer] = [of('ours'), of('peer')]
    if (ours === undefined) return []
    return [
      [
        TITLES[operation],
        ...users.map((_, i) => short(ours.latencyMs[i] ?? Number.NaN)),
        `**${times(ours.slowdown)}**`,
        peer === undefined ? '–' : times(peer.slowdown),
        ours.rowsRead.map(short).join(' → '),
        peer === undefined ? '–' : peer.rowsRead.map(short).join(' → '),
      ],
    ]
  })
  const head = [
    '',
    ...users.map((count) => `ours at ${count.toLocaleString('en')}, ms`),
    'slower',
    'peer slower',
    'rows read, ours',
    'rows read, peer',
  ]
  return table(head, body)
}

function bundle({ bundle: bundles }: Results): string | null {
  if (bundles === undefined) return null
  const sides: SideName[] = ['ours', 'peer', 'floor']
  const row = (title: string, value: (side: SideName) => string) => [title, ...sides.map(value)]
  const marks = bundles.ours.memory.map(({ requests }) => requests)
  const packages = bundles.ours.packages
    .slice(0, 6)
    .map(([name, bytes]) => `${name} ${kib(bytes)}`)
    .join(', ')
  return [
    table(
      ['', 'ours', 'peer', 'floor'],
      [
        row('minified', (side) => kib(bundles[side].bytes)),
        row('gzipped', (side) => kib(bundles[side].gzipBytes)),
        row('modules evaluated at start-up', (side) => String(bundles[side].modules)),
        row("start-up, active ms (workerd's own share included)", (side) =>
          spread(bundles[side].startupMs),
        ),
        ...marks.map((mark, i) =>
          row(`isolate's memory after ${mark.toLocaleString('en')} requests`, (side) =>
            mib(bundles[side].memory[i]?.bytes ?? Number.NaN),
          ),
        ),
      ],
    ),
    `Ours, minified, by package: ${packages}.`,
  ].join('\n\n')
}
