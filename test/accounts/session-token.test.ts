import { describe, expect, it } from 'vitest'
import {
  hashSecret,
  makeSecret,
  NOBODY,
  sessionKeyOf,
  tokenOf,
} from '../../src/accounts/session-token.ts'
import { decodeBase64Url, encodeBase64Url } from '../../src/signing/base64url.ts'

const USER = '0193a5f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b'
const random = (length: number) => encodeBase64Url(crypto.getRandomValues(new Uint8Array(length)))

describe('a session token', () => {
  it('is 64 characters that fit a cookie and a header, and says whose it is', () => {
    const token = tokenOf(USER, makeSecret())
    expect(token).toMatch(/^[\w-]{64}$/)
    expect(decodeBase64Url(token)?.subarray(0, 16).toHex()).toBe(USER.replaceAll('-', ''))
  })

  it('has a key: the user, and the hash of the secret alone', async () => {
    const secret = makeSecret()
    const digest = await crypto.subtle.digest('SHA-256', secret)
    const id = encodeBase64Url(new Uint8Array(digest))
    expect(await hashSecret(secret)).toBe(id)
    expect(await sessionKeyOf(tokenOf(USER, secret))).toEqual({ userId: USER, id })
  })

  it('has another secret each time, of 256 bits', () => {
    const secrets = Array.from({ length: 100 }, () => makeSecret())
    expect(new Set(secrets.map((secret) => secret.toHex())).size).toBe(100)
    expect(new Set(secrets.map(({ length }) => length))).toEqual(new Set([32]))
  })

  const token = tokenOf(USER, new Uint8Array(32).fill(7))
  it.each([
    null,
    '',
    token.slice(0, -1),
    `${token}A`,
    `${token.slice(0, -1)}=`,
    `${token.slice(0, -1)}+`,
    `${token.slice(0, -1)}/`,
    `${token.slice(0, -1)} `,
    `${token.slice(0, -1)}\n`,
    `${token.slice(0, -1)}é`,
    `${token.slice(0, 32)}.${token.slice(33)}`,
    '\0'.repeat(64),
    ' '.repeat(64),
    // As long as tokens were when they named no user.
    random(32),
    random(96),
    'a'.repeat(1_000),
  ])('is nobody’s where it is malformed, and nothing throws: %j', async (malformed) => {
    expect(await sessionKeyOf(malformed)).toBe(NOBODY)
  })

  it('of random characters is somebody’s who does not exist, never the key of nobody', async () => {
    const key = await sessionKeyOf(random(48))
    expect(key.userId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(key.id).toMatch(/^[\w-]{43}$/)
  })
})
