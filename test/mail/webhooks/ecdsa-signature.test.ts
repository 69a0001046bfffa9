import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rawSignature } from '../../../src/mail/webhooks/ecdsa-signature.ts'

/** One spelling of a number in DER. */
function integer(bytes: Uint8Array): number[] {
  const digits = [...bytes]
  while (digits.length > 1 && digits[0] === 0) digits.shift()
  if ((digits[0] ?? 0) > 127) digits.unshift(0)
  return [0x02, digits.length, ...digits]
}

const sequence = (...parts: number[][]) =>
  Uint8Array.from([0x30, parts.flat().length, ...parts.flat()])
const number = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .chain((bytes) => fc.nat(31).map((zeros) => bytes.map((byte, i) => (i < zeros ? 0 : byte))))
  .filter((bytes) => bytes.some((byte) => byte !== 0))

describe('a signature in DER', () => {
  it('of any two numbers becomes those numbers, 32 bytes each', () => {
    fc.assert(
      fc.property(number, number, (r, s) => {
        expect(rawSignature(sequence(integer(r), integer(s)))).toEqual(
          Uint8Array.from([...r, ...s]),
        )
      }),
    )
  })

  it('cut anywhere, or longer, is none', () => {
    fc.assert(
      fc.property(number, number, fc.nat(), (r, s, at) => {
        const der = sequence(integer(r), integer(s))
        expect(rawSignature(der.slice(0, at % der.length))).toBeNull()
        expect(rawSignature(Uint8Array.from([...der, 0]))).toBeNull()
      }),
    )
  })

  it.each([
    ['nothing', Uint8Array.of()],
    ['another tag', Uint8Array.of(0x31, 6, 2, 1, 1, 2, 1, 1)],
    ['one number', sequence([2, 1, 1])],
    ['three numbers', sequence([2, 1, 1], [2, 1, 1], [2, 1, 1])],
    ['a negative number', sequence([2, 1, 0x80], [2, 1, 1])],
    ['a zero too many in front', sequence([2, 2, 0, 1], [2, 1, 1])],
    ['an empty number', sequence([2, 0], [2, 1, 1])],
    ['a zero', sequence([2, 1, 0], [2, 1, 1])],
    ['a number of 33 bytes', sequence([2, 33, 1, ...Array<number>(32).fill(0)], [2, 1, 1])],
    ['a length in two bytes', Uint8Array.of(0x30, 0x81, 6, 2, 1, 1, 2, 1, 1)],
    ['a number that reaches past the end', Uint8Array.of(0x30, 6, 2, 1, 1, 2, 9, 1)],
  ])('%s is none', (_name, der) => {
    expect(rawSignature(der)).toBeNull()
  })
})
