// All that was measured, as results.json keeps it.

import type { BySide } from './bench.ts'
import type { BundleResult } from './parts/bundle.ts'
import type { Counted } from './parts/counts.ts'
import type { CpuResult } from './parts/cpu.ts'
import type { DistanceRow } from './parts/distance.ts'
import type { DrainResult } from './parts/drain.ts'
import type { GrowthResult } from './parts/growth.ts'
import type { MoneyResult } from './parts/money.ts'
import type { Cell } from './parts/throughput.ts'
import type { UpkeepResult } from './parts/upkeep.ts'
import type { SideName } from './sides/side.ts'

/** When, on what, and with which bundles: parts measured apart can be told apart. */
export interface Circumstances {
  readonly at: string
  readonly quick: boolean
  readonly bundles: BySide<string>
  readonly machine: string
  /** Cores that other processes kept busy meanwhile; null where the system does not tell. */
  readonly load: number | null
  readonly node: string
  readonly workerd: string
  readonly peer: string
}

/**
 * Goes up when an operation, the floor or a field changes its meaning: parts measured before must not stand beside parts
 * measured after.
 */
export const EDITION = 3

export interface Results {
  readonly edition: number
  circumstances: Partial<Record<string, Circumstances>>
  bundle?: BySide<BundleResult>
  counts?: Counted
  upkeep?: Partial<Record<SideName, UpkeepResult>>
  cpu?: CpuResult
  money?: MoneyResult
  distance?: readonly DistanceRow[]
  growth?: GrowthResult
  throughput?: readonly Cell[]
  drain?: readonly DrainResult[]
}
