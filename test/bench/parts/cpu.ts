// CPU time of the Worker's own isolate, from workerd's profiler: an estimate, and this machine's. The rest of
// the money is counted; this line is measured.

import type { Bench, BySide } from '../bench.ts'
import { createDatabase } from '../database.ts'
import { type CpuTime, type Inspector, inspect } from '../inspector.ts'
import { firstOf, NOBODY, type Population, sizeOf } from '../population.ts'
import { type Server, serve } from '../serve.ts'
import { ACTORS, HASHES, OPERATIONS, type Operation } from '../sides/side.ts'
import { median } from '../statistics.ts'

/** Milliseconds a request. */
export interface CpuResult {
  /** All but the password hash. */
  readonly own: BySide<Partial<Record<Operation, number>>>
  /** One password hash: the same function with the same parameters on both sides, so one number for both. */
  readonly hash: number
}

const WARM_UP = 40
const HASHED_WARM_UP = 1

export async function measureCpu(bench: Bench): Promise<CpuResult> {
  const many = bench.quick ? 60 : 300
  const hashed = bench.quick ? 4 : 12
  const each = many + WARM_UP
  const population: Population = {
    ...NOBODY,
    logins: 4,
    checks: 50,
    repeats: each,
    confirms: each,
    resends: each,
    publicResends: each,
    others: 500,
  }
  const own: Record<string, Partial<Record<Operation, number>>> = {}
  const hashes: number[] = []
  for (const side of bench.sides) {
    const data = await createDatabase(side, 'cpu', population, bench.scratch)
    const server = await serve(side, bench.bundles[side.name], { data, inspected: true })
    const inspector = await inspect(server)
    const measured: Partial<Record<Operation, number>> = {}
    own[side.name] = measured
    try {
      for (const operation of OPERATIONS) {
        if (!side.operations.includes(operation)) continue
        // It would sleep half a second each time; the work is that of the other resend.
        if (operation === 'public_resend' && side.name === 'peer') continue
        const subject = { server, inspector, population, operation }
        if (HASHES.has(operation)) {
          const times = await profile(subject, HASHED_WARM_UP, hashed, 1)
          measured[operation] = median(times.map((time) => time.own))
          hashes.push(...times.map((time) => time.hash))
        } else {
          const [time] = await profile(subject, WARM_UP, many, many)
          measured[operation] = (time?.own ?? Number.NaN) / many
        }
      }
      if (side.name === 'peer') measured.public_resend = measured.resend ?? Number.NaN
    } finally {
      inspector.close()
      await server.close()
    }
  }
  // Long enough for another process to cut in: the quickest is the one that was left alone.
  return { own: own as unknown as CpuResult['own'], hash: Math.min(...hashes) }
}

/** Sends requests one after the other, so many to a profile. */
async function profile(
  subject: { server: Server; inspector: Inspector; population: Population; operation: Operation },
  warmUp: number,
  many: number,
  perProfile: number,
): Promise<CpuTime[]> {
  const { server, inspector, population, operation } = subject
  const actor = ACTORS[operation]
  const first = actor === 'new' ? sizeOf(population) : firstOf(population, actor)
  const people = actor === 'new' ? many + warmUp : population[actor]
  let sent = 0
  const send = async (times: number) => {
    for (let n = 0; n < times; n++) {
      await server.send(await server.side.request(operation, first + (sent++ % people)))
    }
  }
  await send(warmUp)
  const times: CpuTime[] = []
  while (sent < many + warmUp) times.push(await inspector.cpuTime(() => send(perProfile)))
  return times
}
