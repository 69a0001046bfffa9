import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  countIn,
  type RatePolicy,
  secondsUntil,
  type WindowState,
} from '../../src/limits/window.ts'

const policy: RatePolicy = { name: 'test', limit: 3, windowMs: 15 * 60_000 }
const START = 1_800_000_000_000

/** Counts requests at the given instants, one after the other. */
function countAll(instants: readonly number[], limit: RatePolicy = policy) {
  let state: WindowState | null = null
  return instants.map((at) => {
    const { verdict, next } = countIn(state, limit, at)
    state = next
    return { at, verdict, state: next }
  })
}

const allowedAt = (...instants: number[]) => countAll(instants).map((one) => one.verdict.allowed)

describe('a window', () => {
  it('S10: allows the limit-th request and refuses the next', () => {
    expect(allowedAt(START, START, START, START)).toEqual([true, true, true, false])
  })

  it('S10: refuses one millisecond before its end and allows at its end', () => {
    const end = START + policy.windowMs
    expect(allowedAt(START, START, START, end - 1, end)).toEqual([true, true, true, false, true])
  })

  it('begins with its first request, not with the clock', () => {
    expect(countIn(null, policy, START + 1).next).toEqual({
      count: 1,
      endsAt: START + 1 + policy.windowMs,
    })
  })

  it('begins anew, with a whole window, after its end', () => {
    const later = START + policy.windowMs + 5
    expect(countIn({ count: 3, endsAt: START + policy.windowMs }, policy, later).next).toEqual({
      count: 1,
      endsAt: later + policy.windowMs,
    })
  })

  it('does not count a refused request, so that hammering prolongs nothing', () => {
    const full = { count: 3, endsAt: START + 1000 }
    const { verdict, next } = countIn(full, policy, START)
    expect(verdict.allowed).toBe(false)
    expect(next).toEqual(full)
  })

  it('says how many remain', () => {
    const remaining = countAll([START, START, START, START]).map((one) => one.verdict.remaining)
    expect(remaining).toEqual([2, 1, 0, 0])
  })

  it('says none remain, not fewer, where the limit was lowered since', () => {
    const { verdict } = countIn({ count: 9, endsAt: START + 1000 }, policy, START)
    expect(verdict).toMatchObject({ allowed: false, remaining: 0 })
  })

  it.each([
    [900, 0],
    [900, 1],
    [899, 1000],
    [1, 15 * 60_000 - 1000],
    [1, 15 * 60_000 - 999],
    [1, 15 * 60_000 - 1],
  ])('is said to end in %i seconds, %i ms after its start', (seconds, after) => {
    const state = { count: 3, endsAt: START + policy.windowMs }
    expect(countIn(state, policy, START + after).verdict.resetSeconds).toBe(seconds)
  })

  it('is never said to end before it does: whoever waits as told is let in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: policy.windowMs - 1 }), (after) => {
        const state = { count: 3, endsAt: START + policy.windowMs }
        const { resetSeconds } = countIn(state, policy, START + after).verdict
        const retryAt = START + after + resetSeconds * 1000
        expect(countIn(state, policy, retryAt).verdict.allowed).toBe(true)
      }),
    )
  })
})

describe('seconds until an instant', () => {
  it.each([
    [1, -5000],
    [1, 0],
    [1, 1],
    [1, 1000],
    [2, 1001],
    [60, 60_000],
  ])('are %i where it is %i ms away', (seconds, away) => {
    expect(secondsUntil(START + away, START)).toBe(seconds)
  })
})

describe('any series of requests', () => {
  const series = fc.record({
    limit: fc.integer({ min: 1, max: 5 }),
    windowMs: fc.integer({ min: 1, max: 1000 }),
    gaps: fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 400 })), { maxLength: 60 }),
  })
  const run = ({ limit, windowMs, gaps }: { limit: number; windowMs: number; gaps: number[] }) => {
    let at = START
    return countAll(
      gaps.map((gap) => {
        at += gap
        return at
      }),
      { name: 'any', limit, windowMs },
    )
  }

  it('S10: is never allowed more than the limit in one window', () => {
    fc.assert(
      fc.property(series, (given) => {
        const windows = Object.groupBy(run(given), (one) => String(one.state.endsAt))
        for (const requests of Object.values(windows)) {
          const allowed = requests?.filter((one) => one.verdict.allowed) ?? []
          expect(allowed.length).toBeLessThanOrEqual(given.limit)
          const span = (requests?.at(-1)?.at ?? 0) - (requests?.[0]?.at ?? 0)
          expect(span).toBeLessThan(given.windowMs)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is refused only where the limit is used up', () => {
    fc.assert(
      fc.property(series, (given) => {
        const requests = run(given)
        for (const { at, verdict } of requests) {
          if (verdict.allowed) continue
          const recent = requests.filter(
            (one) => one.verdict.allowed && one.at <= at && one.at > at - given.windowMs,
          )
          expect(recent.length).toBeGreaterThanOrEqual(given.limit)
        }
      }),
      { numRuns: 500 },
    )
  })
})
