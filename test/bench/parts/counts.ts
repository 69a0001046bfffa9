// Counted, exact and the same on every machine: what each operation asks of the platform.

import type { Bench } from '../bench.ts'
import { createDatabase } from '../database.ts'
import { firstOf, NOBODY, type Population, sizeOf } from '../population.ts'
import { type Counts, type Server, type Statement, serve } from '../serve.ts'
import { type ContestantName, contestantsOf } from '../sides/contestants.ts'
import { ACTORS, type Operation, type Side } from '../sides/side.ts'

export interface OperationCounts extends Counts {
  /** Calls that leave the isolate, of whatever kind. */
  readonly subrequests: number
  readonly statements: readonly Statement[]
}

export type SideCounts = Partial<Record<Operation, OperationCounts>> & {
  /** The third in a row of one person from one IP: counters by IP know it by then. */
  readonly thirdResend: OperationCounts
  /** A hundred mails, one batch. */
  readonly drain: OperationCounts
}

export type Counted = Readonly<Record<ContestantName, SideCounts>>

/** So many are counted. Where lots are drawn the mean is taken. */
const MANY = 12
const BATCH = 100

const POPULATION: Population = {
  ...NOBODY,
  logins: MANY + 1,
  checks: 1,
  repeats: MANY + 1,
  confirms: MANY + 1,
  resends: MANY + 2,
  publicResends: MANY + 1,
  waiting: BATCH,
  others: 500,
}

/**
 * What one and the same does again and again: the first time, a counter is not yet there. Everything else somebody
 * does once in a long time, from an IP of their own, and no counter knows them.
 */
const REPEATED: ReadonlySet<Operation> = new Set(['check', 'session', 'forged'])

export async function countOperations({ bundles, sides, scratch }: Bench): Promise<Counted> {
  const results: Partial<Record<ContestantName, SideCounts>> = {}
  for (const { name, side, bindings } of contestantsOf(sides)) {
    const data = await createDatabase(side, 'counts', POPULATION, scratch)
    const server = await serve(side, bundles[side.name], { data, counted: true, bindings })
    try {
      results[name] = await countSide(side, server)
    } finally {
      await server.close()
    }
  }
  return results as Counted
}

async function countSide(side: Side, server: Server): Promise<SideCounts> {
  const counted: Partial<Record<Operation, OperationCounts>> = {}
  for (const operation of side.operations) {
    counted[operation] = await countOperation(server, operation, POPULATION, MANY)
  }
  const thirdResend = await countThirdResend(server)
  const first = firstOf(POPULATION, 'waiting')
  const bodies = await Promise.all(Array.from({ length: BATCH }, (_, n) => side.queued(first + n)))
  await server.take()
  const { acked } = await server.consume(bodies)
  if (acked !== BATCH) throw new Error(`${side.name} sent ${acked} of ${BATCH} mails`)
  return { ...counted, thirdResend, drain: await takeCounts(server) }
}

/**
 * Counts an operation, and makes sure that it costs the same each time: all but the writes of counters, for which
 * lots may be drawn.
 * @param server counted
 * @param operation which
 * @param population who is there
 * @param many how many requests, after one to warm up
 */
export async function countOperation(
  server: Server,
  operation: Operation,
  population: Population,
  many: number,
): Promise<OperationCounts> {
  const { side } = server
  const actor = ACTORS[operation]
  const first = actor === 'new' ? sizeOf(population) : firstOf(population, actor)
  const taken: OperationCounts[] = []
  for (let n = 0; n < 1 + many; n++) {
    await server.take()
    await server.send(await side.request(operation, REPEATED.has(operation) ? first : first + n))
    const counts = await takeCounts(server)
    // The first one warms up.
    if (n > 0) taken.push(counts)
  }
  const [one] = taken
  if (one === undefined) throw new Error('nothing was counted')
  const kvWrites = taken.reduce((sum, counts) => sum + counts.kvWrites, 0) / taken.length
  const plain = ({ statements, subrequests, kvWrites: _, ...counts }: OperationCounts) =>
    JSON.stringify(counts)
  const other = taken.find((counts) => plain(counts) !== plain(one))
  if (other !== undefined) {
    throw new Error(
      `${side.name} ${operation} does not cost the same each time:\n${plain(one)}\n${plain(other)}`,
    )
  }
  return { ...one, kvWrites, subrequests: one.subrequests - one.kvWrites + kvWrites }
}

async function countThirdResend(server: Server): Promise<OperationCounts> {
  const somebody = firstOf(POPULATION, 'resends') + POPULATION.resends - 1
  for (let n = 0; n < 3; n++) {
    await server.take()
    await server.send(await server.side.request('resend', somebody))
  }
  return takeCounts(server)
}

/**
 * What was counted since the last call.
 * @param server counted
 */
export async function takeCounts(server: Server): Promise<OperationCounts> {
  const { counts, statements } = await server.take()
  const { d1Trips, kvReads, kvWrites, queueSends, httpCalls, limiterCalls } = counts
  const subrequests = d1Trips + kvReads + kvWrites + queueSends + httpCalls + limiterCalls
  return { ...counts, subrequests, statements }
}
