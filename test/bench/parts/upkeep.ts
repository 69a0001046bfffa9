// Counted as well: what a sign-up costs long after, when what it left behind is cleared away.

import type { Bench } from '../bench.ts'
import { createDatabase, openDatabase } from '../database.ts'
import { NOBODY, type Population, sizeOf } from '../population.ts'
import { type Counts, serve } from '../serve.ts'
import { NOW, type SideName } from '../sides/side.ts'
import { median } from '../statistics.ts'
import { takeCounts } from './counts.ts'

type Rows = Pick<Counts, 'd1Trips' | 'rowsRead' | 'rowsWritten'>

export interface UpkeepResult {
  readonly what: string
  /** Mean over all who were cleared away, what each step costs anyhow left out. */
  readonly perPerson: Rows
  /** What a step costs when there is nothing left to clear; null where it is no step of its own. */
  readonly idle: Rows | null
}

const POPULATION: Population = { ...NOBODY, checks: 1, others: 999 }

/** At the end all is cleared away, and what steps still cost they cost anyhow. */
const IDLE_STEPS = 5

export async function countUpkeep(bench: Bench): Promise<Partial<Record<SideName, UpkeepResult>>> {
  const results: Partial<Record<SideName, UpkeepResult>> = {}
  for (const side of bench.sides) {
    const { upkeep } = side
    if (upkeep === null) continue
    const data = await createDatabase(side, 'upkeep', POPULATION, bench.scratch)
    const db = openDatabase(data)
    upkeep.age(db, POPULATION, NOW)
    db.close()

    const server = await serve(side, bench.bundles[side.name], { data, counted: true })
    const steps: Rows[] = []
    try {
      for (let step = 0; step < upkeep.steps; step++) {
        await server.take()
        await upkeep.step(server, POPULATION)
        steps.push(await takeCounts(server))
      }
    } finally {
      await server.close()
    }
    const after = openDatabase(data)
    const cleared = sizeOf(POPULATION) - upkeep.remaining(after)
    after.close()
    const last = steps.slice(-IDLE_STEPS)
    const summed = (name: keyof Rows) => {
      const anyhow = upkeep.steps === 1 ? 0 : median(last.map((step) => step[name]))
      return { anyhow, sum: steps.reduce((sum, step) => sum + Math.max(0, step[name] - anyhow), 0) }
    }
    const rows = (value: (name: keyof Rows) => number): Rows => ({
      d1Trips: value('d1Trips'),
      rowsRead: value('rowsRead'),
      rowsWritten: value('rowsWritten'),
    })
    if (cleared === 0) throw new Error(`${side.name} cleared nothing away`)
    results[side.name] = {
      what: upkeep.what,
      perPerson: rows((name) => summed(name).sum / cleared),
      idle: upkeep.steps === 1 ? null : rows((name) => summed(name).anyhow),
    }
  }
  return results
}
