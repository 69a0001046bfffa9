// Whatever comes in, the answer is a clear error or correct handling, and never a 500.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, ORIGIN } from '../support/harness.ts'

const POSTS = [
  '/auth/register',
  '/auth/login',
  '/auth/verify-email',
  '/auth/resend-verification',
  '/resend-verification-email',
] as const

const UNLIMITED = {
  MAIL_LIMIT_PER_IP: '100000/1h',
  MAIL_REQUESTS_PER_ADDRESS: '100000/1h',
  LOGIN_LIMIT_PER_IP: '100000/1h',
  LOGIN_LIMIT_PER_ADDRESS: '100000/1h',
}

async function raw(h: Harness, path: string, body: BodyInit | null, type = 'application/json') {
  const headers = new Headers({ 'CF-Connecting-IP': '192.0.2.1' })
  if (type !== '') headers.set('Content-Type', type)
  const response = await h.fetch(path, { method: 'POST', body, headers })
  const text = await response.text()
  // biome-ignore lint/suspicious/noExplicitAny: any shape may come back
  return { status: response.status, headers: response.headers, body: JSON.parse(text) as any }
}

describe.each(POSTS)('POST %s', (path) => {
  it('answers malformed JSON with 400 invalid_json', async () => {
    const h = await createHarness(UNLIMITED)
    for (const body of [
      '{',
      '',
      'null,',
      '{"email":"a@b.co",}',
      '\u0000',
      '{"a":1}}',
      'undefined',
    ]) {
      const answer = await raw(h, path, body)
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_json'])
      expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
      expect(answer.body).toMatchObject({ ok: false, status: 400 })
    }
  })

  it('answers JSON of the wrong shape with 4xx, naming what is wrong', async () => {
    const h = await createHarness(UNLIMITED)
    const bodies = [
      null,
      [],
      0,
      'x',
      true,
      {},
      { email: 5 },
      { email: null },
      { email: ['a@b.co'] },
    ]
    for (const body of [...bodies, { data: 1 }, { token: {} }, { email: { $ne: '' } }]) {
      const answer = await raw(h, path, JSON.stringify(body))
      const isSessionDoor = path === '/auth/resend-verification' && answer.status === 401
      if (isSessionDoor) continue // an empty object asks for the session's own address
      expect([400, 422]).toContain(answer.status)
      if (answer.status === 422) expect(answer.body.errors[0].message).toBeTruthy()
    }
  })

  it('answers a body over 16 KiB with 413, whether or not it says how long it is', async () => {
    const h = await createHarness(UNLIMITED)
    const megabyte = JSON.stringify({ email: 'a@b.co', password: 'x'.repeat(1024 * 1024) })
    expect((await raw(h, path, megabyte)).body.error).toBe('payload_too_large')
    const stream = new Blob([megabyte]).stream()
    expect((await raw(h, path, stream)).status).toBe(413)
  })

  it('answers other methods with 405 and Allow', async () => {
    const h = await createHarness()
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const response = await h.fetch(path, { method })
      expect(response.status).toBe(405)
      expect(response.headers.get('Allow')).toContain('POST')
      expect(await response.json()).toMatchObject({ ok: false, error: 'method_not_allowed' })
    }
  })
})

describe('content types', () => {
  it.each(['/auth/register', '/auth/login', '/auth/verify-email'])(
    '%s takes JSON and nothing that a cross-site form could send',
    async (path) => {
      const h = await createHarness(UNLIMITED)
      const body = JSON.stringify({ email: freshAddress(), password: PASSWORD })
      for (const type of [
        'text/plain',
        'text/html',
        'application/octet-stream',
        'application/jsonx',
      ]) {
        expect((await raw(h, path, body, type)).body.error).toBe('unsupported_media_type')
      }
      const stated = await raw(h, path, body, 'application/json; charset=utf-8')
      expect(stated.status).not.toBe(415)
    },
  )

  it('a form to a JSON route registers nobody', async () => {
    const h = await createHarness(UNLIMITED)
    const form = 'email=a%40b.co&password=correct+horse+battery'
    const answer = await raw(h, '/auth/register', form, 'application/x-www-form-urlencoded')
    expect(answer.status).toBe(415)
  })
})

describe('fields', () => {
  it('names each field that does not fit, with its rule', async () => {
    const h = await createHarness(UNLIMITED)
    const answer = await raw(h, '/auth/register', '{"email":"nobody","password":"short"}')
    expect(answer.body).toEqual({
      type: 'about:blank',
      title: 'Some fields are invalid',
      status: 422,
      ok: false,
      error: 'invalid_input',
      errors: [
        { path: 'email', message: 'must look like name@example.com' },
        { path: 'password', message: 'must have at least 8 characters' },
      ],
    })
    const missing = await raw(h, '/auth/register', '{}')
    expect(missing.body.errors).toEqual([
      { path: 'email', message: 'is required' },
      { path: 'password', message: 'is required' },
    ])
  })

  it.each(['[]', '"text"', '5', 'null'])('says so where there are no fields: %s', async (body) => {
    const h = await createHarness(UNLIMITED)
    const answer = await raw(h, '/auth/register', body)
    expect([answer.status, answer.body.errors]).toEqual([
      422,
      [{ path: '', message: 'must be an object' }],
    ])
  })

  it('drops fields that it does not know', async () => {
    const h = await createHarness(UNLIMITED)
    const body = { email: freshAddress(), password: PASSWORD, is_email_verified: true, id: 'x' }
    const answer = await raw(h, '/auth/register', JSON.stringify(body))
    expect(answer.status).toBe(201)
    expect(answer.body.user.is_email_verified).toBe(false)
  })

  it.each([
    'ada@mail.example\r\nBcc: everybody@mail.example',
    'ada@mail.example\nSubject: hello',
    'ada\u0000@mail.example',
    'ada@mail\u0000.example',
    '\ud800@mail.example',
    'ada@\udfff.example',
    '"ada lovelace"@mail.example',
    'ada@[127.0.0.1]',
    `${'a'.repeat(65)}@mail.example`,
    `a@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(59)}.xyz`,
  ])('refuses the address %j with 422 and mails nobody', async (email) => {
    const h = await createHarness(UNLIMITED)
    const answer = await raw(h, '/auth/register', JSON.stringify({ email, password: PASSWORD }))
    expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([422, 'email'])
    const enveloped = await raw(
      h,
      '/resend-verification-email',
      JSON.stringify({ data: { email } }),
    )
    expect([enveloped.status, enveloped.body.errors?.[0]?.path]).toEqual([422, 'data.email'])
    expect(h.bindings.queued).toEqual([])
  })

  it('takes an address of exactly 254 octets, and an internationalised domain', async () => {
    const h = await createHarness(UNLIMITED)
    const tail = `.${'c'.repeat(63)}.${'d'.repeat(63)}.xyz`
    const longest = `${'a'.repeat(64)}@${'b'.repeat(254 - 65 - tail.length)}${tail}`
    expect(longest).toHaveLength(254)
    for (const email of [longest, `ada@bücher-${crypto.randomUUID()}.example`]) {
      const answer = await raw(h, '/auth/register', JSON.stringify({ email, password: PASSWORD }))
      expect(answer.status).toBe(201)
    }
    await h.deliver()
    expect(await h.mails(longest)).toHaveLength(1)
  })

  it.each(['\ud800\ud800\ud800\ud800\ud800\ud800\ud800\ud800', 'a\u0000b\u0000c\u0000d\u0000'])(
    'a password with %j is refused or works, and never fails',
    async (password) => {
      const h = await createHarness(UNLIMITED)
      const email = freshAddress()
      const answer = await raw(h, '/auth/register', JSON.stringify({ email, password }))
      const login = await raw(h, '/auth/login', JSON.stringify({ email, password }))
      expect([answer.status, login.status]).toEqual(
        password.isWellFormed() ? [201, 200] : [422, 401],
      )
    },
  )
})

describe('the older envelope', () => {
  it('S1: 200 with the message it always had, 400 on the envelope, 422 on the address', async () => {
    const h = await createHarness(UNLIMITED)
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    h.now += 1000
    const path = '/resend-verification-email'
    const good = await raw(h, path, JSON.stringify({ data: { email } }))
    expect([good.status, good.body]).toEqual([200, { message: 'Verification email resent' }])
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(2)
    for (const body of [{}, { email }, { data: {} }, { data: email }, { data: [email] }, []]) {
      expect((await raw(h, path, JSON.stringify(body))).status).toBe(400)
    }
    for (const wrong of ['x', '', 5, null]) {
      expect((await raw(h, path, JSON.stringify({ data: { email: wrong } }))).status).toBe(422)
    }
  })

  it('S1: the link points at the front end’s own page, with the token in it', async () => {
    const h = await createHarness({ VERIFY_URL: 'https://app.testproof.dev/#/confirm/{token}' })
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const [mail] = await h.mails(email)
    expect(mail?.text).toMatch(/https:\/\/app\.testproof\.dev\/#\/confirm\/[\w-]+\.[\w-]{43}\n/)
  })
})

describe('property: no body makes a 500', () => {
  it.each(POSTS)('%s', async (path) => {
    const h = await createHarness(UNLIMITED)
    const value = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          email: fc.oneof(fc.string({ unit: 'binary' }), fc.emailAddress(), fc.jsonValue()),
          password: fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.jsonValue()),
          token: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
          transport: fc.constantFrom('cookie', 'bearer', 'pigeon'),
          data: fc.oneof(fc.record({ email: fc.string({ unit: 'binary' }) }), fc.jsonValue()),
        },
        { requiredKeys: [] },
      ),
    )
    await fc.assert(
      fc.asyncProperty(value, async (body) => {
        expect((await raw(h, path, JSON.stringify(body) ?? '')).status).toBeLessThan(500)
      }),
      { numRuns: 60 },
    )
  })

  it('nor any query, header or cookie', async () => {
    const h = await createHarness(UNLIMITED)
    const text = fc.string({ unit: 'binary-ascii', maxLength: 300 })
    await fc.assert(
      fc.asyncProperty(text, text, async (token, header) => {
        const headers = new Headers()
        try {
          headers.set('Authorization', `Bearer ${header}`)
          headers.set('Cookie', `__Host-session=${header}`)
          headers.set('Accept', header)
        } catch {
          return // not a header: no client can send it
        }
        const url = new URL('/auth/verify-email', ORIGIN)
        url.searchParams.set('token', token)
        const response = await h.fetch(url.href, { headers })
        expect(response.status).toBeLessThan(500)
        expect((await h.fetch('/auth/session', { headers })).status).toBe(401)
      }),
      { numRuns: 60 },
    )
  })
})
