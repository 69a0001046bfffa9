// Counted, exact and the same on every machine: what each operation asks of the platform.

import type { Bench } from '../bench.ts'
import { createDatabase } from '../database.ts'
import { firstOf, ipOf, NOBODY, type Population, sizeOf } from '../population.ts'
import { type Counts, type Server, type Statement, serve } from '../serve.ts'
import { type ContestantName, contestantsOf } from '../sides/contestants.ts'
import { ACTORS, type BenchRequest, type Operation, type Side } from '../sides/side.ts'

export interface OperationCounts extends Counts {
  /** Calls that leave the isolate, of whatever kind. */
  readonly subrequests: number
  readonly statements: readonly Statement[]
}

export type SideCounts = Partial<Record<Operation, OperationCounts>> & {
  /** The third in a row of one person from one IP: counters by IP know it by then. */
  readonly thirdResend: OperationCounts
  /** Of somebody at whose IP another one has just done the same. */
  readonly second: Readonly<Record<SecondOperation, OperationCounts>>
  /** A hundred mails, one batch. */
  readonly drain: OperationCounts
}

export type Counted = Readonly<Record<ContestantName, SideCounts>>

/** The requests of a sign-up that a counter by IP may have a part in. */
export const SECOND_OPERATIONS = ['register', 'confirm'] as const
export type SecondOperation = (typeof SECOND_OPERATIONS)[number]

/** So many are counted, and each has to cost the same. */
const MANY = 6
/** So many pairs at one IP. */
const PAIRS = 3
const BATCH = 100

const POPULATION: Population = {
  ...NOBODY,
  logins: MANY + 1,
  checks: 1,
  repeats: MANY + 1,
  confirms: MANY + 1 + 2 * PAIRS,
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
    const server = await serve(side, bundles[side.name], { data, instrumented: true, bindings })
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
  const second: Partial<Record<SecondOperation, OperationCounts>> = {}
  for (const operation of SECOND_OPERATIONS) {
    if (side.operations.includes(operation))
      second[operation] = await countSecond(server, operation)
  }
  const first = firstOf(POPULATION, 'waiting')
  const bodies = await Promise.all(Array.from({ length: BATCH }, (_, n) => side.queued(first + n)))
  await server.take()
  const { acked } = await server.consume(bodies)
  if (acked !== BATCH) throw new Error(`${side.name} sent ${acked} of ${BATCH} mails`)
  return {
    ...counted,
    thirdResend,
    second: second as SideCounts['second'],
    drain: await takeCounts(server),
  }
}

/**
 * Counts an operation, and makes sure that it costs the same each time.
 * @param server instrumented
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
  return theOne(`${side.name} ${operation}`, taken)
}

/** @throws Error where they are not all the same */
function theOne(what: string, taken: readonly OperationCounts[]): OperationCounts {
  const [one] = taken
  if (one === undefined) throw new Error(`${what}: nothing was counted`)
  const plain = ({ statements: _, ...counts }: OperationCounts) => JSON.stringify(counts)
  const other = taken.find((counts) => plain(counts) !== plain(one))
  if (other === undefined) return one
  throw new Error(`${what} does not cost the same each time:\n${plain(one)}\n${plain(other)}`)
}

/** Pairs of people at one IP, each pair at one of its own, of which the second is counted. */
async function countSecond(server: Server, operation: SecondOperation): Promise<OperationCounts> {
  const { side } = server
  // Behind those who have been counted.
  const first =
    (operation === 'register' ? sizeOf(POPULATION) : firstOf(POPULATION, 'confirms')) + MANY + 1
  const taken: OperationCounts[] = []
  for (let pair = 0; pair < PAIRS; pair++) {
    const one = first + 2 * pair
    await server.send(await side.request(operation, one))
    await server.take()
    await server.send(fromIpOf(one, await side.request(operation, one + 1)))
    taken.push(await takeCounts(server))
  }
  return theOne(`${side.name} ${operation}, second from one IP`, taken)
}

const fromIpOf = (i: number, request: BenchRequest): BenchRequest => ({
  ...request,
  headers: { ...request.headers, 'CF-Connecting-IP': ipOf(i) },
})

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
 * @param server instrumented
 */
export async function takeCounts(server: Server): Promise<OperationCounts> {
  const { counts, statements } = await server.take()
  const { d1Trips, kvReads, kvWrites, queueSends, httpCalls, limiterCalls } = counts
  const subrequests = d1Trips + kvReads + kvWrites + queueSends + httpCalls + limiterCalls
  return { ...counts, subrequests, statements }
}
