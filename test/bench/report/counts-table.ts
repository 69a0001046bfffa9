// What each operation asks of the platform, side by side.

import { type OperationCounts, SECOND_OPERATIONS } from '../parts/counts.ts'
import { OPERATIONS_PER_MESSAGE, PER_MILLION } from '../prices.ts'
import type { Results } from '../results.ts'
import { OPERATIONS, TITLES } from '../sides/side.ts'
import { dollars, short, table } from './format.ts'

const CRON_RUNS_PER_MONTH = 60 * 24 * 30

const listOf = (amounts: Readonly<Record<string, number>>) =>
  Object.entries(amounts)
    .map(([name, amount]) => `${name} ${short(amount)}`)
    .join(', ')

/** As Markdown, or null where nothing was counted. */
export function countsTable({ counts: counted, upkeep }: Results): string | null {
  if (counted === undefined) return null
  const { ours, peer } = counted
  const both = (a: number, b: number | undefined) =>
    `${short(a)} / ${b === undefined ? '–' : short(b)}`
  const row = (title: string, a: OperationCounts, b: OperationCounts | undefined) => [
    title,
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
  ]
  const rows = OPERATIONS.flatMap((operation) => {
    const [a, b] = [ours[operation], peer[operation]]
    return a === undefined ? [] : [row(TITLES[operation], a, b)]
  })
  for (const operation of SECOND_OPERATIONS) {
    const title = `${TITLES[operation]}, second from one IP`
    rows.push(row(title, ours.second[operation], peer.second[operation]))
  }
  rows.push(row('resend, signed in, third from one IP', ours.thirdResend, peer.thirdResend))
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
    ([side, { what, perPerson, byTable }]) =>
      `${side === 'ours' ? 'Ours' : 'The peer'}, later, per sign-up: ${short(perPerson.rowsWritten)} rows written, ${short(perPerson.rowsRead)} read (${what}: ${listOf(byTable)}).`,
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
  const who =
    'Each operation is done once by somebody with an IP of their own, as people sign up; session checks and forged tokens come again and again from one.'
  const inMemory = OPERATIONS.flatMap((operation) => {
    const counts = counted.peerInMemory[operation]
    if (counts === undefined) return []
    const { d1Trips, rowsWritten } = counts
    return [`${TITLES[operation]} ${d1Trips} and ${rowsWritten}`]
  })
  const lenient = `The peer with its rate limit in each isolate's memory, its default, D1 round trips and rows written: ${inMemory.join(', ')}.`
  return [table(head, rows), who, lenient, later.join('\n')].join('\n\n')
}
