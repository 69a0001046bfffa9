// The queue drain: so many mails wait, and the clock runs until the mail API has accepted the last one. Once with
// an API that answers at once, once with one that takes as long as real ones do.

import { setTimeout } from 'node:timers/promises'
import { backlogOf } from '../backlog.ts'
import type { Bench } from '../bench.ts'
import { createDatabase } from '../database.ts'
import { NOBODY, type Population } from '../population.ts'
import { serve } from '../serve.ts'
import type { Side, SideName } from '../sides/side.ts'
import { type Spread, spreadOf } from '../statistics.ts'
import { inTurn, pause } from '../turns.ts'

export interface DrainResult {
  readonly mails: number
  readonly apiMs: number
  readonly mailsPerSecond: Partial<Record<SideName, Spread>>
  readonly toPeer: Spread
  readonly toFloor: Spread
}

export async function measureDrain(bench: Bench): Promise<DrainResult[]> {
  const { quick } = bench
  const cases = quick
    ? [
        { mails: 300, apiMs: 0, rounds: 1 },
        { mails: 100, apiMs: 50, rounds: 1 },
      ]
    : [
        { mails: 2_000, apiMs: 0, rounds: 3 },
        { mails: 400, apiMs: 50, rounds: 3 },
      ]
  const results: DrainResult[] = []
  for (const { mails, apiMs, rounds } of cases) {
    const rates: Record<SideName, number[]> = { ours: [], peer: [], floor: [] }
    for (let round = 1; round <= rounds; round++) {
      for (const side of inTurn(bench.sides, round)) {
        await pause()
        bench.say(
          `drain: ${mails} mails at ${apiMs} ms, round ${round} of ${rounds}, ${side.title}`,
        )
        rates[side.name].push(await drain(bench, side, mails, apiMs))
      }
    }
    const against = (theirs: readonly number[]) =>
      spreadOf(rates.ours.map((rate, i) => rate / (theirs[i] ?? Number.NaN)))
    results.push({
      mails,
      apiMs,
      mailsPerSecond: {
        ours: spreadOf(rates.ours),
        peer: spreadOf(rates.peer),
        floor: spreadOf(rates.floor),
      },
      toPeer: against(rates.peer),
      toFloor: against(rates.floor),
    })
  }
  return results
}

async function drain(bench: Bench, side: Side, mails: number, apiMs: number): Promise<number> {
  // One batch more, to warm up with.
  const population: Population = { ...NOBODY, waiting: mails + 100, others: 500 }
  const data = await createDatabase(side, `drain-${mails}`, population, bench.scratch)
  const server = await serve(side, bench.bundles[side.name], { data, consumes: true })
  try {
    const backlog = await backlogOf(server, population)
    await backlog.drain(100)
    // The last batch's record is still to be written.
    await setTimeout(200)
    await server.mailApi.delay(apiMs)
    const start = performance.now()
    await backlog.drain(mails)
    return (mails / (performance.now() - start)) * 1000
  } finally {
    await server.close()
  }
}
