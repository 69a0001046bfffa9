import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { answerHeaders } from '../../src/http/answer-headers.ts'
import { createHarness, freshAddress } from '../support/harness.ts'

const config = { ALLOWED_ORIGINS: ['https://app.dev'], LOGO_URL: undefined, isSecureOrigin: true }

const SET = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https://app.dev; " +
    "frame-ancestors 'none'; base-uri 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
}

const headersOf = (response: Response) => Object.fromEntries(response.headers)

describe('the headers of an answer', () => {
  it('are these, over TLS', async () => {
    const app = new Hono().use(answerHeaders(config)).get('/', (c) => c.body(null, 204))
    expect(headersOf(await app.request('/'))).toEqual(SET)
  })

  it('do not promise TLS where there is none', async () => {
    const app = new Hono().use(answerHeaders({ ...config, isSecureOrigin: false }))
    app.get('/', (c) => c.body(null, 204))
    const { 'strict-transport-security': _, ...others } = SET
    expect(headersOf(await app.request('/'))).toEqual(others)
  })

  it('leave to a route what a route may choose, and no more', async () => {
    const chosen = {
      'cache-control': 'public, max-age=3600',
      'content-security-policy': "default-src 'self'",
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'SAMEORIGIN',
    }
    const app = new Hono().use(answerHeaders(config))
    app.get('/', (c) => c.body(null, 204, { ...chosen, 'x-content-type-options': 'sniff' }))
    expect(headersOf(await app.request('/'))).toEqual({ ...SET, ...chosen })
  })

  it.each([
    ['GET', '/auth/session', 401],
    ['GET', '/auth/verify-email?token=forged', 400],
    ['HEAD', '/auth/verify-email?token=forged', 400],
    ['GET', '/nowhere', 404],
    ['PUT', '/auth/login', 405],
    ['POST', '/auth/login', 413],
    ['POST', '/auth/logout', 204],
    ['GET', '/register', 200],
    ['OPTIONS', '/auth/session', 204],
  ])('are on every answer: %s %s', async (method, path, status) => {
    const h = await createHarness({ ALLOWED_ORIGINS: 'https://app.dev' })
    const origin = { Origin: 'https://app.dev', 'Access-Control-Request-Method': 'GET' }
    const response = await h.fetch(path, {
      method,
      ...(method === 'OPTIONS' ? { headers: origin } : {}),
      ...(status === 413 ? { body: 'x'.repeat(20_000) } : {}),
    })
    expect(response.status).toBe(status)
    const { 'content-security-policy': _, ...others } = SET
    expect(headersOf(response)).toMatchObject(others)
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
  })

  it('are on the answer where D1 is out', async () => {
    const h = await createHarness()
    const visitor = h.browser()
    expect((await visitor.register(freshAddress())).status).toBe(201)
    h.bindings.fault = (binding) => (binding === 'd1' ? 'throw' : undefined)
    const answer = await visitor.get('/auth/session')
    expect(answer.status).toBe(503)
    expect(answer.headers.get('X-Frame-Options')).toBe('DENY')
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
  })
})
