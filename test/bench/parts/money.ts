// From the counts and Cloudflare's prices: dollars for a million verified sign-ups, mail itself apart. A sign-up
// is a registration, one mail that is sent (a hundredth of a full batch), the link opened, and confirmed, and that
// what all of it wrote is pruned some day.

import { OPERATIONS_PER_MESSAGE, PER_MILLION, type Priced } from '../prices.ts'
import type { ContestantName } from '../sides/contestants.ts'
import { HASHES, OPERATIONS, type Operation, type SideName } from '../sides/side.ts'
import { type Counted, type OperationCounts, SECOND_OPERATIONS } from './counts.ts'
import type { CpuResult } from './cpu.ts'
import type { UpkeepResult } from './upkeep.ts'

/** How much of everything one sign-up takes. */
export type Usage = Readonly<Record<Priced, number>>

export interface Bill {
  /** By step of the sign-up. */
  readonly steps: Readonly<Record<string, Usage>>
  readonly usage: Usage
  /** Dollars for a million, by what is priced. */
  readonly dollars: Usage
  readonly total: number
  /** The same for sign-ups of which each is the second from its IP. */
  readonly second: { readonly usage: Usage; readonly total: number }
  /** What a mail takes besides where its delivery is reported, in a call of its own; null where nobody listens. */
  readonly reporting: Usage | null
  /** Dollars for a million of each operation by itself. */
  readonly operations: Partial<Record<Operation, number>>
}

export type MoneyResult = Readonly<Record<'ours' | 'peer' | 'peerInMemory', Bill>>

const BATCH = 100
/** `open` is a request of its own only where opening a link is inert. */
const STEPS: readonly Operation[] = ['register', 'open', 'confirm']

export function bill(
  counts: Counted,
  upkeep: Partial<Record<ContestantName, UpkeepResult>>,
  cpu: CpuResult,
): MoneyResult {
  return { ours: billOf('ours'), peer: billOf('peer'), peerInMemory: billOf('peerInMemory') }

  function cpuOf(side: SideName, operation: Operation): number {
    const own = cpu.own[side][operation]
    if (own === undefined || Number.isNaN(own)) throw new Error(`no CPU time: ${side} ${operation}`)
    return HASHES.has(operation) ? own + cpu.hash : own
  }

  function billOf(contestant: keyof MoneyResult): Bill {
    // Where its counters are makes no difference to its CPU time worth a cent, and leaves nothing to prune.
    const side = contestant === 'peerInMemory' ? 'peer' : contestant
    const counted = counts[contestant]
    const steps: Record<string, Usage> = {}
    for (const operation of STEPS) {
      const step = counted[operation]
      if (step !== undefined) steps[operation] = usageOf(step, 1, cpuOf(side, operation))
    }
    // The consumer's CPU time is left out on both sides: a millisecond a mail would be two cents.
    const batch = usageOf(counted.drain, 1, 0)
    steps.mail = map(batch, (amount) => amount / BATCH)
    const later = upkeep[contestant]
    if (later !== undefined) {
      const { rowsRead, rowsWritten } = later.perPerson
      steps[later.what] = { ...NOTHING, rowsRead, rowsWritten }
    }
    const usage = sumOf(steps)
    const secondSteps = { ...steps }
    for (const operation of SECOND_OPERATIONS) {
      const step = counted.second[operation]
      secondSteps[operation] = usageOf(step, 1, cpuOf(side, operation))
    }
    if (later?.byIp) delete secondSteps[later.what]
    const secondUsage = sumOf(secondSteps)
    const second = { usage: secondUsage, total: total(secondUsage) }
    const operations: Partial<Record<Operation, number>> = {}
    for (const name of OPERATIONS) {
      const single = counted[name]
      if (single !== undefined) operations[name] = total(usageOf(single, 1, cpuOf(side, name)))
    }
    const extra = later?.reporting
    const reporting = extra ? { ...NOTHING, ...extra, requests: 1 } : null
    const dollars = priced(usage)
    return { steps, usage, dollars, total: total(usage), second, reporting, operations }
  }
}

const NOTHING: Usage = {
  requests: 0,
  cpuMs: 0,
  rowsWritten: 0,
  rowsRead: 0,
  kvWrites: 0,
  kvReads: 0,
  queueOperations: 0,
}

function usageOf(counts: OperationCounts, requests: number, cpuMs: number): Usage {
  const { rowsWritten, rowsRead, kvWrites, kvReads, queueMessages } = counts
  const queueOperations = queueMessages * OPERATIONS_PER_MESSAGE
  return { requests, cpuMs, rowsWritten, rowsRead, kvWrites, kvReads, queueOperations }
}

/** Dollars for a million, by what is priced. */
export const priced = (usage: Usage): Usage =>
  map(usage, (amount, name) => amount * PER_MILLION[name])

/** Dollars for a million, all in all. */
export function total(usage: Usage): number {
  return Object.values(priced(usage)).reduce((sum, dollars) => sum + dollars, 0)
}

function sumOf(steps: Readonly<Record<string, Usage>>): Usage {
  return Object.values(steps).reduce((sum, step) => map(sum, (amount, name) => amount + step[name]))
}

function map(usage: Usage, change: (amount: number, name: Priced) => number): Usage {
  const entries = Object.entries(usage).map(([name, amount]) => [
    name,
    change(amount, name as Priced),
  ])
  return Object.fromEntries(entries) as Usage
}
