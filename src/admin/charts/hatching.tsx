// The two looks of shapes: filled and hatched. A pattern, so that nobody needs to tell two colours apart.

/** Filled, or hatched. */
export type Look = 'plain' | 'hatched'

/**
 * The hatching, for `fill="url(#<id>-hatching)"`.
 * @param props an id that nothing else of the page has
 */
export function Hatching({ id }: { id: string }) {
  return (
    <defs>
      <pattern
        id={`${id}-hatching`}
        width="6"
        height="6"
        patternUnits="userSpaceOnUse"
        patternTransform="rotate(45)"
      >
        <rect width="6" height="6" class="hatching-ground" />
        <rect width="2.5" height="6" class="hatching-line" />
      </pattern>
    </defs>
  )
}

/**
 * What a shape is filled with.
 * @param id of the chart, which holds a {@link Hatching}
 * @param look filled by the stylesheet, or hatched
 */
export function fillOf(id: string, look: Look): string | undefined {
  return look === 'hatched' ? `url(#${id}-hatching)` : undefined
}

/**
 * A sample for a legend. The word beside it says what it means.
 * @param props an id that nothing else of the page has
 */
export function Swatch({ id, look }: { id: string; look: Look }) {
  return (
    <svg class="chart" width="16" height="16" aria-hidden="true">
      <Hatching id={id} />
      <rect x=".5" y=".5" width="15" height="15" class={look} fill={fillOf(id, look)} />
    </svg>
  )
}
