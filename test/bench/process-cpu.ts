// The CPU time of the workerd behind a server, simulated D1 and all, where the system tells (Linux). Unlike a rate it
// stays put while somebody else uses the machine.

import { readdirSync, readFileSync } from 'node:fs'

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
