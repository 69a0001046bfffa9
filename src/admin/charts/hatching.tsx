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
 * What the looks of a chart mean: a sample of each beside its words.
 * @param props an id that nothing else of the page has, and the words in their order
 */
export function Legend({ id, words }: { id: string; words: readonly (readonly [Look, string])[] }) {
  return (
    <ul class="legend">
      {words.map(([look, meaning]) => (
        <li>
          <svg class="chart" width="16" height="16" aria-hidden="true">
            <Hatching id={`${id}-${look}`} />
            <rect
              x=".5"
              y=".5"
              width="15"
              height="15"
              class={look}
              fill={fillOf(`${id}-${look}`, look)}
            />
          </svg>
          {meaning}
        </li>
      ))}
    </ul>
  )
}
