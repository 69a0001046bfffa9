// Columns along time, a part of each filled: how many there were, and how many of them got to the end.

import { ChartFrame } from './chart-frame.tsx'
import { fillOf } from './hatching.tsx'
import { shortCount } from './number-words.ts'
import { rounded, scaleFor } from './scale.ts'

/** One column. */
export interface Column {
  /** What it is of, in words. */
  readonly label: string
  /** Below the axis; most columns have none. */
  readonly tick: string | null
  readonly whole: number
  readonly part: number
}

/** What the numbers are called. */
export interface ColumnNames {
  readonly whole: string
  readonly part: string
}

const TOP = 16
const PLOT_HEIGHT = 160
/** In percent: the axis' numbers stand left of the columns. */
const GUTTER = 12
/** A name below the axis that begins beyond this, in percent, would not end within the chart. */
const LAST_NAME = 84
const HEIGHT = TOP + PLOT_HEIGHT + 26

/**
 * The chart.
 * @param props an id that no other chart of the page has, what it shows in a line, and the columns in their order
 */
export function ColumnChart({
  id,
  title,
  names,
  columns,
}: {
  id: string
  title: string
  names: ColumnNames
  columns: readonly Column[]
}) {
  const largest = Math.max(0, ...columns.flatMap(({ whole, part }) => [whole, part]))
  const { top, ticks } = scaleFor(largest)
  const width = (100 - GUTTER) / Math.max(1, columns.length)
  const xOf = (nth: number) => `${rounded(GUTTER + (nth + 0.1) * width)}%`
  const barWidth = `${rounded(0.8 * width)}%`
  const heightOf = (count: number) => rounded((count / top) * PLOT_HEIGHT)
  const yOf = (count: number) => TOP + PLOT_HEIGHT - heightOf(count)
  return (
    <ChartFrame id={id} title={title} words={description(names, columns)} height={HEIGHT}>
      {ticks.map((tick) => (
        <line
          x1={`${GUTTER}%`}
          x2="100%"
          y1={yOf(tick)}
          y2={yOf(tick)}
          class={tick === 0 ? 'axis' : 'grid'}
        />
      ))}
      {columns.map((column, nth) => (
        <g>
          <title>{`${column.label}: ${names.whole} ${column.whole}, ${names.part} ${column.part}`}</title>
          {column.whole > 0 && (
            <rect
              x={xOf(nth)}
              y={yOf(column.whole)}
              width={barWidth}
              height={heightOf(column.whole)}
              class="hatched"
              fill={fillOf(id, 'hatched')}
            />
          )}
          {column.part > 0 && (
            <rect
              x={xOf(nth)}
              y={yOf(column.part)}
              width={barWidth}
              height={heightOf(column.part)}
              class="plain"
            />
          )}
        </g>
      ))}
      {ticks.map((tick) => (
        <text x="0" y={yOf(tick) + 4} class="axis-label">
          {shortCount(tick)}
        </text>
      ))}
      {columns.map(
        (column, nth) =>
          column.tick !== null && (
            <g>
              <line
                x1={xOf(nth)}
                x2={xOf(nth)}
                y1={TOP + PLOT_HEIGHT}
                y2={TOP + PLOT_HEIGHT + 5}
                class="axis"
              />
              {GUTTER + nth * width <= LAST_NAME && (
                <text x={xOf(nth)} y={TOP + PLOT_HEIGHT + 20} class="label">
                  {column.tick}
                </text>
              )}
            </g>
          ),
      )}
    </ChartFrame>
  )
}

/** The chart for those who hear it: the whole, and where it was highest. The table beside it says the rest. */
function description(names: ColumnNames, columns: readonly Column[]): string {
  const wholes = columns.reduce((sum, { whole }) => sum + whole, 0)
  const parts = columns.reduce((sum, { part }) => sum + part, 0)
  const highest = columns.reduce<Column | undefined>(
    (best, column) => (best === undefined || column.whole > best.whole ? column : best),
    undefined,
  )
  const sums = `${names.whole}: ${wholes} in all; ${names.part}: ${parts}.`
  return highest === undefined || wholes === 0
    ? sums
    : `${sums} The most were ${highest.whole}: ${highest.label}.`
}
