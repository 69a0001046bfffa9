// Requests per second of bare bundles: rounds of A B C, one after the other and in another order each time, so that a
// machine that slows down slows all of them down. Ratios are taken within a round.

import type { Bench } from '../bench.ts'
import { createDatabase } from '../database.ts'
import { drive, type Supply } from '../load.ts'
import { supplyOf } from '../people.ts'
import { NOBODY, type Population } from '../population.ts'
import { type Server, serve } from '../serve.ts'
import { type ContestantName, contestantsOf } from '../sides/contestants.ts'
import { HASHES, OPERATIONS, type Operation, type SideName } from '../sides/side.ts'
import { median, type Spread, spreadOfMeasured } from '../statistics.ts'
import { inTurn, pause } from '../turns.ts'

export const CALLERS = [1, 16, 64] as const

export interface Cell {
  readonly operation: Operation
  readonly callers: number
  readonly perSecond: Partial<Record<ContestantName, Spread>>
  /** Median latency, milliseconds. */
  readonly latencyMs: Partial<Record<ContestantName, Spread>>
  /** CPU of the whole workerd, simulated bindings included, in milliseconds a request. */
  readonly cpuMs: Partial<Record<ContestantName, Spread>>
  /** Ours by theirs, round by round. */
  readonly toPeer: Spread | null
  readonly toFloor: Spread | null
  readonly toPeerInMemory: Spread | null
  /** The same by CPU time: how many requests ours answers with what the peer needs for one. */
  readonly cpuToPeer: number | null
  readonly cpuToFloor: number | null
  /**
   * How much of one core the load generator took, from 0 to 1. Near 1 it is the generator that is measured, and a rate
   * is too low.
   */
  readonly generator: Partial<Record<ContestantName, Spread>>
}

/** What is not timed: opening is ours alone, and the peer sleeps half a second in a resend by address. */
const TIMED = OPERATIONS.filter(
  (operation) => operation !== 'open' && operation !== 'public_resend',
)

/** What one contestant did in one slice of time: not numbers where it was skipped. */
interface Slice {
  readonly rate: number
  readonly latency: number
  readonly cpu: number
  readonly generator: number
}

const SKIPPED: Slice = {
  rate: Number.NaN,
  latency: Number.NaN,
  cpu: Number.NaN,
  generator: Number.NaN,
}

/** With fewer requests left for each caller there is nothing to measure. */
const FEWEST_EACH = 20

export async function measureThroughput(bench: Bench): Promise<Cell[]> {
  const { quick } = bench
  const rounds = quick ? 1 : 5
  const seconds = quick ? 0.4 : 0.5
  // Enough for the floor, the fastest, through all rounds; on a faster machine the last rounds are left out.
  const each = Math.ceil(rounds * seconds * CALLERS.length * 4_500) + 1_000
  const population: Population = {
    ...NOBODY,
    logins: 32,
    checks: 1_000,
    repeats: each,
    confirms: each,
    resends: each,
  }

  const contestants = contestantsOf(bench.sides)
  const servers: { name: ContestantName; server: Server; supplies: Map<Operation, Supply> }[] = []
  /** Round by round. */
  const slices = new Map<string, Slice[]>()
  try {
    for (const { name, side, bindings } of contestants) {
      bench.say(`throughput: filling ${side.title}`)
      const data = await createDatabase(side, 'throughput', population, bench.scratch)
      const server = await serve(side, bench.bundles[side.name], { data, bindings })
      const supplies = new Map<Operation, Supply>()
      for (const operation of TIMED) {
        if (!side.operations.includes(operation)) continue
        // Where its counters are is nothing beside a hash.
        if (name === 'peerInMemory' && HASHES.has(operation)) continue
        const supply = await supplyOf(side, operation, population)
        supplies.set(operation, supply)
        await drive(server.url, supply, { callers: 8, requests: HASHES.has(operation) ? 4 : 300 })
      }
      servers.push({ name, server, supplies })
    }
    for (let round = 1; round <= rounds; round++) {
      for (const operation of TIMED) {
        bench.say(`throughput: round ${round} of ${rounds}, ${operation}`)
        for (const callers of CALLERS) {
          for (const { name, server, supplies } of inTurn(servers, round)) {
            const supply = supplies.get(operation)
            if (supply === undefined) continue
            const key = `${operation} ${callers} ${name}`
            const known = slices.get(key) ?? []
            slices.set(key, known)
            if (supply.left < callers * FEWEST_EACH) {
              bench.say(`throughput: nobody left for ${operation} of ${name}, ${callers} callers`)
              known.push(SKIPPED)
              continue
            }
            await pause()
            // An isolate hashes one password after the other, and answers nobody meanwhile: in a short time a crowd
            // would get no answer at all. So many requests, then, and the time until the last is answered.
            const hashed = Math.max(quick ? 3 : 10, callers)
            const options = HASHES.has(operation)
              ? { callers, requests: hashed }
              : { callers, seconds }
            const cpuBefore = server.cpuSeconds() ?? Number.NaN
            const result = await drive(server.url, supply, options)
            const cpu = ((server.cpuSeconds() ?? Number.NaN) - cpuBefore) * 1000
            known.push({
              rate: result.perSecond,
              latency: median(result.latencies),
              cpu: cpu / result.latencies.length,
              generator: result.generatorShare,
            })
          }
        }
      }
    }
  } finally {
    for (const { server } of servers) await server.close()
  }

  return TIMED.flatMap((operation) =>
    CALLERS.map((callers): Cell => {
      const all = (side: ContestantName, what: keyof Slice) =>
        (slices.get(`${operation} ${callers} ${side}`) ?? []).map((slice) => slice[what])
      const spreads = (what: keyof Slice) =>
        Object.fromEntries(
          contestants.flatMap(({ name }) => {
            const spread = spreadOfMeasured(all(name, what))
            return spread === null ? [] : [[name, spread]]
          }),
        )
      const against = (side: ContestantName) => {
        const theirs = all(side, 'rate')
        return spreadOfMeasured(
          all('ours', 'rate').map((rate, i) => rate / (theirs[i] ?? Number.NaN)),
        )
      }
      const cpuOf = (side: SideName) => spreadOfMeasured(all(side, 'cpu'))?.median ?? Number.NaN
      const cpuAgainst = (side: SideName) => {
        const ratio = cpuOf(side) / cpuOf('ours')
        return Number.isFinite(ratio) ? ratio : null
      }
      return {
        operation,
        callers,
        cpuMs: spreads('cpu'),
        cpuToPeer: cpuAgainst('peer'),
        cpuToFloor: cpuAgainst('floor'),
        perSecond: spreads('rate'),
        latencyMs: spreads('latency'),
        generator: spreads('generator'),
        toPeer: against('peer'),
        toFloor: against('floor'),
        toPeerInMemory: against('peerInMemory'),
      }
    }),
  )
}
