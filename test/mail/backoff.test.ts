import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_DELAY_SECONDS, retryDelaySeconds } from '../../src/mail/backoff.ts'

const ALMOST_ONE = 1 - Number.EPSILON

describe('the delay before a retry', () => {
  it.each([
    [1, 8, 15],
    [2, 15, 30],
    [3, 30, 60],
    [4, 60, 120],
    [8, 960, 1920],
    [9, 1800, 3600],
    [10, 1800, 3600],
    [1000, 1800, 3600],
  ])('after attempt %i is %i to %i seconds', (attempt, least, most) => {
    expect(retryDelaySeconds(attempt, 0)).toBe(least)
    expect(retryDelaySeconds(attempt, ALMOST_ONE)).toBe(most)
  })

  it('is never shorter than the other side asked for', () => {
    expect(retryDelaySeconds(1, 0, 3600)).toBe(3600)
    expect(retryDelaySeconds(1, 0, 3600.2)).toBe(3601)
    expect(retryDelaySeconds(9, ALMOST_ONE, 5 * 3600)).toBe(5 * 3600)
  })

  it('is not shortened by what the other side asked for', () => {
    expect(retryDelaySeconds(9, 0, 1)).toBe(1800)
    expect(retryDelaySeconds(9, 0, 0)).toBe(1800)
  })

  it('is at most the 12 hours that a Queue can delay', () => {
    expect(MAX_DELAY_SECONDS).toBe(43_200)
    expect(retryDelaySeconds(1, 0, 43_201)).toBe(43_200)
    expect(retryDelaySeconds(1, 0, 999_999_999)).toBe(43_200)
  })

  it('F8: is a whole number of seconds from 1 to 12 hours, whatever went wrong', () => {
    const inputs = fc.tuple(
      fc.integer({ min: -5, max: 2000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.option(fc.double({ min: -1e9, max: 1e12, noNaN: true })),
    )
    fc.assert(
      fc.property(inputs, ([attempt, random, notBefore]) => {
        const delay = retryDelaySeconds(attempt, random, notBefore)
        expect(Number.isInteger(delay)).toBe(true)
        expect(delay).toBeGreaterThanOrEqual(1)
        expect(delay).toBeLessThanOrEqual(43_200)
        if (notBefore !== null) expect(delay).toBeGreaterThanOrEqual(Math.min(43_200, notBefore))
      }),
    )
  })

  it('grows with every attempt until its cap, under the same luck', () => {
    const luck = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(luck, fc.integer({ min: 1, max: 30 }), (random, attempt) => {
        const [now, next] = [
          retryDelaySeconds(attempt, random),
          retryDelaySeconds(attempt + 1, random),
        ]
        if (attempt < 8) expect(next).toBeGreaterThan(now)
        else expect(next).toBeGreaterThanOrEqual(now)
      }),
    )
  })

  it('is spread: mails refused together do not come back together', () => {
    const delays = Array.from({ length: 100 }, (_, i) => retryDelaySeconds(6, i / 100))
    expect(new Set(delays).size).toBeGreaterThan(90)
  })

  it('makes 20 attempts span about nine hours, as the settings say', () => {
    let hours = 0
    for (let attempt = 1; attempt < 20; attempt++) hours += retryDelaySeconds(attempt, 0.5) / 3600
    expect(hours).toBeGreaterThan(8)
    expect(hours).toBeLessThan(10)
  })
})
