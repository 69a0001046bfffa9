// Hands out the people of a population, operation by operation, as supplies of requests.

import { Supply } from './load.ts'
import { firstOf, type Population, sizeOf } from './population.ts'
import { ACTORS, type BenchRequest, type Operation, type Side, USES_UP } from './sides/side.ts'

/** How many new people may register. */
const MOST_NEW = 3_000
/** Those who may repeat themselves need not be many. */
const MOST_REPEATED = 2_000

/**
 * Writes all requests of an operation ahead, so that nothing but sending them is left while the clock runs.
 * @param side whose requests
 * @param operation which
 * @param population who is there
 * @param from skips so many who are used up already
 */
export async function supplyOf(
  side: Side,
  operation: Operation,
  population: Population,
  from = 0,
): Promise<Supply> {
  const actor = ACTORS[operation]
  const first = actor === 'new' ? sizeOf(population) : firstOf(population, actor)
  const many = actor === 'new' ? MOST_NEW : population[actor]
  const usesUp = USES_UP.has(operation)
  const requests: BenchRequest[] = []
  const [start, end] = usesUp ? [from, many] : [0, Math.min(many, MOST_REPEATED)]
  for (let n = start; n < end; n++) requests.push(await side.request(operation, first + n))
  return new Supply(requests, !usesUp)
}
