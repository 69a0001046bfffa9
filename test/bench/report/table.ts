// The results as Markdown, for the README and for the terminal.

import { DELAYS, type DistanceRow } from '../parts/distance.ts'
import { OPERATIONS_PER_MESSAGE, PER_MILLION, PRICE_TITLES, type Priced } from '../prices.ts'
import type { Results } from '../results.ts'
import { OPERATIONS, type SideName, TITLES } from '../sides/side.ts'
import { dollars, kib, mib, short, spread, table, times } from './format.ts'
import { targetsOf } from './targets.ts'

/** More than that, and somebody else is computing as well. */
const MOST_LOAD = 0.8

const CRON_RUNS_PER_MONTH = 60 * 24 * 30

/** The whole of it. */
export function markdown(results: Results): string {
  const sections = [
    circumstances(results),
    section('Targets', targets(results)),
    section('Throughput', throughput(results)),
    section('Queue drain', drain(results)),
    section('Counted', counts(results)),
    section('Money', money(results)),
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
  const bundles = new Set(given.map(([, { bundle }]) => bundle))
  const busy = given.filter(([, { load }]) => load > MOST_LOAD).map(([part]) => part)
  const quick = given.filter(([, value]) => value.quick).map(([part]) => part)
  const notes = [
    `Mailproof, better-auth ${peer} and a floor (Hono and one D1 batch, nothing else), each bundled for production and served by Miniflare: ${machine}, workerd ${workerd}, Node ${node}.`,
    ...(bundles.size > 1 ? ['Its parts were measured with different builds of Mailproof.'] : []),
    ...(busy.length > 0
      ? [
          `The machine was busy with other things: ${busy.join(', ')}; rates and latencies are noise.`,
        ]
      : []),
    ...(quick.length > 0 ? [`Quick runs, not to be quoted: ${quick.join(', ')}.`] : []),
  ]
  return notes.join(' ')
}

function targets(results: Results): string | null {
  const all = targetsOf(results)
  if (all.length === 0) return null
  return table(
    ['Target', 'Wanted', 'Got', ''],
    all.map(({ what, wanted, got, met }) => [what, wanted, got, met ? 'met' : '**missed**']),
  )
}

function throughput({ throughput: cells }: Results): string | null {
  if (cells === undefined) return null
  const rows = cells.map((cell) => {
    const { operation, callers, toPeer, toFloor, cpuToPeer, cpuToFloor, perSecond } = cell
    const rate = (side: SideName) => short(perSecond[side]?.median ?? Number.NaN)
    return [
      TITLES[operation],
      String(callers),
      toPeer === null ? '–' : `**${spread(toPeer, '×')}**`,
      toFloor === null ? '–' : spread(toFloor, '×'),
      `${cpuToPeer === null ? '–' : times(cpuToPeer)}, ${cpuToFloor === null ? '–' : times(cpuToFloor)}`,
      `${rate('ours')} / ${rate('peer')} / ${rate('floor')}`,
    ]
  })
  const head = [
    '',
    'callers',
    'of better-auth',
    'of the floor',
    'both by CPU time',
    'per second: ours / peer / floor',
  ]
  return `${table(head, rows)}\n\nMedian of the rounds (lowest–highest). Ratios are within a round; the absolute numbers are this machine's. By CPU time: of the whole workerd, simulated D1, KV and Queue included; it stays the same on a machine that is busy otherwise.`
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

function counts({ counts: counted, upkeep }: Results): string | null {
  if (counted === undefined) return null
  const { ours, peer } = counted
  const both = (a: number, b: number | undefined) =>
    `${short(a)} / ${b === undefined ? '–' : short(b)}`
  const rows = OPERATIONS.flatMap((operation) => {
    const [a, b] = [ours[operation], peer[operation]]
    if (a === undefined) return []
    return [
      [
        TITLES[operation],
        both(a.d1Trips, b?.d1Trips),
        both(a.rowsRead, b?.rowsRead),
        both(a.rowsWritten, b?.rowsWritten),
        both(a.kvReads, b?.kvReads),
        both(a.kvWrites, b?.kvWrites),
        both(
          a.queueMessages * OPERATIONS_PER_MESSAGE,
          b === undefined ? undefined : b.queueMessages * OPERATIONS_PER_MESSAGE,
        ),
        both(a.httpCalls, b?.httpCalls),
        both(a.subrequests, b?.subrequests),
      ],
    ]
  })
  const mail = (name: keyof typeof ours.drain) =>
    both(Number(ours.drain[name]) / 100, Number(peer.drain[name]) / 100)
  rows.push([
    'a mail, of a batch of 100',
    mail('d1Trips'),
    mail('rowsRead'),
    mail('rowsWritten'),
    mail('kvReads'),
    mail('kvWrites'),
    '0 / 0',
    mail('httpCalls'),
    mail('subrequests'),
  ])
  const later = Object.entries(upkeep ?? {}).map(
    ([side, { what, perPerson }]) =>
      `${side === 'ours' ? 'Ours' : 'The peer'}, later, per sign-up: ${short(perPerson.rowsWritten)} rows written, ${short(perPerson.rowsRead)} read (${what}).`,
  )
  const idle = upkeep?.ours?.idle
  if (idle) {
    const { rowsRead, rowsWritten } = idle
    const monthly =
      (CRON_RUNS_PER_MONTH / 1e6) *
      (PER_MILLION.requests +
        rowsRead * PER_MILLION.rowsRead +
        rowsWritten * PER_MILLION.rowsWritten)
    later.push(
      `Our cron, each minute, with nothing to do: ${short(rowsWritten)} rows written, ${short(rowsRead)} read; ${dollars(monthly)} a month.`,
    )
  }
  const head = [
    'ours / peer',
    'D1 round trips',
    'rows read',
    'rows written',
    'KV reads',
    'KV writes',
    'Queue operations',
    'HTTP calls',
    'subrequests',
  ]
  return [table(head, rows), later.join('\n')].join('\n\n')
}

function money({ money: bills }: Results): string | null {
  if (bills === undefined) return null
  const { ours, peer } = bills
  const items = Object.keys(PER_MILLION) as Priced[]
  const rows = items.map((item) => [
    PRICE_TITLES[item],
    `$${PER_MILLION[item]}`,
    short(ours.usage[item]),
    dollars(ours.dollars[item]),
    short(peer.usage[item]),
    dollars(peer.dollars[item]),
  ])
  rows.push(['**all**', '', '', `**${dollars(ours.total)}**`, '', `**${dollars(peer.total)}**`])
  const steps = (['ours', 'peer'] as const).flatMap((side) =>
    Object.entries(bills[side].steps).map(([step, usage]) => {
      const sum = items.reduce((total, item) => total + usage[item] * PER_MILLION[item], 0)
      const parts = items
        .map((item) => [item, usage[item] * PER_MILLION[item]] as const)
        .filter(([, amount]) => amount >= 0.005)
        .sort(([, a], [, b]) => b - a)
        .map(([item, amount]) => `${PRICE_TITLES[item]} ${dollars(amount)}`)
      return [side === 'ours' ? 'ours' : 'peer', step, dollars(sum), parts.join(', ')]
    }),
  )
  const operations = OPERATIONS.filter((operation) => ours.operations[operation] !== undefined)
  const single = operations.map((operation) => {
    const [a, b] = [ours.operations[operation], peer.operations[operation]]
    return [TITLES[operation], dollars(a ?? 0), b === undefined ? '–' : dollars(b)]
  })
  return [
    'Dollars for a million verified sign-ups, the mail provider and what the plan includes apart.',
    table(['', 'a million', 'ours, each', 'ours', 'peer, each', 'peer'], rows),
    table(['', 'step', 'dollars a million', 'of which'], steps),
    'A million of each operation by itself, its mail not yet sent:',
    table(['', 'ours', 'peer'], single),
  ].join('\n\n')
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
    `${short(oursTrips)} / ${peerTrips === null ? '–' : short(peerTrips)}`,
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
