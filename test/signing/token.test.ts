import * as fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { decodeBase64Url, encodeBase64Url } from '../../src/signing/base64url.ts'
import { createKeyRing, type KeyRing } from '../../src/signing/key-ring.ts'
import { type Claims, signToken, verifyToken } from '../../src/signing/token.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const EXPIRES_AT = 1_800_000_000
const NOW = EXPIRES_AT * 1000 - 60_000

const claims: Claims = {
  userId: '0198c0de-0000-7000-8000-00000000beef',
  generation: 3,
  addressFingerprint: 'BWdhsB_9cSnkLI5ULPHhSA',
  expiresAtSeconds: EXPIRES_AT,
}

const bytesOf = (fill: number) => new Uint8Array(32).fill(fill)
const ringOf = (...keys: [id: string, fill: number][]) =>
  createKeyRing(keys.map(([id, fill]) => ({ id, secret: bytesOf(fill) })))

let ring: KeyRing
let token: string
beforeAll(async () => {
  ring = await ringOf(['k1', 1])
  token = await signToken(ring, 'verify', claims)
})

/** Signs whatever payload the test likes, the way the real signer does. */
async function forge(payload: string, options: { purpose?: string; by?: KeyRing } = {}) {
  const { purpose = 'verify', by = ring } = options
  const input = new TextEncoder().encode(`mailproof link v1\n${purpose}\n${payload}`)
  const mac = await crypto.subtle.sign('HMAC', by.newest.key, input)
  return `${payload}.${encodeBase64Url(new Uint8Array(mac))}`
}

const payloadOf = (value: unknown) =>
  encodeBase64Url(
    new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)),
  )

const body = { k: 'k1', s: claims.userId, g: 3, a: claims.addressFingerprint, x: EXPIRES_AT }

/** The signature's last byte changed, so that it is of the right shape and wrong. */
function withWrongMac(good: string): string {
  const [payload = '', signature = ''] = good.split('.')
  const mac = decodeBase64Url(signature)
  if (mac === null) throw new Error('not a token')
  return `${payload}.${encodeBase64Url(mac.with(31, (mac[31] ?? 0) ^ 1))}`
}

async function failureOf(text: string, nowMs = NOW, by = ring): Promise<string> {
  const result = await verifyToken(by, ['verify'], text, nowMs)
  return result.ok ? 'accepted' : result.failure
}

describe('a token', () => {
  it('S6: gives back its claims', async () => {
    expect(await verifyToken(ring, ['verify'], token, NOW)).toEqual({
      ok: true,
      purpose: 'verify',
      claims,
    })
  })

  it('S6: gives back any claims', async () => {
    const anyClaims = fc.record({
      userId: fc.uuid(),
      generation: fc.nat(),
      addressFingerprint: fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 22 }),
      expiresAtSeconds: fc.integer({ min: Math.ceil(NOW / 1000) }),
    })
    await fc.assert(
      fc.asyncProperty(anyClaims, async (some) => {
        const signed = await signToken(ring, 'verify', some)
        expect(await verifyToken(ring, ['verify'], signed, NOW)).toEqual({
          ok: true,
          purpose: 'verify',
          claims: some,
        })
      }),
    )
  })

  it('is safe in a URL as it is, and not long', () => {
    expect(token).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/)
    expect(encodeURIComponent(token)).toBe(token)
    expect(token.length).toBeLessThan(220)
  })

  it('F12: says no more than a key id, a user id, a generation, a fingerprint and an expiry', () => {
    const bytes = decodeBase64Url(token.split('.')[0] ?? '')
    expect(JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array()))).toEqual(body)
  })
})

describe('the life of a token', () => {
  it.each([
    ['one millisecond before its last second', EXPIRES_AT * 1000 - 1],
    ['the first millisecond of its last second', EXPIRES_AT * 1000],
    ['the last millisecond of its last second', EXPIRES_AT * 1000 + 999],
  ])('S6: is not over at %s', async (_, nowMs) => {
    expect(await failureOf(token, nowMs)).toBe('accepted')
  })

  it('S6: is over at the next second, and the result still says whose link it was', async () => {
    expect(await verifyToken(ring, ['verify'], token, (EXPIRES_AT + 1) * 1000)).toEqual({
      ok: false,
      failure: 'expired',
      purpose: 'verify',
      claims,
    })
  })
})

describe('tampering', () => {
  it('S9: is refused for every single bit of every character', async () => {
    for (let i = 0; i < token.length; i++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = String.fromCharCode(token.charCodeAt(i) ^ (1 << bit))
        const changed = token.slice(0, i) + flipped + token.slice(i + 1)
        expect(await failureOf(changed), `character ${i}, bit ${bit}`).not.toBe('accepted')
      }
    }
  })

  it('S9: is refused for every other character in every place of the signature', async () => {
    for (let i = token.length - 43; i < token.length; i++) {
      for (const other of ALPHABET) {
        if (other === token[i]) continue
        const changed = token.slice(0, i) + other + token.slice(i + 1)
        expect(await failureOf(changed), `${other} at ${i}`).toMatch(/^(mac|shape)$/)
      }
    }
  })

  it('S9: is refused for any other character anywhere', async () => {
    const place = fc.nat({ max: token.length - 1 })
    await fc.assert(
      fc.asyncProperty(place, fc.constantFrom(...ALPHABET, '.'), async (i, other) => {
        fc.pre(other !== token[i])
        const changed = token.slice(0, i) + other + token.slice(i + 1)
        expect(await failureOf(changed)).not.toBe('accepted')
      }),
      { numRuns: 500 },
    )
  })

  it('S9: is refused for every truncation, at either end', async () => {
    for (let cut = 1; cut <= token.length; cut++) {
      expect(await failureOf(token.slice(0, -cut)), `without the last ${cut}`).not.toBe('accepted')
      expect(await failureOf(token.slice(cut)), `without the first ${cut}`).not.toBe('accepted')
    }
  })

  it.each([
    ['a trailing character', (t: string) => `${t}A`],
    ['a second signature', (t: string) => `${t}.${t.split('.')[1]}`],
    ['padding', (t: string) => `${t}=`],
    ['a leading space', (t: string) => ` ${t}`],
    ['a trailing line break', (t: string) => `${t}\n`],
    ['no signature', (t: string) => `${t.split('.')[0]}.`],
    ['no payload', (t: string) => `.${t.split('.')[1]}`],
  ])('S9: is refused by shape: %s', async (_, change) => {
    expect(await failureOf(change(token))).toBe('shape')
  })

  it('S9: never throws and never accepts, whatever text comes in', async () => {
    const base64url = fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 60 })
    const payload = fc.oneof(base64url, fc.json().map(payloadOf), fc.constant(payloadOf(body)))
    const signature = fc.oneof(
      base64url,
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((mac) => encodeBase64Url(mac)),
    )
    const codeUnits = fc
      .array(fc.integer({ min: 0, max: 0xffff }))
      .map((units) => String.fromCharCode(...units))
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 600 }),
      codeUnits,
      fc.tuple(payload, signature).map((parts) => parts.join('.')),
      fc.array(base64url, { maxLength: 5 }).map((parts) => parts.join('.')),
    )
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await failureOf(text)).toMatch(/^(shape|unknown_key|mac)$/)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the order of checks', () => {
  it('is shape, key, MAC, claims, expiry: each failure is named by the first check that it meets', async () => {
    const later = (EXPIRES_AT + 1) * 1000
    const malformed = await forge(payloadOf({ ...body, x: 'soon' }))
    expect(await failureOf(token.slice(0, -1), later)).toBe('shape')
    expect(await failureOf(await forge(payloadOf({ ...body, k: 'k2' })), later)).toBe('unknown_key')
    expect(await failureOf(withWrongMac(token), later)).toBe('mac')
    expect(await failureOf(withWrongMac(malformed), later)).toBe('mac')
    expect(await failureOf(malformed, later)).toBe('claims')
    expect(await failureOf(token, later)).toBe('expired')
  })

  it.each([
    ['no user', { ...body, s: undefined }],
    ['a user that is a number', { ...body, s: 1 }],
    ['no fingerprint', { ...body, a: undefined }],
    ['a generation that is text', { ...body, g: '3' }],
    ['a generation that is no whole number', { ...body, g: 0.5 }],
    ['no expiry', { ...body, x: undefined }],
    ['an expiry that is null', { ...body, x: null }],
    ['an expiry beyond exact numbers', { ...body, x: 2 ** 53 }],
  ])('finds malformed claims under a good MAC: %s', async (_, value) => {
    expect(await failureOf(await forge(payloadOf(value)))).toBe('claims')
  })

  it.each([
    ['not JSON', 'k1'],
    ['an array', '["k1"]'],
    ['null', 'null'],
    ['a byte order mark before the JSON', `\ufeff${JSON.stringify(body)}`],
  ])('finds a payload that is no object by its shape, under a good MAC: %s', async (_, text) => {
    expect(await failureOf(await forge(payloadOf(text)))).toBe('shape')
  })

  it('finds a payload that is not UTF-8 by its shape', async () => {
    expect(await failureOf(await forge(encodeBase64Url(new Uint8Array([0x7b, 0xff, 0x7d]))))).toBe(
      'shape',
    )
  })

  it.each(['__proto__', 'constructor', 'toString', '', 1, null, ['k1']])(
    'knows no key named %j',
    async (k) => {
      expect(await failureOf(await forge(payloadOf({ ...body, k })))).toBe('unknown_key')
    },
  )

  it('takes up to 512 characters, and refuses longer ones before decoding them', async () => {
    const empty = await signToken(ring, 'verify', { ...claims, userId: '' })
    const room = Math.floor(((512 - 44) * 3) / 4) - JSON.stringify({ ...body, s: '' }).length
    const longest = await signToken(ring, 'verify', { ...claims, userId: 'u'.repeat(room) })
    const longer = await signToken(ring, 'verify', { ...claims, userId: 'u'.repeat(room + 1) })
    expect(await failureOf(empty)).toBe('accepted')
    expect(longest).toHaveLength(512)
    expect(await failureOf(longest)).toBe('accepted')
    expect(longer.length).toBeGreaterThan(512)
    expect(await failureOf(longer)).toBe('shape')
    expect(await failureOf(`${'A'.repeat(10_000_000)}.${'A'.repeat(43)}`)).toBe('shape')
  })
})

describe('the purpose of a token', () => {
  it.each(['reset', 'change-email', 'Verify', 'verify\n', ''])(
    'S6: keeps it from being good for another: one for %j does not verify an address',
    async (purpose) => {
      const payload = payloadOf(body)
      expect(await failureOf(await forge(payload))).toBe('accepted')
      expect(await failureOf(await forge(payload, { purpose }))).toBe('mac')
    },
  )

  it('S6: keeps a token for verifying from being good for anything else', async () => {
    const result = await verifyToken(ring, ['reset'], token, NOW)
    expect(result).toEqual({ ok: false, failure: 'mac' })
  })

  it('cannot be moved from the purpose into the payload', async () => {
    const input = new TextEncoder().encode(`mailproof link v1\n${payloadOf(body)}`)
    const mac = await crypto.subtle.sign('HMAC', ring.newest.key, input)
    const unpurposed = `${payloadOf(body)}.${encodeBase64Url(new Uint8Array(mac))}`
    expect(await failureOf(unpurposed)).toBe('mac')
  })
})

describe('a place where links of two purposes open', () => {
  const both = ['verify', 'change'] as const

  it.each(both)('takes a link of either: %s', async (purpose) => {
    const signed = await signToken(ring, purpose, claims)
    expect(await verifyToken(ring, both, signed, NOW)).toEqual({ ok: true, purpose, claims })
    expect(await verifyToken(ring, both, signed, (EXPIRES_AT + 1) * 1000)).toEqual({
      ok: false,
      failure: 'expired',
      purpose,
      claims,
    })
  })

  it('takes no link of a third, whatever purpose it claims', async () => {
    for (const p of [undefined, 'verify', 'change', 'reset', 'constructor', 1, null, ['change']]) {
      const foreign = await forge(payloadOf({ ...body, p }), { purpose: 'reset' })
      expect(await verifyToken(ring, both, foreign, NOW)).toEqual({ ok: false, failure: 'mac' })
    }
  })

  it('holds what a link says of itself against its MAC: neither is good as the other', async () => {
    const asChange = await forge(payloadOf({ ...body, p: 'change' }), { purpose: 'verify' })
    expect(await verifyToken(ring, both, asChange, NOW)).toEqual({ ok: false, failure: 'mac' })
    const asVerify = await forge(payloadOf({ ...body, p: 'verify' }), { purpose: 'change' })
    expect(await verifyToken(ring, both, asVerify, NOW)).toEqual({ ok: false, failure: 'mac' })
    const silent = await forge(payloadOf(body), { purpose: 'change' })
    expect(await verifyToken(ring, both, silent, NOW)).toEqual({ ok: false, failure: 'mac' })
  })

  it.each(both)('costs one MAC: a forged %s link', async (purpose) => {
    const forged = withWrongMac(await signToken(ring, purpose, claims))
    const verify = vi.spyOn(crypto.subtle, 'verify')
    try {
      expect(await verifyToken(ring, both, forged, NOW)).toEqual({ ok: false, failure: 'mac' })
      expect(verify).toHaveBeenCalledTimes(1)
    } finally {
      verify.mockRestore()
    }
  })

  it('is the only one that links to a changed address open at, and they name it', async () => {
    const [payload = ''] = (await signToken(ring, 'change', claims)).split('.')
    const bytes = decodeBase64Url(payload) ?? new Uint8Array()
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual({ ...body, p: 'change' })
  })
})

describe('rotation of keys', () => {
  it('F12: leaves delivered links alive while the newest key signs', async () => {
    const rotated = await ringOf(['k2', 2], ['k1', 1])
    expect(await failureOf(token, NOW, rotated)).toBe('accepted')
    const fresh = await signToken(rotated, 'verify', claims)
    expect(await failureOf(fresh, NOW, rotated)).toBe('accepted')
    expect(await failureOf(fresh, NOW, ring)).toBe('unknown_key')
    expect(await failureOf(fresh, NOW, await ringOf(['k2', 2]))).toBe('accepted')
  })

  it('F12: kills the links of a key that is taken out', async () => {
    expect(await failureOf(token, NOW, await ringOf(['k2', 2]))).toBe('unknown_key')
  })

  it('F12: refuses links of an id that is used again with other bytes', async () => {
    expect(await failureOf(token, NOW, await ringOf(['k1', 2]))).toBe('mac')
  })

  it('F12: checks under the key that the link names and no other', async () => {
    const both = await ringOf(['k2', 2], ['k1', 1])
    const mislabelled = await forge(payloadOf({ ...body, k: 'k1' }), {
      by: await ringOf(['k2', 2]),
    })
    expect(await failureOf(mislabelled, NOW, both)).toBe('mac')
  })
})
