// Dollars for a million sign-ups, and of what they are made up.

import { PER_MILLION, PRICE_TITLES, type Priced } from '../prices.ts'
import type { Results } from '../results.ts'
import { OPERATIONS, TITLES } from '../sides/side.ts'
import { dollars, short, table } from './format.ts'

/** As Markdown, or null where there is no bill. */
export function moneyTables({ money: bills }: Results): string | null {
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
  const { peerInMemory } = bills
  const kept = `${short(peerInMemory.usage.rowsWritten)} rows written`
  rows.push(['with its rate limit in memory', '', '', '–', kept, dollars(peerInMemory.total)])
  const second = (side: keyof typeof bills) => {
    const { usage, total } = bills[side].second
    const kv = usage.kvReads + usage.kvWrites
    return [
      `${short(usage.rowsWritten)} rows written, ${short(kv)} KV operations`,
      dollars(total),
    ] as const
  }
  rows.push(['each the second from its IP', '', ...second('ours'), ...second('peer')])
  const { reporting } = ours
  if (reporting !== null) {
    const extra = items.reduce((total, item) => total + reporting[item] * PER_MILLION[item], 0)
    const what = `${short(reporting.rowsWritten)} rows written, ${short(reporting.requests)} request`
    rows.push(['where delivery is reported, besides', '', what, `+ ${dollars(extra)}`, '', '–'])
  }
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
    'CPU time: of a password hash, the same function on both sides, the shortest that was seen; of the rest of a request that hashes, the median; of any other request, the mean.',
    table(['', 'step', 'dollars a million', 'of which'], steps),
    'A million of each operation by itself, its mail not yet sent:',
    table(['', 'ours', 'peer'], single),
  ].join('\n\n')
}
