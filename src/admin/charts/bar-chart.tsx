// Bars that lie, one below the other, each with its name and its number above it: readable at any width, since only
// the lengths follow the width and the type does not.

import { ChartFrame } from './chart-frame.tsx'
import { fillOf, type Look } from './hatching.tsx'
import { countWords } from './number-words.ts'
import { percentOf } from './scale.ts'

/** One bar; its parts follow each other. */
export interface Bar {
  readonly label: string
  /** What stands at its right; the sum of the parts where it is left out. */
  readonly note?: string
  readonly parts: readonly BarPart[]
}

export interface BarPart {
  readonly count: number
  readonly look: Look
}

const ROW_HEIGHT = 40
const BAR_TOP = 20
const BAR_HEIGHT = 12
/** What fits beside a number at 320 px. Longer names end in an ellipsis; the table has them whole. */
const LABEL_LENGTH = 24

/**
 * The chart.
 * @param props an id that no other chart of the page has, what it shows in a line, and the bars
 */
export function BarChart({ id, title, bars }: { id: string; title: string; bars: readonly Bar[] }) {
  const sums = bars.map(({ parts }) => parts.reduce((sum, { count }) => sum + count, 0))
  const longest = Math.max(0, ...sums)
  const words = bars.map((bar, nth) => `${bar.label}: ${bar.note ?? countWords(sums[nth] ?? 0)}`)
  return (
    <ChartFrame
      id={id}
      title={title}
      words={`${words.join('; ')}.`}
      height={bars.length * ROW_HEIGHT}
    >
      {bars.map((bar, nth) => {
        const top = nth * ROW_HEIGHT
        let start = 0
        return (
          <g>
            <text x="0" y={top + 14} class="label">
              {shortened(bar.label)}
            </text>
            <text x="100%" y={top + 14} text-anchor="end" class="value">
              {bar.note ?? countWords(sums[nth] ?? 0)}
            </text>
            <rect x="0" y={top + BAR_TOP} width="100%" height={BAR_HEIGHT} class="track" />
            {bar.parts.map(({ count, look }) => {
              const x = start
              start += percentOf(count, longest)
              return (
                count > 0 && (
                  <rect
                    x={`${x}%`}
                    y={top + BAR_TOP}
                    width={`${percentOf(count, longest)}%`}
                    height={BAR_HEIGHT}
                    class={look}
                    fill={fillOf(id, look)}
                  />
                )
              )
            })}
          </g>
        )
      })}
    </ChartFrame>
  )
}

function shortened(label: string): string {
  const letters = [...label]
  return letters.length <= LABEL_LENGTH ? label : `${letters.slice(0, LABEL_LENGTH - 1).join('')}…`
}
