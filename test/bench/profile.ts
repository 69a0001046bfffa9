// Where the CPU time of one operation, or of sending one mail, goes, function by function, under load: to find out, not
// to compare. The bundle keeps its names. A line of the log weighs several times here what it does unwatched.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { backlogOf } from './backlog.ts'
import { build } from './build.ts'
import { createDatabase } from './database.ts'
import { inspect, mostOfSample, type Profile } from './inspector.ts'
import { drive } from './load.ts'
import type { Profiled } from './options.ts'
import { supplyOf } from './people.ts'
import { NOBODY, type Population } from './population.ts'
import { type Server, serve } from './serve.ts'
import type { Operation, Side } from './sides/side.ts'

const CALLERS = 16
const SECONDS = 4
const WARM_UP = 800
/** Enough for the time, at ten times the rate of this machine. */
const EACH = 12_000
const MAILS = 8_000
const SHOWN = 25

/**
 * Profiles one operation, or the consumer of mails.
 * @param side whose
 * @param profiled which; not one that hashes passwords, which is all that it would show
 * @param scratch a directory that is gone afterwards
 * @param directory where the profile goes, to be opened in a browser's developer tools
 * @returns what to print
 */
export async function profileOperation(
  side: Side,
  profiled: Profiled,
  scratch: string,
  directory: string,
): Promise<string> {
  const isDrain = profiled === 'drain'
  const population: Population = {
    ...NOBODY,
    checks: 1_000,
    repeats: EACH,
    confirms: EACH,
    resends: EACH,
    publicResends: EACH,
    waiting: isDrain ? WARM_UP + MAILS : 0,
  }
  const bundle = await build(side, scratch, { minified: false })
  const data = await createDatabase(side, 'profile', population, scratch)
  const server = await serve(side, bundle, { data, inspected: true, consumes: isDrain })
  try {
    const inspector = await inspect(server)
    const work = isDrain
      ? await drained(server, population)
      : await requested(server, profiled, population)
    let done = 0
    const profile = await inspector.profile(async () => {
      done = await work.act()
    })
    inspector.close()
    mkdirSync(directory, { recursive: true })
    const file = join(directory, `${side.name}-${profiled}.cpuprofile`)
    writeFileSync(file, JSON.stringify(profile))
    return `${side.title}, ${profiled}: ${done} ${work.what}; ${file}\n\n${selfTimes(profile, done)}`
  } finally {
    await server.close()
  }
}

/** What is profiled. */
interface Work {
  /** Returns how often it was done. */
  readonly act: () => Promise<number>
  readonly what: string
}

async function requested(
  { url, side }: Server,
  operation: Operation,
  population: Population,
): Promise<Work> {
  const supply = await supplyOf(side, operation, population)
  await drive(url, supply, { callers: 8, requests: WARM_UP })
  return {
    act: async () => {
      const { latencies } = await drive(url, supply, { callers: CALLERS, seconds: SECONDS })
      return latencies.length
    },
    what: `requests by ${CALLERS} callers`,
  }
}

async function drained(server: Server, population: Population): Promise<Work> {
  const backlog = await backlogOf(server, population)
  await backlog.drain(WARM_UP)
  return {
    act: async () => {
      await backlog.drain(MAILS)
      return MAILS
    },
    what: 'mails',
  }
}

/** The functions that took the most time themselves, in microseconds each. */
function selfTimes(profile: Profile, done: number): string {
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
    .map(([name, time]) => `${(time / done).toFixed(1).padStart(8)} µs  ${name}`)
    .join('\n')
}
