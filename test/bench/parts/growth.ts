// A thousand users, a hundred thousand, a million: the rows that each operation reads, counted, and how long it
// takes, in turns so that the machine's moods hit every size alike.

import type { Bench } from '../bench.ts'
import { createDatabase } from '../database.ts'
import { drive, type Supply } from '../load.ts'
import { supplyOf } from '../people.ts'
import { NOBODY, type Population, sizeOf } from '../population.ts'
import { type Server, serve } from '../serve.ts'
import { HASHES, OPERATIONS, type Operation, type Side, type SideName } from '../sides/side.ts'
import { median } from '../statistics.ts'
import { countOperation } from './counts.ts'

export interface GrowthRow {
  readonly side: SideName
  readonly operation: Operation
  /** In the order of `users`. */
  readonly latencyMs: readonly number[]
  readonly rowsRead: readonly number[]
  readonly rowsWritten: readonly number[]
  /** The largest by the smallest. */
  readonly slowdown: number
}

export interface GrowthResult {
  readonly users: readonly number[]
  readonly rows: readonly GrowthRow[]
}

/** Requests that are counted, and people they use up: one more, to warm up. */
const COUNTED = 3
const USED_UP = COUNTED + 1

function populationOf(users: number, each: number): Population {
  const population = {
    ...NOBODY,
    logins: 4,
    checks: 50,
    repeats: each,
    confirms: each,
    resends: each,
    publicResends: USED_UP,
  }
  return { ...population, others: users - sizeOf(population) }
}

export async function measureGrowth(bench: Bench): Promise<GrowthResult> {
  const { quick } = bench
  const users = quick ? [1_000, 20_000] : [1_000, 100_000, 1_000_000]
  const rounds = quick ? 2 : 5
  const [warm, perRound] = [30, 40]
  const each = warm + rounds * perRound + 10
  const rows: GrowthRow[] = []
  for (const side of bench.sides) {
    if (side.name === 'floor') continue
    rows.push(...(await growSide(bench, side, users, { rounds, warm, perRound, each })))
  }
  return { users, rows }
}

async function growSide(
  bench: Bench,
  side: Side,
  users: readonly number[],
  plan: { rounds: number; warm: number; perRound: number; each: number },
): Promise<GrowthRow[]> {
  // By address the peer sleeps half a second, whatever the size.
  const operations = OPERATIONS.filter(
    (operation) => side.operations.includes(operation) && operation !== 'public_resend',
  )
  const latencies = new Map<string, number[]>()
  const counted = new Map<string, { rowsRead: number; rowsWritten: number }>()
  const sizes: { size: number; server: Server; supplies: Map<Operation, Supply> }[] = []
  try {
    for (const size of users) {
      bench.say(`growth: filling ${side.title} with ${size} users`)
      const population = populationOf(size, plan.each)
      const data = await createDatabase(side, `growth-${size}`, population, bench.scratch)
      const counting = await serve(side, bench.bundles[side.name], { data, instrumented: true })
      try {
        for (const operation of operations) {
          const { rowsRead, rowsWritten } = await countOperation(
            counting,
            operation,
            population,
            COUNTED,
          )
          counted.set(`${operation} ${size}`, { rowsRead, rowsWritten })
        }
      } finally {
        await counting.close()
      }
      const server = await serve(side, bench.bundles[side.name], { data })
      const supplies = new Map<Operation, Supply>()
      for (const operation of operations) {
        // The counted ones are behind it.
        const supply = await supplyOf(side, operation, population, USED_UP)
        supplies.set(operation, supply)
        const requests = HASHES.has(operation) ? 1 : plan.warm
        await drive(server.url, supply, { callers: 1, requests })
      }
      sizes.push({ size, server, supplies })
    }
    for (let round = 1; round <= plan.rounds; round++) {
      bench.say(`growth: ${side.title}, round ${round} of ${plan.rounds}`)
      for (const operation of operations) {
        for (const { size, server, supplies } of sizes) {
          const supply = supplies.get(operation)
          if (supply === undefined) continue
          const requests = HASHES.has(operation) ? 2 : plan.perRound
          const result = await drive(server.url, supply, { callers: 1, requests })
          const key = `${operation} ${size}`
          latencies.set(key, [...(latencies.get(key) ?? []), ...result.latencies])
        }
      }
    }
  } finally {
    for (const { server } of sizes) await server.close()
  }
  return operations.map((operation): GrowthRow => {
    const latencyMs = users.map((size) => median(latencies.get(`${operation} ${size}`) ?? []))
    const counts = users.map((size) => counted.get(`${operation} ${size}`))
    return {
      side: side.name,
      operation,
      latencyMs,
      rowsRead: counts.map((count) => count?.rowsRead ?? Number.NaN),
      rowsWritten: counts.map((count) => count?.rowsWritten ?? Number.NaN),
      slowdown: (latencyMs.at(-1) ?? Number.NaN) / (latencyMs[0] ?? Number.NaN),
    }
  })
}
