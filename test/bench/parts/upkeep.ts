// Counted as well: what a sign-up costs long after, when what it left behind is cleared away. A few people sign up
// from beginning to end, the Worker's clock is put forward beyond everything that is kept for a time, and it clears
// away what it clears away, until nothing goes any more.

import type { Bench } from '../bench.ts'
import { createDatabase, openDatabase } from '../database.ts'
import { NOBODY, type Population, sizeOf } from '../population.ts'
import { type Server, type Statement, serve } from '../serve.ts'
import type { Side, SideName, Upkeep } from '../sides/side.ts'

export interface Rows {
  readonly rowsRead: number
  readonly rowsWritten: number
}

export interface UpkeepResult {
  readonly what: string
  /** Whether a second sign-up from the same IP leaves nothing more. */
  readonly byIp: boolean
  /** For one person, of all that the steps of a sign-up wrote. */
  readonly perPerson: Rows
  /** Of which rows written, by table. */
  readonly byTable: Readonly<Record<string, number>>
  /** What more one mail takes, then and later, whose delivery is reported; null where nobody listens. */
  readonly reporting: Rows | null
  /** What the cron costs when there is nothing left to clear; null where there is none. */
  readonly idle: Rows | null
}

const PEOPLE = 8
/** No step clears so little that these do not clear all. */
const MOST_STEPS = 50
/** Slices are gone through in turns: nothing has gone for so many steps, so nothing is left. */
const QUIET_STEPS = 3
const VISITOR: Population = { ...NOBODY, checks: 1 }
const TOWN: Population = { ...NOBODY, checks: 1, others: 999 }

export async function countUpkeep(bench: Bench): Promise<Partial<Record<SideName, UpkeepResult>>> {
  const results: Partial<Record<SideName, UpkeepResult>> = {}
  for (const side of bench.sides) {
    const { upkeep } = side
    if (upkeep === null) continue
    bench.say(`counts: ${PEOPLE} lives with ${side.title}`)
    const life = await liveAndClear(bench, side, upkeep, false)
    const reported = upkeep.reports === null ? null : await liveAndClear(bench, side, upkeep, true)
    results[side.name] = {
      what: upkeep.what,
      byIp: upkeep.byIp,
      perPerson: life.cleared,
      byTable: life.byTable,
      reporting:
        reported === null
          ? null
          : {
              rowsRead: reported.all.rowsRead - life.all.rowsRead,
              rowsWritten: reported.all.rowsWritten - life.all.rowsWritten,
            },
      idle: upkeep.byCron ? await idle(bench, side, upkeep) : null,
    }
  }
  return results
}

interface Lives {
  /** Per person, signing up and clearing away together. */
  readonly all: Rows
  readonly cleared: Rows
  readonly byTable: Readonly<Record<string, number>>
}

async function liveAndClear(
  bench: Bench,
  side: Side,
  upkeep: Upkeep,
  isReported: boolean,
): Promise<Lives> {
  // With a cron nobody need be there, nor have anything that could be cleared away.
  const others = upkeep.byCron ? NOBODY : VISITOR
  const data = await createDatabase(side, 'lives', others, bench.scratch)
  const { bindings, report } = (isReported ? upkeep.reports : null) ?? {}
  const server = await serve(side, bench.bundles[side.name], {
    data,
    instrumented: true,
    ...(bindings === undefined ? {} : { bindings }),
  })
  let lived: readonly Statement[]
  let steps: readonly (readonly Statement[])[]
  try {
    for (let n = 0; n < PEOPLE; n++) {
      const mail = await upkeep.signUp(server, sizeOf(VISITOR) + n)
      await report?.(server, mail)
    }
    lived = (await server.take()).statements
    await server.advanceClock(upkeep.laterMs)
    steps = await clearAll(server, upkeep)
  } finally {
    await server.close()
  }
  const db = openDatabase(data)
  const remaining = upkeep.remaining(db)
  db.close()
  if (remaining !== 0) throw new Error(`${side.name} left ${remaining} rows behind`)

  const quiet = rowsOf(steps.at(-1) ?? [])
  const deletions = steps.flat()
  const each = (sum: Rows): Rows => ({
    rowsRead: sum.rowsRead / PEOPLE,
    rowsWritten: sum.rowsWritten / PEOPLE,
  })
  const cleared = rowsOf(deletions)
  // What the statements read whether or not there is something to delete.
  const sum = { ...cleared, rowsRead: cleared.rowsRead - steps.length * quiet.rowsRead }
  const wrote = rowsOf(lived)
  return {
    cleared: each(sum),
    all: each({
      rowsRead: wrote.rowsRead + sum.rowsRead,
      rowsWritten: wrote.rowsWritten + sum.rowsWritten,
    }),
    byTable: byTable(deletions),
  }
}

/** Steps until nothing goes any more; of each, the statements that delete. */
async function clearAll(server: Server, upkeep: Upkeep): Promise<Statement[][]> {
  const steps: Statement[][] = []
  for (let quiet = 0; quiet < QUIET_STEPS; ) {
    if (steps.length === MOST_STEPS) throw new Error(`${server.side.name} never ends clearing`)
    await server.take()
    await upkeep.clear(server, VISITOR)
    const { statements } = await server.take()
    const deletions = statements.filter(({ sql }) => DELETION.test(sql))
    quiet = rowsOf(deletions).rowsWritten === 0 ? quiet + 1 : 0
    steps.push(deletions)
  }
  return steps
}

const DELETION = /^\s*delete from "?(\w+)/i

function byTable(deletions: readonly Statement[]): Record<string, number> {
  const tables: Record<string, number> = {}
  for (const { sql, rowsWritten } of deletions) {
    const table = DELETION.exec(sql)?.[1] ?? ''
    if (rowsWritten > 0) tables[table] = (tables[table] ?? 0) + rowsWritten / PEOPLE
  }
  return tables
}

const rowsOf = (statements: readonly Statement[]): Rows => ({
  rowsRead: statements.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
  rowsWritten: statements.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
})

/** One run of the cron with nothing to do, in a town of a thousand. */
async function idle(bench: Bench, side: Side, upkeep: Upkeep): Promise<Rows> {
  const data = await createDatabase(side, 'town', TOWN, bench.scratch)
  const server = await serve(side, bench.bundles[side.name], { data, instrumented: true })
  try {
    for (let step = 0; step < QUIET_STEPS; step++) await upkeep.clear(server, TOWN)
    await server.take()
    await upkeep.clear(server, TOWN)
    const { rowsRead, rowsWritten } = (await server.take()).counts
    return { rowsRead, rowsWritten }
  } finally {
    await server.close()
  }
}
