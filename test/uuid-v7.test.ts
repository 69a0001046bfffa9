import { expect, it } from 'vitest'
import { uuidV7 } from '../src/uuid-v7.ts'

it('makes a UUID of version 7, as RFC 9562 writes them', () => {
  // The time of the example in RFC 9562 appendix A.6.
  const id = uuidV7(0x017f22e279b0)
  expect(id).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

it('writes an early time with all its digits', () => {
  expect(uuidV7(1)).toMatch(/^00000000-0001-7/)
})

it('sorts by time', () => {
  const times = [0, 0xffff, 0x10000, 1_700_000_000_000, 1_700_000_000_001, 0xffffffffffff]
  const ids = times.map(uuidV7)
  expect(ids.toSorted()).toEqual(ids)
})

it('never makes the same twice, not even within a millisecond', () => {
  const ids = Array.from({ length: 1000 }, () => uuidV7(1_700_000_000_000))
  expect(new Set(ids).size).toBe(1000)
})
