// The day that daily quotas are counted by: UTC's.

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * The day of an instant, such as `2026-11-21`.
 * @param at milliseconds since the epoch
 */
export function utcDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

/**
 * When the next day begins.
 * @param at milliseconds since the epoch
 * @returns milliseconds since the epoch
 */
export function nextUtcDay(at: number): number {
  return (Math.floor(at / DAY_MS) + 1) * DAY_MS
}
