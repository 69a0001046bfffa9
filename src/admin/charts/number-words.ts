// Numbers and durations as people read them.

const exact = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })

const UNITS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
] as const

/**
 * A count with its thousands apart, such as `1,234`.
 * @param count a whole number
 */
export function countWords(count: number): string {
  return exact.format(count)
}

/**
 * A count for an axis, such as `1.2M`.
 * @param count a whole number
 */
export function shortCount(count: number): string {
  return short.format(count)
}

/**
 * A share, such as `12.5%`; a dash where there is no whole.
 * @param part of it
 * @param whole of what
 */
export function shareWords(part: number, whole: number): string {
  return whole === 0 ? '–' : percent.format(part / whole)
}

/**
 * A duration in its largest unit, such as `2 minutes`, rounded to one decimal.
 * @param ms milliseconds
 */
export function durationWords(ms: number): string {
  const [length, unit] = UNITS.find(([length]) => ms >= length) ?? [1, 'millisecond']
  const many = Math.round((ms / length) * 10) / 10
  return `${many} ${unit}${many === 1 ? '' : 's'}`
}
