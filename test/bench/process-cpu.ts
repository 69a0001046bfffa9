// The CPU time of the workerd behind a server, simulated D1 and all, where the system tells (Linux). Unlike a rate it
// stays put while somebody else uses the machine.

import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Linux counts in hundredths, whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100

/** The processes that this one started and that are alive. */
export function childrenOf(pid = process.pid): Set<number> {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`)
    const lists = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'))
    return new Set(
      lists
        .flatMap((list) => list.trim().split(' '))
        .filter(Boolean)
        .map(Number),
    )
  } catch {
    return new Set()
  }
}

/**
 * The CPU time of processes so far.
 * @param pids which
 * @returns seconds, or null where nobody tells
 */
export function cpuSecondsOf(pids: readonly number[]): number | null {
  if (pids.length === 0) return null
  try {
    const ticks = pids.map((pid) => {
      // The name in parentheses may hold anything.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return Number(fields[11]) + Number(fields[12])
    })
    return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND
  } catch {
    return null
  }
}

/** CPU time in seconds so far: of the whole machine, and of this process with all that it started. */
export interface CpuSoFar {
  readonly at: number
  readonly machine: number
  readonly own: number
}

/** Both, or null where the system does not tell. What has ended is counted with whoever waited for it. */
export function cpuSoFar(): CpuSoFar | null {
  try {
    const machine = cpus().reduce((sum, { times: { user, nice, sys, irq } }) => {
      return sum + (user + nice + sys + irq) / 1000
    }, 0)
    let ticks = 0
    const waiting = [process.pid]
    for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
      waiting.push(...childrenOf(pid))
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      // Its own in user and system mode, and that of its children that have ended.
      for (const field of fields.slice(11, 15)) ticks += Number(field)
    }
    return { at: performance.now() / 1000, machine, own: ticks / TICKS_PER_SECOND }
  } catch {
    return null
  }
}

/**
 * How many cores somebody else kept busy.
 * @param before from {@link cpuSoFar}
 * @param after from the same, later
 * @returns null where the system does not tell
 */
export function coresOfOthers(before: CpuSoFar | null, after: CpuSoFar | null): number | null {
  if (before === null || after === null) return null
  const others = after.machine - before.machine - (after.own - before.own)
  return Number((Math.max(0, others) / (after.at - before.at)).toFixed(2))
}
