// What every chart is in: as wide as its place, with its title and its words for those who hear it.

import type { Child } from 'hono/jsx'
import { Hatching } from './hatching.tsx'

/**
 * The frame.
 * @param props an id that no other chart of the page has, what it shows in a line and in words, its height in pixels,
 *   and what is drawn in it; x is best given in percent
 */
export function ChartFrame(props: {
  id: string
  title: string
  words: string
  height: number
  children: Child
}) {
  const { id, title, words, height, children } = props
  return (
    <svg
      class="chart"
      role="img"
      aria-labelledby={`${id}-title ${id}-desc`}
      width="100%"
      height={height}
    >
      <title id={`${id}-title`}>{title}</title>
      <desc id={`${id}-desc`}>{words}</desc>
      <Hatching id={id} />
      {children}
    </svg>
  )
}
