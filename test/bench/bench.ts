// What every part of the bench is handed.

import type { Bundle } from './build.ts'
import type { Side, SideName } from './sides/side.ts'

export interface Bench {
  readonly sides: readonly Side[]
  readonly bundles: Readonly<Record<SideName, Bundle>>
  /** A directory that is gone afterwards. */
  readonly scratch: string
  /** Fewer rounds and smaller tables: to see that it works, not to quote. */
  readonly quick: boolean
  /** Says how far it is. */
  readonly say: (text: string) => void
}

/** One result per contestant. */
export type BySide<T> = Readonly<Record<SideName, T>>
