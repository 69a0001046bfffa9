// Counted, exact and the same on every machine: what each operation asks of the platform.

import type { Bench, BySide } from '../bench.ts'
import { createDatabase } from '../database.ts'
import { firstOf, NOBODY, type Population, sizeOf } from '../population.ts'
import { type Counts, type Server, type Statement, serve } from '../serve.ts'
import { ACTORS, type Operation, type Side } from '../sides/side.ts'

export interface OperationCounts extends Counts {
  /** Calls that leave the isolate, of whatever kind. */
  readonly subrequests: number
  readonly statements: readonly Statement[]
}

export type SideCounts = Partial<Record<Operation, OperationCounts>> & {
  /** A hundred mails, one batch. */
  readonly drain: OperationCounts
}

/** Where lots are drawn, so many requests are counted and the mean is taken. */
const MANY = 40
const BATCH = 100

const POPULATION: Population = {
  ...NOBODY,
  logins: 4,
  checks: 1,
  repeats: MANY + 1,
  confirms: MANY + 1,
  resends: MANY + 1,
  publicResends: MANY + 1,
  waiting: BATCH,
  others: 500,
}

/** What the same people do again and again: their first time, a counter is not yet there. */
const REPEATED: ReadonlySet<Operation> = new Set(['session', 'login', 'forged'])

export async function countOperations({
  bundles,
  sides,
  scratch,
}: Bench): Promise<BySide<SideCounts>> {
  const results: Partial<BySide<SideCounts>> = {}
  for (const side of sides) {
    const data = await createDatabase(side, 'counts', POPULATION, scratch)
    const server = await serve(side, bundles[side.name], { data, counted: true })
    try {
      Object.assign(results, { [side.name]: await countSide(side, server) })
    } finally {
      await server.close()
    }
  }
  return results as BySide<SideCounts>
}

async function countSide(side: Side, server: Server): Promise<SideCounts> {
  const counted: Partial<Record<Operation, OperationCounts>> = {}
  for (const operation of side.operations) {
    const many = side.kv ? MANY : 3
    counted[operation] = await countOperation(server, operation, POPULATION, many)
  }
  const first = firstOf(POPULATION, 'waiting')
  const bodies = await Promise.all(Array.from({ length: BATCH }, (_, n) => side.queued(first + n)))
  await server.take()
  const { acked } = await server.consume(bodies)
  if (acked !== BATCH) throw new Error(`${side.name} sent ${acked} of ${BATCH} mails`)
  return { ...counted, drain: await takeCounts(server) }
}

/**
 * Counts an operation, and makes sure that it costs the same each time: all but the writes of counters, for which
 * lots may be drawn.
 * @param server counted
 * @param operation which
 * @param population who is there
 * @param many how many requests, after some to warm up
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
  const people = actor === 'logins' ? population.logins : 1
  const taken: OperationCounts[] = []
  const warmUps = REPEATED.has(operation) ? people : 1
  for (let n = 0; n < warmUps + many; n++) {
    await server.take()
    const who = REPEATED.has(operation) ? n % people : n
    await server.send(await side.request(operation, first + who))
    const counts = await takeCounts(server)
    if (n >= warmUps) taken.push(counts)
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
