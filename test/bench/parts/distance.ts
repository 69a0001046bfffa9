// Far from the primary: each trip to D1 takes 5, 50 or 200 ms more. What grows with it is the number of trips that
// wait for one another.

import type { Bench } from '../bench.ts'
import { createDatabase } from '../database.ts'
import { drive } from '../load.ts'
import { supplyOf } from '../people.ts'
import { NOBODY, type Population } from '../population.ts'
import { serve } from '../serve.ts'
import { HASHES, OPERATIONS, type Operation } from '../sides/side.ts'
import { median } from '../statistics.ts'

export const DELAYS = [0, 5, 50, 200] as const

export interface DistanceRow {
  readonly operation: Operation
  /** Median latency in milliseconds, in the order of {@link DELAYS}. */
  readonly ours: readonly number[]
  readonly peer: readonly number[] | null
  /** How many delays a caller waits for: the slope between the first and the last. */
  readonly oursTrips: number
  readonly peerTrips: number | null
}

export async function measureDistance(bench: Bench): Promise<DistanceRow[]> {
  const each = bench.quick ? 2 : 6
  const many = DELAYS.length * each + 10
  const population: Population = {
    ...NOBODY,
    logins: 4,
    checks: 20,
    repeats: many,
    confirms: many,
    resends: many,
    publicResends: many,
    others: 500,
  }
  const measured = new Map<string, number[]>()
  for (const side of bench.sides) {
    if (side.name === 'floor') continue
    const data = await createDatabase(side, 'distance', population, bench.scratch)
    const server = await serve(side, bench.bundles[side.name], { data, instrumented: true })
    try {
      for (const operation of side.operations) {
        bench.say(`distance: ${side.title}, ${operation}`)
        const supply = await supplyOf(side, operation, population)
        await server.delayD1(0)
        await drive(server.url, supply, { callers: 1, requests: HASHES.has(operation) ? 1 : 4 })
        const latencies: number[] = []
        for (const delay of DELAYS) {
          await server.delayD1(delay)
          const result = await drive(server.url, supply, { callers: 1, requests: each })
          latencies.push(median(result.latencies))
        }
        measured.set(`${side.name} ${operation}`, latencies)
      }
    } finally {
      await server.close()
    }
  }
  const [near, far] = [DELAYS[0], DELAYS[DELAYS.length - 1] ?? 0]
  const trips = (latencies: readonly number[]) =>
    ((latencies.at(-1) ?? Number.NaN) - (latencies[0] ?? Number.NaN)) / (far - near)
  return OPERATIONS.map((operation): DistanceRow => {
    const ours = measured.get(`ours ${operation}`) ?? []
    const peer = measured.get(`peer ${operation}`) ?? null
    return {
      operation,
      ours,
      peer,
      oursTrips: trips(ours),
      peerTrips: peer === null ? null : trips(peer),
    }
  })
}
