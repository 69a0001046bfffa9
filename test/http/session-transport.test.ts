import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { makeSecret, tokenOf } from '../../src/accounts/session-token.ts'
import {
  clearSessionCookie,
  presentedSession,
  sessionCookieName,
  setSessionCookie,
} from '../../src/http/session-transport.ts'

const SECURE = { isSecureOrigin: true }
const PLAIN = { isSecureOrigin: false }
const EXPIRES_AT = Math.floor(Date.now() / 1000) * 1000 + 30 * 86_400_000

function appFor(config: { isSecureOrigin: boolean }) {
  return new Hono()
    .get('/', (c) => c.json({ session: presentedSession(c, config) }))
    .get('/set', (c) => {
      setSessionCookie(c, config, { token: 'tok-1_A', expiresAt: EXPIRES_AT })
      return c.body(null)
    })
    .get('/clear', (c) => {
      clearSessionCookie(c, config)
      return c.body(null)
    })
}

async function presented(headers: Record<string, string>, config = SECURE): Promise<unknown> {
  const response = await appFor(config).request('/', { headers })
  const body: { session: unknown } = await response.json()
  return body.session
}

async function cookieOf(path: string, config: { isSecureOrigin: boolean }) {
  const response = await appFor(config).request(path)
  const [pair = '', ...attributes] = (response.headers.get('Set-Cookie') ?? '').split('; ')
  return { pair, attributes: attributes.toSorted() }
}

describe('the session cookie', () => {
  it('is bound to host, path and TLS where there is TLS', async () => {
    expect(sessionCookieName(SECURE)).toBe('__Host-session')
    expect(await cookieOf('/set', SECURE)).toEqual({
      pair: '__Host-session=tok-1_A',
      attributes: [
        `Expires=${new Date(EXPIRES_AT).toUTCString()}`,
        'HttpOnly',
        'Path=/',
        'SameSite=Lax',
        'Secure',
      ],
    })
  })

  it('goes without the prefix and Secure over plain http on a laptop', async () => {
    expect(sessionCookieName(PLAIN)).toBe('session')
    expect(await cookieOf('/set', PLAIN)).toEqual({
      pair: 'session=tok-1_A',
      attributes: [
        `Expires=${new Date(EXPIRES_AT).toUTCString()}`,
        'HttpOnly',
        'Path=/',
        'SameSite=Lax',
      ],
    })
  })

  it.each([
    [SECURE, '__Host-session=', true],
    [PLAIN, 'session=', false],
  ])(
    'is cleared under the same name and flags, or the browser would keep it',
    async (config, pair, secure) => {
      const cleared = await cookieOf('/clear', config)
      expect(cleared.pair).toBe(pair)
      expect(cleared.attributes).toEqual(
        expect.arrayContaining(['HttpOnly', 'Max-Age=0', 'Path=/', 'SameSite=Lax']),
      )
      expect(cleared.attributes.includes('Secure')).toBe(secure)
    },
  )

  it('may last as long as the configuration allows', async () => {
    const app = new Hono().get('/', (c) => {
      setSessionCookie(c, SECURE, { token: 't', expiresAt: Date.now() + 365 * 86_400_000 })
      return c.body(null)
    })
    expect((await app.request('/')).status).toBe(200)
  })
})

describe('the session that a request presents', () => {
  it('is in the cookie', async () => {
    expect(await presented({ Cookie: 'a=b; __Host-session=tok-1_A' })).toEqual({
      token: 'tok-1_A',
      transport: 'cookie',
    })
  })

  it('is in the bearer token, whatever the case of the word', async () => {
    for (const word of ['Bearer', 'bearer', 'BEARER']) {
      expect(await presented({ Authorization: `${word} tok-1_A` })).toEqual({
        token: 'tok-1_A',
        transport: 'bearer',
      })
    }
  })

  it('is in the bearer token where there are both', async () => {
    const headers = {
      Authorization: 'Bearer of-the-header',
      Cookie: '__Host-session=of-the-cookie',
    }
    expect(await presented(headers)).toEqual({ token: 'of-the-header', transport: 'bearer' })
  })

  it('comes through whole, by either way, where it is a token of ours', async () => {
    const token = tokenOf('0193a5f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b', makeSecret())
    const app = new Hono().get('/', (c) => {
      setSessionCookie(c, SECURE, { token, expiresAt: EXPIRES_AT })
      return c.body(null)
    })
    const set = (await app.request('/')).headers.get('Set-Cookie') ?? ''
    const Cookie = set.split(';')[0] ?? ''
    expect(await presented({ Cookie })).toEqual({ token, transport: 'cookie' })
    const Authorization = `Bearer ${token}`
    expect(await presented({ Authorization })).toEqual({ token, transport: 'bearer' })
  })

  it('is nowhere', async () => {
    expect(await presented({})).toBeNull()
    expect(await presented({ Cookie: '__Host-session=' })).toBeNull()
  })

  it('is not in a cookie that a sibling subdomain could have planted', async () => {
    expect(await presented({ Cookie: 'session=planted' })).toBeNull()
    expect(await presented({ Cookie: '__host-session=planted' })).toBeNull()
    expect(await presented({ Cookie: 'x__Host-session=planted' })).toBeNull()
  })

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,b',
    'Bearer a.b',
    'Bearer "tok"',
    'Bearertok',
    'Basic dXNlcjpwYXNz',
    'Basic Bearer tok',
    `Bearer ${'a'.repeat(129)}`,
    'tok-1_A',
  ])('is not in a malformed Authorization header, which leaves the cookie: %j', async (value) => {
    expect(await presented({ Authorization: value })).toBeNull()
    const both = { Authorization: value, Cookie: '__Host-session=tok' }
    expect(await presented(both)).toEqual({ token: 'tok', transport: 'cookie' })
  })
})
