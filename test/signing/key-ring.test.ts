import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBase64Url } from '../../src/signing/base64url.ts'
import { createKeyRing, importHmacKey, parseKeyList } from '../../src/signing/key-ring.ts'

const secretOf = (length: number, fill = 7) => encodeBase64Url(new Uint8Array(length).fill(fill))
const SECRET = secretOf(32)

describe('the list of keys', () => {
  it('F12: keeps the order in which it was written, newest first', () => {
    const keys = parseKeyList(`new:${secretOf(32, 1)}, old:${secretOf(48, 2)} ,older:${SECRET}`)
    expect(keys).toEqual([
      { id: 'new', secret: new Uint8Array(32).fill(1) },
      { id: 'old', secret: new Uint8Array(48).fill(2) },
      { id: 'older', secret: new Uint8Array(32).fill(7) },
    ])
  })

  it.each([
    ['empty', ''],
    ['empty', '  \n'],
    ['shape', 'k1'],
    ['shape', `k1:${SECRET},`],
    ['shape', `,k1:${SECRET}`],
    ['shape', `k1:${SECRET}:x`],
    ['id', `:${SECRET}`],
    ['id', `k 1:${SECRET}`],
    ['id', `kü:${SECRET}`],
    ['id', `${'k'.repeat(17)}:${SECRET}`],
    ['secret', 'k1:'],
    ['secret', `k1:${secretOf(31)}`],
    ['secret', `k1:${SECRET}=`],
    ['secret', `k1: ${SECRET}`],
    ['secret', `k1:${SECRET.slice(0, -1)}+`],
    ['duplicate', `k1:${SECRET},k1:${secretOf(32, 1)}`],
  ])('F14: names the broken rule: %s in %j', (problem, text) => {
    expect(parseKeyList(text)).toBe(problem)
  })

  it('takes an id of 16 characters and a secret of exactly 32 bytes', () => {
    expect(parseKeyList(`${'k'.repeat(16)}:${SECRET}`)).toHaveLength(1)
  })

  it('never throws, whatever the setting holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseKeyList(`${text}:${text},${text}`)).toBeTypeOf('string')
      }),
    )
  })
})

describe('the key ring', () => {
  const keys = parseKeyList(`new:${secretOf(32, 1)},old:${secretOf(32, 2)}`)
  if (typeof keys === 'string') throw new Error(keys)

  it('F12: signs with the newest and knows them all', async () => {
    const ring = await createKeyRing(keys)
    expect(ring.newest.id).toBe('new')
    expect([...ring.byId.keys()]).toEqual(['new', 'old'])
    expect(ring.byId.get('new')).toBe(ring.newest.key)
  })

  it('keeps its keys inside Web Crypto: none can be exported', async () => {
    const ring = await createKeyRing(keys)
    for (const key of ring.byId.values()) {
      expect(key.extractable).toBe(false)
      await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow()
    }
  })

  it('computes HMAC-SHA-256: the first test vector of RFC 4231', async () => {
    const key = await importHmacKey(new Uint8Array(20).fill(0x0b))
    const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode('Hi There'))
    expect(new Uint8Array(mac).toHex()).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    )
  })

  it('refuses to be made of nothing', async () => {
    await expect(createKeyRing([])).rejects.toThrow('at least one key')
  })
})
