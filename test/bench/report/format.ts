// Numbers as people read them.

import type { Spread } from '../statistics.ts'

/** Three significant digits are more than any of it deserves. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 100) return String(Math.round(value))
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)))
}

export const times = (ratio: number) => `${short(ratio)}×`

export const spread = ({ median, min, max }: Spread, unit = '') =>
  min === max ? `${short(median)}${unit}` : `${short(median)}${unit} (${short(min)}–${short(max)})`

export const dollars = (amount: number) => `$${amount.toFixed(2)}`

export const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`

export const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, i) => (i === 0 ? '---' : '--:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}
