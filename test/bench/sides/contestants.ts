// Who is measured: the sides, and the peer once more as it comes, with its rate limit in the memory of each isolate.
// The documentation of better-auth warns against that on serverless platforms, where a limit then holds for one
// isolate; it is what somebody gets who reads no further, and it is cheaper.

import type { Side, SideName } from './side.ts'

export type ContestantName = SideName | 'peerInMemory'

export interface Contestant {
  readonly name: ContestantName
  readonly side: Side
  /** Settings besides the side's own. */
  readonly bindings: Readonly<Record<string, string>>
}

/**
 * The sides, and the peer once more.
 * @param sides all of them
 */
export function contestantsOf(sides: readonly Side[]): Contestant[] {
  return [
    ...sides.map((side) => ({ name: side.name, side, bindings: {} })),
    ...sides
      .filter(({ name }) => name === 'peer')
      .map((side) => ({
        name: 'peerInMemory' as const,
        side,
        bindings: { RATE_LIMIT_STORAGE: 'memory' },
      })),
  ]
}
