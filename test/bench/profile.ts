// Where the CPU time of one operation goes, function by function, under load: to find out, not to compare. The bundle
// keeps its names.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.ts'
import { createDatabase } from './database.ts'
import { inspect, mostOfSample, type Profile } from './inspector.ts'
import { drive } from './load.ts'
import { supplyOf } from './people.ts'
import { NOBODY, type Population } from './population.ts'
import { serve } from './serve.ts'
import type { Operation, Side } from './sides/side.ts'

const CALLERS = 16
const SECONDS = 4
const WARM_UP = 800
/** Enough for the time, at ten times the rate of this machine. */
const EACH = 12_000
const SHOWN = 25

/**
 * Profiles one operation.
 * @param side whose
 * @param operation which; not one that hashes passwords, which is all that it would show
 * @param scratch a directory that is gone afterwards
 * @param directory where the profile goes, to be opened in a browser's developer tools
 * @returns what to print
 */
export async function profileOperation(
  side: Side,
  operation: Operation,
  scratch: string,
  directory: string,
): Promise<string> {
  const population: Population = {
    ...NOBODY,
    checks: 1_000,
    repeats: EACH,
    confirms: EACH,
    resends: EACH,
    publicResends: EACH,
  }
  const bundle = await build(side, scratch, { minified: false })
  const data = await createDatabase(side, 'profile', population, scratch)
  const server = await serve(side, bundle, { data, inspected: true })
  try {
    const inspector = await inspect(server)
    const supply = await supplyOf(side, operation, population)
    await drive(server.url, supply, { callers: 8, requests: WARM_UP })
    let requests = 0
    const profile = await inspector.profile(async () => {
      const { latencies } = await drive(server.url, supply, { callers: CALLERS, seconds: SECONDS })
      requests = latencies.length
    })
    inspector.close()
    mkdirSync(directory, { recursive: true })
    const file = join(directory, `${side.name}-${operation}.cpuprofile`)
    writeFileSync(file, JSON.stringify(profile))
    return `${side.title}, ${operation}: ${requests} requests by ${CALLERS} callers; ${file}\n\n${selfTimes(profile, requests)}`
  } finally {
    await server.close()
  }
}

/** The functions that took the most time themselves, in microseconds a request. */
function selfTimes(profile: Profile, requests: number): string {
  const { nodes, samples, timeDeltas } = profile
  const most = mostOfSample(profile)
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'}${lineNumber === undefined || lineNumber < 0 ? '' : `:${lineNumber + 1}`}`,
    ]),
  )
  const times = new Map<string, number>()
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? ''
    times.set(name, (times.get(name) ?? 0) + Math.min(most, Math.max(0, timeDeltas[i] ?? 0)))
  }
  return [...times]
    .filter(([name]) => name !== '(idle)')
    .sort(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([name, time]) => `${(time / requests).toFixed(1).padStart(8)} µs  ${name}`)
    .join('\n')
}
