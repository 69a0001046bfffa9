// Size, start-up and memory of each contestant's isolate.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runWrangler } from '../../../src/dev/cli/wrangler.ts'
import type { Bench, BySide } from '../bench.ts'
import { createDatabase } from '../database.ts'
import { inspect } from '../inspector.ts'
import { drive } from '../load.ts'
import { supplyOf } from '../people.ts'
import { NOBODY, type Population } from '../population.ts'
import { serve } from '../serve.ts'
import type { Operation, Side } from '../sides/side.ts'
import { type Spread, spreadOf } from '../statistics.ts'

export interface BundleResult {
  readonly bytes: number
  readonly gzipBytes: number
  readonly modules: number
  readonly builtinModules: number
  readonly packages: readonly (readonly [name: string, bytes: number])[]
  /** Active milliseconds until the isolate is ready, from `wrangler check startup`. */
  readonly startupMs: Spread
  /** What the isolate holds, garbage collected, when it has answered so many requests. */
  readonly memory: readonly { readonly requests: number; readonly bytes: number }[]
}

export async function measureBundles(bench: Bench): Promise<BySide<BundleResult>> {
  const results: Partial<BySide<BundleResult>> = {}
  for (const side of bench.sides) {
    const { bytes, gzipBytes, modules, builtinModules, packages } = bench.bundles[side.name]
    bench.say(`bundle: start-up of ${side.title}`)
    const startups: number[] = []
    for (let i = 0; i < (bench.quick ? 1 : 3); i++) startups.push(await startup(bench, side))
    bench.say(`bundle: memory of ${side.title}`)
    const memory = await memoryOf(bench, side)
    Object.assign(results, {
      [side.name]: {
        bytes,
        gzipBytes,
        modules,
        builtinModules,
        packages,
        startupMs: spreadOf(startups),
        memory,
      },
    })
  }
  return results as BySide<BundleResult>
}

async function startup({ scratch }: Bench, side: Side): Promise<number> {
  const outfile = join(scratch, `startup-${side.name}.cpuprofile`)
  await runWrangler(['check', 'startup', '--config', side.config, '--outfile', outfile])
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(outfile, 'utf8')) as {
    nodes: { id: number; callFrame: { functionName: string } }[]
    samples: number[]
    timeDeltas: number[]
  }
  const idle = new Set(
    nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id),
  )
  return samples.reduce((sum, id, i) => sum + (idle.has(id) ? 0 : (timeDeltas[i] ?? 0) / 1000), 0)
}

const STEP = 500

async function memoryOf(bench: Bench, side: Side) {
  const marks = bench.quick ? [1_000, 2_000] : [1_000, 10_000]
  const all = Math.max(...marks)
  // All that needs no password, in turns.
  const mix: Operation[] = ['session', 'forged', 'confirm', 'repeat', 'resend']
  const each = all / mix.length + STEP
  const population: Population = {
    ...NOBODY,
    checks: 500,
    repeats: each,
    confirms: each,
    resends: each,
    others: 500,
  }
  const data = await createDatabase(side, 'memory', population, bench.scratch)
  const server = await serve(side, bench.bundles[side.name], { data, inspected: true })
  try {
    const inspector = await inspect(server)
    const supplies = await Promise.all(mix.map((name) => supplyOf(side, name, population)))
    const memory: { requests: number; bytes: number }[] = []
    for (let sent = 0; sent < all; ) {
      for (const supply of supplies) {
        await drive(server.url, supply, { callers: 8, requests: STEP / mix.length })
      }
      sent += STEP
      if (marks.includes(sent)) memory.push({ requests: sent, bytes: await inspector.liveBytes() })
    }
    inspector.close()
    return memory
  } finally {
    await server.close()
  }
}
