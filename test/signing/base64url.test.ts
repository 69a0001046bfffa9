import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64Url, encodeBase64Url } from '../../src/signing/base64url.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

describe('base64url', () => {
  it('decodes only the one spelling that it encodes to', () => {
    const text = encodeBase64Url(new Uint8Array([255]))
    expect(text).toBe('_w')
    expect(decodeBase64Url('_w')).toEqual(new Uint8Array([255]))
    // The same byte with an unused bit set, padded, or in the other alphabet.
    for (const other of ['_x', '_w==', '/w', ' _w', '_']) expect(decodeBase64Url(other)).toBeNull()
  })

  it('gives back any bytes, in characters that a URL carries as they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = encodeBase64Url(bytes)
        expect(text).toMatch(/^[A-Za-z0-9_-]*$/)
        expect(text).toHaveLength(Math.ceil((bytes.length * 4) / 3))
        expect(decodeBase64Url(text)).toEqual(new Uint8Array(bytes))
      }),
    )
  })

  it('decodes any text to null or to the bytes that are spelled exactly so', () => {
    const texts = fc.oneof(
      fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 40 }),
      fc.string({ unit: fc.constantFrom(...ALPHABET, '=', '+', '/', ' ', '\n'), maxLength: 12 }),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const bytes = decodeBase64Url(text)
        if (bytes !== null) expect(encodeBase64Url(bytes)).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })

  it('gives each byte one spelling of two characters, not sixteen', () => {
    for (const first of ALPHABET) {
      const good = [...ALPHABET].filter((second) => decodeBase64Url(first + second) !== null)
      // Two characters are 12 bits, of which a byte uses 8: four of the 64 second characters remain.
      expect(good.join('')).toBe('AQgw')
    }
  })
})
