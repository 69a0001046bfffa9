// Medians and spread.

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[middle]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Of those that are numbers, or null where none is: what was skipped is NaN. */
export function spreadOfMeasured(values: readonly number[]): Spread | null {
  const measured = values.filter((value) => !Number.isNaN(value))
  return measured.length === 0 ? null : spreadOf(measured)
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}
