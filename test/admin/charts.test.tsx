import { describe, expect, it } from 'vitest'
import { BarChart } from '../../src/admin/charts/bar-chart.tsx'
import { type Column, ColumnChart } from '../../src/admin/charts/column-chart.tsx'
import { durationWords, shareWords, shortCount } from '../../src/admin/charts/number-words.ts'
import { percentOf, scaleFor } from '../../src/admin/charts/scale.ts'
import { contrast } from '../../src/contrast.ts'
import { durationsOf } from '../../src/figures/read.ts'
import { stylesheet } from '../../src/pages/assets.ts'

describe('an axis', () => {
  it.each([
    [0, 1, [0, 1]],
    [1, 1, [0, 1]],
    [3, 3, [0, 1, 2, 3]],
    [7, 8, [0, 2, 4, 6, 8]],
    [10, 10, [0, 5, 10]],
    [20, 20, [0, 5, 10, 15, 20]],
    [99, 100, [0, 50, 100]],
    [101, 150, [0, 50, 100, 150]],
    [123_456_789, 150_000_000, [0, 50_000_000, 100_000_000, 150_000_000]],
  ])('up to %i ends at %i', (largest, top, ticks) => {
    expect(scaleFor(largest)).toEqual({ top, ticks })
  })

  it('holds every value, ends close above it, and has few lines', () => {
    for (let largest = 1; largest < 1e12; largest = Math.ceil(largest * 1.37)) {
      const { top, ticks } = scaleFor(largest)
      expect(top).toBeGreaterThanOrEqual(largest)
      expect(top).toBeLessThanOrEqual(Math.max(largest * 2, 1))
      expect(ticks.length).toBeLessThanOrEqual(6)
      expect(ticks.every(Number.isInteger)).toBe(true)
    }
  })

  it('has lengths for nothing, too', () => {
    expect([percentOf(0, 0), percentOf(1, 3), percentOf(5, 5)]).toEqual([0, 33.33, 100])
  })
})

describe('numbers in words', () => {
  it('name durations by their largest unit', () => {
    const durations = [0, 1, 900, 1000, 90_000, 60_000, 3_600_000, 86_400_000, 5_400_000]
    expect(durations.map(durationWords)).toEqual([
      '0 milliseconds',
      '1 millisecond',
      '900 milliseconds',
      '1 second',
      '1.5 minutes',
      '1 minute',
      '1 hour',
      '1 day',
      '1.5 hours',
    ])
  })

  it('shorten large counts, and share nothing among nobody', () => {
    expect([999, 1_200_000].map(shortCount)).toEqual(['999', '1.2M'])
    expect([shareWords(1, 8), shareWords(0, 0)]).toEqual(['12.5%', '–'])
  })
})

describe('a distribution', () => {
  it('has the median in the bucket that half of all are within', () => {
    const { medianWithin, p90Within, total } = durationsOf('time_to_verify', [
      { name: '30000', count: 5 },
      { name: '60000', count: 4 },
      { name: '3600000', count: 1 },
    ])
    expect([medianWithin, p90Within, total]).toEqual([30_000, 60_000, 10])
  })

  it('knows no median of nothing, nor of what took longer than all ends', () => {
    expect(durationsOf('queue_age', [])).toMatchObject({ medianWithin: null, total: 0 })
    const long = durationsOf('queue_age', [{ name: 'longer', count: 3 }])
    expect(long).toMatchObject({ medianWithin: null, p90Within: null, total: 3 })
    expect(long.buckets.at(-1)).toEqual({ upTo: null, count: 3 })
  })

  it('keeps what was counted in a bucket that is no more', () => {
    const { total, buckets } = durationsOf('queue_age', [{ name: '777', count: 2 }])
    expect(total).toBe(2)
    expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(2)
  })
})

const rects = (svg: string, look: string) =>
  [...svg.matchAll(/<rect[^>]*>/g)]
    .map(([rect]) => rect)
    .filter((rect) => rect.includes(`class="${look}"`))
const attribute = (element: string | undefined, name: string) =>
  Number.parseFloat(new RegExp(` ${name}="([^"]+)"`).exec(element ?? '')?.[1] ?? 'NaN')

describe('lying bars', () => {
  const bars = (counts: readonly number[]) =>
    String(
      BarChart({
        id: 'test',
        title: 'A test',
        bars: counts.map((count, nth) => ({
          label: `bar ${nth}`,
          parts: [{ count, look: 'plain' }],
        })),
      }),
    )

  it('are as long as their share of the longest', () => {
    const widths = rects(bars([10, 5, 0, 1]), 'plain').map((rect) => attribute(rect, 'width'))
    expect(widths).toEqual([100, 50, 10])
  })

  it('draw none, one, only zeros and huge ones', () => {
    expect(rects(bars([]), 'plain')).toEqual([])
    expect(bars([0, 0])).not.toContain('NaN')
    expect(attribute(rects(bars([1]), 'plain')[0], 'width')).toBe(100)
    const huge = bars([9_007_199_254_740_991, 1])
    expect(huge).toContain('9,007,199,254,740,991')
    expect(rects(huge, 'plain').map((rect) => attribute(rect, 'width'))).toEqual([100, 0])
  })

  it('put their parts side by side, within the bar', () => {
    const svg = String(
      BarChart({
        id: 'test',
        title: 'A test',
        bars: [
          {
            label: 'two',
            parts: [
              { count: 3, look: 'plain' },
              { count: 1, look: 'hatched' },
            ],
          },
        ],
      }),
    )
    const [part] = rects(svg, 'hatched')
    expect([attribute(part, 'x'), attribute(part, 'width')]).toEqual([75, 25])
    expect(part).toContain('fill="url(#test-hatching)"')
  })

  it('say every bar to those who hear the chart, and cut long names on the screen only', () => {
    const label = `${'very-'.repeat(10)}long.example`
    const svg = String(
      BarChart({
        id: 'test',
        title: 'A test',
        bars: [{ label, parts: [{ count: 2, look: 'plain' }] }],
      }),
    )
    expect(svg).toContain(`>${label}: 2.</desc>`)
    expect(/class="label">([^<]*)</.exec(svg)?.[1]).toMatch(/^very-.*…$/)
  })
})

describe('columns along time', () => {
  const columns = (pairs: readonly (readonly [whole: number, part: number])[]) =>
    String(
      ColumnChart({
        id: 'test',
        title: 'A test',
        names: { whole: 'all', part: 'some' },
        columns: pairs.map(
          ([whole, part], nth): Column => ({ label: `hour ${nth}`, tick: null, whole, part }),
        ),
      }),
    )

  it('stand on the axis, side by side, as high as the scale says', () => {
    const svg = columns([
      [4, 2],
      [2, 0],
    ])
    const [first, second] = rects(svg, 'hatched')
    expect([attribute(first, 'height'), attribute(second, 'height')]).toEqual([160, 80])
    expect(attribute(rects(svg, 'plain')[0], 'height')).toBe(80)
    expect(rects(svg, 'plain')).toHaveLength(1)
    for (const rect of [first, second]) {
      expect(attribute(rect, 'y') + attribute(rect, 'height')).toBe(176)
    }
    // The axis' numbers have 12 % on the left.
    expect(attribute(first, 'x')).toBeGreaterThanOrEqual(12)
    expect(attribute(second, 'x') - attribute(first, 'x')).toBe(44)
    expect(attribute(second, 'x') + attribute(second, 'width')).toBeLessThanOrEqual(100)
  })

  it('draw none, one, only zeros and huge ones', () => {
    for (const svg of [columns([]), columns([[0, 0]]), columns([[1, 1]]), columns([[1e15, 3]])]) {
      expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    }
    expect(columns([[1e15, 3]])).toContain('>1000T<')
  })

  it('name no moment where its name would not end within the chart', () => {
    const svg = String(
      ColumnChart({
        id: 'test',
        title: 'A test',
        names: { whole: 'all', part: 'some' },
        columns: Array.from({ length: 48 }, (_, nth) => ({
          label: `hour ${nth}`,
          tick: nth === 2 || nth === 46 ? `at ${nth}` : null,
          whole: 1,
          part: 0,
        })),
      }),
    )
    expect(svg).toContain('>at 2<')
    expect(svg).not.toContain('>at 46<')
  })

  it('say the sums and the highest to those who hear the chart', () => {
    expect(
      columns([
        [1, 1],
        [7, 2],
      ]),
    ).toContain('all: 8 in all; some: 3. The most were 7: hour 1.</desc>')
  })
})

describe('colours', () => {
  /** The palette, by day and by night. */
  const [light = '', dark = ''] = stylesheet('#1f5fbf').split('@media (prefers-color-scheme: dark)')
  const color = (css: string, name: string) =>
    new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(css)?.[1] ?? ''

  it.each([
    ['light', light],
    ['dark', dark],
  ])('%s: shapes stand out by WCAG 1.4.11, text by 1.4.3', (_, css) => {
    const card = color(css, 'card')
    for (const shape of ['accent', 'edge']) {
      expect([shape, contrast(color(css, shape), card) >= 3]).toEqual([shape, true])
    }
    for (const text of ['text', 'quiet']) {
      expect([text, contrast(color(css, text), card) >= 4.5]).toEqual([text, true])
    }
    expect(contrast(color(css, 'accent'), color(css, 'tint'))).toBeGreaterThanOrEqual(3)
  })
})
