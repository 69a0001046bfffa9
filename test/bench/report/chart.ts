// One chart: requests per second as a multiple of the peer's, on a logarithmic axis. It follows the reader's light
// or dark, and its colours stand on either where it cannot.

import { CALLERS, type Cell } from '../parts/throughput.ts'
import { HASHES, TITLES } from '../sides/side.ts'
import { times } from './format.ts'

const WIDTH = 760
const LEFT = 170
const RIGHT = 80
const TOP = 78
const ROW = 34
const BAR = 18
const SHOWN_CALLERS = 16

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 16px; font-weight: 600; fill: #1f2328 }
  .name, .value { fill: #1f2328 }
  .value { font-weight: 600 }
  .grid { stroke: #8c959f; stroke-opacity: .35 }
  .one { stroke: #57606a; stroke-width: 1.5 }
  .bar { fill: #2f74c0 }
  .same { fill: #8c959f }
  .range { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title, .name, .value { fill: #f0f6fc }
    .bar { fill: #4c9bea }
    .one { stroke: #9198a1 }
    .range { stroke: #f0f6fc }
  }`

/**
 * Draws it.
 * @param cells from the throughput part
 * @param caption below the title
 */
export function chart(cells: readonly Cell[], caption: string): string {
  const callers = CALLERS.find((count) => count === SHOWN_CALLERS) ?? CALLERS[0]
  const rows = cells
    .filter((cell) => cell.callers === callers)
    .flatMap(({ operation, toPeer }) => (toPeer === null ? [] : [{ operation, ...toPeer }]))
    .sort((a, b) => b.median - a.median)
  const highest = Math.max(2, ...rows.map(({ max }) => max))
  const lowest = Math.min(0.8, ...rows.map(({ min }) => min))
  const marks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].filter(
    (mark) => mark >= lowest && mark <= highest * 1.05,
  )
  const scale = (WIDTH - LEFT - RIGHT) / Math.log(highest / lowest)
  const x = (ratio: number) => LEFT + scale * Math.log(ratio / lowest)
  const bottom = TOP + rows.length * ROW
  const at = (value: number) => value.toFixed(1)

  const grid = marks.map(
    (mark) =>
      `<line class="${mark === 1 ? 'one' : 'grid'}" x1="${at(x(mark))}" x2="${at(x(mark))}" y1="${TOP - 8}" y2="${bottom}"/>` +
      `<text x="${at(x(mark))}" y="${TOP - 14}" text-anchor="middle">${times(mark)}</text>`,
  )
  const bars = rows.map(({ operation, median, min, max }, i) => {
    const middle = TOP + i * ROW + ROW / 2
    const [from, to] = [x(Math.min(1, median)), x(Math.max(1, median))]
    const kind = HASHES.has(operation) ? 'same' : 'bar'
    return (
      `<text class="name" x="${LEFT - 12}" y="${middle + 5}" text-anchor="end">${TITLES[operation]}</text>` +
      `<rect class="${kind}" x="${at(from)}" y="${middle - BAR / 2}" width="${at(Math.max(1, to - from))}" height="${BAR}" rx="2"/>` +
      `<line class="range" x1="${at(x(min))}" x2="${at(x(max))}" y1="${middle}" y2="${middle}"/>` +
      `<text class="value" x="${at(Math.max(to, x(max)) + 8)}" y="${middle + 5}">${times(median)}</text>`
    )
  })
  const label = rows
    .map(({ operation, median }) => `${TITLES[operation]} ${times(median)}`)
    .join(', ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 40}" role="img" aria-label="Requests per second as a multiple of better-auth's: ${label}">
<style>${STYLE}
</style>
<text class="title" x="16" y="26">Requests per second, better-auth = 1</text>
<text x="16" y="46">${callers} callers, same machine, same scrypt, logarithmic. ${caption}</text>
${[...grid, ...bars].join('\n')}
<text x="16" y="${bottom + 26}">Lines: lowest to highest round. Grey: both spend their time in the same password hash.</text>
</svg>
`
}
