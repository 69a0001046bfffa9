// The numbers along a chart's axis.

/** An axis from zero. */
export interface Scale {
  /** Where it ends; at least the largest value, and at least 1. */
  readonly top: number
  /** Where its lines are, from zero to the top. */
  readonly ticks: readonly number[]
}

/** Steps that people can count in. */
const ROUND_STEPS = [1, 2, 5, 10]
const WANTED_STEPS = 4

/**
 * An axis for counts, in round steps of whole numbers.
 * @param largest value to be shown
 */
export function scaleFor(largest: number): Scale {
  const rough = Math.max(largest, 1) / WANTED_STEPS
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const round = ROUND_STEPS.find((step) => step * magnitude >= rough) ?? 10
  const step = Math.max(1, Math.round(round * magnitude))
  const steps = Math.max(1, Math.ceil(largest / step))
  return {
    top: steps * step,
    ticks: Array.from({ length: steps + 1 }, (_, nth) => nth * step),
  }
}

/**
 * A length in a chart, in percent.
 * @param value from 0 to `top`
 * @param top what 100 % is; where it is 0, there is nothing to show
 */
export function percentOf(value: number, top: number): number {
  return top === 0 ? 0 : rounded((value / top) * 100)
}

/**
 * A length as exact as anybody can see.
 * @param length in percent or pixels
 * @returns it with two decimals
 */
export function rounded(length: number): number {
  return Math.round(length * 100) / 100
}
