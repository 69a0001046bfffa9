// npm run bench: measures, prints, and writes results.json, table.md and chart.svg. `--help` tells the options.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, cpus, platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench } from './bench.ts'
import { type Bundle, build } from './build.ts'
import { type Options, type Part, readOptions } from './options.ts'
import { measureBundles } from './parts/bundle.ts'
import { countOperations } from './parts/counts.ts'
import { measureCpu } from './parts/cpu.ts'
import { measureDistance } from './parts/distance.ts'
import { measureDrain } from './parts/drain.ts'
import { measureGrowth } from './parts/growth.ts'
import { bill } from './parts/money.ts'
import { measureThroughput } from './parts/throughput.ts'
import { countUpkeep } from './parts/upkeep.ts'
import { coresOfOthers, cpuSoFar } from './process-cpu.ts'
import { profileOperation } from './profile.ts'
import { chart } from './report/chart.ts'
import { markdown } from './report/table.ts'
import { type Circumstances, EDITION, type Results } from './results.ts'
import { floor } from './sides/floor.ts'
import { ours } from './sides/ours.ts'
import { peer } from './sides/peer.ts'
import type { SideName } from './sides/side.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const SIDES = [ours, peer, floor]

/** Room for the databases of a million users, three times over; and for everything else. */
const ENOUGH_TO_GROW = 6 * 1024 ** 3
const ENOUGH = 1024 ** 3

const options = readOptions(process.argv.slice(2))
if (typeof options === 'string') {
  console.log(options)
  process.exitCode = process.argv.includes('--help') ? 0 : 1
} else {
  await run(options)
}

async function run({ parts, quick, out, profile }: Options): Promise<void> {
  const started = Date.now()
  const grows = parts.has('growth') && !quick && profile === null
  const enough = grows ? ENOUGH_TO_GROW : ENOUGH
  const scratch = mkdtempSync(join(scratchRoot(enough), 'mailproof-bench-'))
  // What an interrupted run leaves in the temporary directory can be a gigabyte.
  const clear = () => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
  process.once('SIGINT', () => {
    clear()
    process.exit(130)
  })
  const say = (text: string) => {
    const minutes = ((Date.now() - started) / 60_000).toFixed(1).padStart(5)
    console.log(`${minutes} min  ${text}`)
  }
  try {
    if (profile !== null) {
      say(`profiling ${profile}`)
      console.log(await profileOperation(ours, profile, scratch, join(PROJECT, '.wrangler/bench')))
      return
    }
    const bundles: Partial<Record<SideName, Bundle>> = {}
    for (const side of SIDES) {
      say(`bundling ${side.title}`)
      bundles[side.name] = await build(side, scratch)
    }
    const bench: Bench = {
      sides: SIDES,
      bundles: bundles as Bench['bundles'],
      scratch,
      quick,
      say,
    }
    const directory = out ?? join(PROJECT, quick ? '.wrangler/bench' : 'test/bench/results')
    const file = join(directory, 'results.json')
    const results = readResults(file)
    mkdirSync(directory, { recursive: true })
    for (const part of parts) {
      // Counts of other bundles are nobody's bill.
      if (part === 'money' && !isMeasured('counts', bench, results)) await record('counts')
      await record(part)
    }
    async function record(part: Part): Promise<void> {
      const before = cpuSoFar()
      await measure(part, bench, results)
      results.circumstances[part] = circumstancesOf(bench, coresOfOthers(before, cpuSoFar()))
      // After each part: what is measured stays measured, whatever comes after.
      writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
    }

    const text = markdown(results)
    writeFileSync(join(directory, 'table.md'), text)
    const drawn = results.circumstances.throughput
    if (results.throughput !== undefined && drawn !== undefined) {
      const { machine, peer: version } = drawn
      const hurry = drawn.quick ? ' Quick run, not to be quoted.' : ''
      const caption = `better-auth ${version}, ${machine}.${hurry}`
      writeFileSync(join(directory, 'chart.svg'), chart(results.throughput, caption))
    }
    console.log(`\n${text}`)
    say(`done: ${directory}${quick ? ' (quick: to see that it works, not to be quoted)' : ''}`)
  } finally {
    clear()
  }
}

/** In memory where there is room: each write waits for the disk otherwise, and that is not what is compared. */
function scratchRoot(enough: number): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    return bavail * bsize >= enough ? '/dev/shm' : tmpdir()
  } catch {
    return tmpdir()
  }
}

async function measure(part: Part, bench: Bench, results: Results): Promise<void> {
  bench.say(part)
  switch (part) {
    case 'bundle':
      results.bundle = await measureBundles(bench)
      return
    case 'counts':
      results.counts = await countOperations(bench)
      results.upkeep = await countUpkeep(bench)
      return
    case 'money': {
      if (results.counts === undefined || results.upkeep === undefined) {
        throw new Error('nothing was counted')
      }
      results.cpu = await measureCpu(bench)
      results.money = bill(results.counts, results.upkeep, results.cpu)
      return
    }
    case 'distance':
      results.distance = await measureDistance(bench)
      return
    case 'growth':
      results.growth = await measureGrowth(bench)
      return
    case 'throughput':
      results.throughput = await measureThroughput(bench)
      return
    case 'drain':
      results.drain = await measureDrain(bench)
  }
}

/** Whether a part has been measured with the same bundles, of all sides. */
function isMeasured(part: Part, { bundles }: Bench, { circumstances }: Results): boolean {
  const then = circumstances[part]?.bundles
  return then !== undefined && SIDES.every(({ name }) => then[name] === shortHash(bundles[name]))
}

function shortHash({ sha256 }: Bundle): string {
  return sha256.slice(0, 12)
}

function readResults(file: string): Results {
  try {
    const results: Results = JSON.parse(readFileSync(file, 'utf8'))
    if (results.edition === EDITION) return results
  } catch {
    // There are none yet.
  }
  return { edition: EDITION, circumstances: {} }
}

function circumstancesOf({ bundles, quick }: Bench, load: number | null): Circumstances {
  const lock = JSON.parse(readFileSync(new URL('package-lock.json', import.meta.url), 'utf8'))
  const processors = cpus()
  return {
    at: new Date().toISOString(),
    quick,
    bundles: {
      ours: shortHash(bundles.ours),
      peer: shortHash(bundles.peer),
      floor: shortHash(bundles.floor),
    },
    machine: `${processors.length} × ${processors[0]?.model.trim() || arch()}, ${platform()}`,
    load,
    node: process.versions.node,
    workerd: String(createRequire(import.meta.url)('workerd/package.json').version),
    peer: lock.packages['node_modules/better-auth'].version,
  }
}
