// Who goes first. What one contestant still does when its answers are out (writes behind the answer, garbage) would
// otherwise always fall to the same one after it.

import { setTimeout } from 'node:timers/promises'

const PAUSE_MS = 50

/**
 * The order of a round: another one begins each time, and every second round goes backwards.
 * @param all in any order
 * @param round from 1
 */
export function inTurn<T>(all: readonly T[], round: number): T[] {
  const start = round % all.length
  const order = [...all.slice(start), ...all.slice(0, start)]
  return round % 2 === 0 ? order.reverse() : order
}

/** Lets the one before come to rest. */
export const pause = () => setTimeout(PAUSE_MS)
