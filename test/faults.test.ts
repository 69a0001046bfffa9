// Promise 1 and the answers to failure: every D1, KV, Queue and HTTP call on the path is made to fail in every
// way, and each time the answer is a decided one, and every accepted registration's mail arrives or is a
// failure that somebody can see.
import { describe, expect, it } from 'vitest'
import { type Answer, type Browser, PASSWORD } from './support/browser.ts'
import type { Fault } from './support/faulty-bindings.ts'
import { createHarness, freshAddress, type Harness, linkIn } from './support/harness.ts'

const FAULTS: Fault[] = ['throw', 'hang', 'lost']
const IMPATIENT = {
  D1_TIMEOUT_MS: '60',
  KV_TIMEOUT_MS: '30',
  QUEUE_TIMEOUT_MS: '60',
  MAIL_TIMEOUT_MS: '60',
}

/** Every request that touches D1, made after a registration whose link is at hand. */
const REQUESTS: Record<
  string,
  (browser: Browser, at: { email: string; token: string }) => Promise<Answer>
> = {
  register: (browser) => browser.register(freshAddress()),
  login: (browser, { email }) => browser.login(email),
  session: (browser) => browser.session(),
  check: (browser) => browser.get('/auth/check?verified=1'),
  'open the link': (browser, { token }) => browser.get(`/auth/verify-email?token=${token}`),
  'open the page': (browser, { token }) => browser.open(`/auth/verify-email?token=${token}`),
  'confirm with the session': (browser, { token }) => browser.confirm(token),
  'confirm with the password': (browser, { token }) => browser.confirm(token, PASSWORD),
  'resend, session': (browser) => browser.post('/auth/resend-verification'),
  'resend, public': (browser, { email }) => browser.post('/auth/resend-verification', { email }),
  logout: (browser) => browser.send('POST', '/auth/logout'),
  'delete account': (browser) =>
    browser.send('DELETE', '/auth/account', { json: { password: PASSWORD } }),
  'start page': (browser) => browser.open('/'),
  healthz: (browser) => browser.get('/healthz'),
}

async function ready(settings: Record<string, string> = {}) {
  const h = await createHarness({ ...IMPATIENT, ...settings })
  const browser = h.browser()
  const email = freshAddress()
  await browser.register(email)
  await h.deliver()
  return { h, browser, email, token: linkIn((await h.mails(email))[0]).token }
}

describe('D1', () => {
  const cases = Object.entries(REQUESTS).flatMap(([name, act]) =>
    FAULTS.flatMap((fault) => [1, 2].map((nth) => ({ name, act, fault, nth }))),
  )
  it.each(cases)(
    '$name: call $nth that fails by $fault is 503, and works again after',
    async (c) => {
      const { h, browser, email, token } = await ready()
      if (c.name === 'delete account') await browser.confirm(token)
      let calls = 0
      h.bindings.fault = (binding) => {
        if (binding === 'd1') calls++
        return binding === 'd1' && calls === c.nth ? c.fault : undefined
      }
      const answer = await c.act(browser, { email, token })
      h.bindings.fault = () => undefined
      if (calls < c.nth) {
        // There is no such call on this path: nothing failed.
        expect(answer.status).toBeLessThan(500)
        return
      }
      expect(answer.status).toBe(503)
      if (c.name === 'healthz') expect(answer.body.checks.d1).toEqual({ ok: false })
      else if (answer.headers.get('Content-Type')?.startsWith('application/problem+json')) {
        expect(answer.body).toMatchObject({ ok: false, error: 'unavailable' })
        expect(answer.headers.get('Retry-After')).toBe('5')
      } else expect(answer.text).toContain('try again')

      const again = await c.act(browser, { email, token })
      // A write whose answer was lost has happened: its repetition is answered as such, and never with a 5xx.
      expect(again.status).toBeLessThan(500)
    },
  )

  it('a registration whose answer was lost can be repeated, and its mail goes out', async () => {
    const { h } = await ready()
    const ada = h.browser()
    const email = freshAddress()
    h.bindings.fault = (binding) => (binding === 'd1' ? 'lost' : undefined)
    expect((await ada.register(email)).status).toBe(503)
    h.bindings.fault = () => undefined
    expect((await ada.register(email)).status).toBe(201)
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    expect((await ada.confirm(token)).body.status).toBe('verified')
  })

  it('a confirm whose answer was lost is confirmed: the repetition says already_verified', async () => {
    const { h, browser, token, email } = await ready()
    h.bindings.fault = (binding) => (binding === 'd1' ? 'lost' : undefined)
    expect((await browser.confirm(token)).status).toBe(503)
    h.bindings.fault = () => undefined
    expect((await browser.confirm(token)).body.status).toBe('already_verified')
    expect((await browser.login(email)).body.user.is_email_verified).toBe(true)
  })

  it.each(FAULTS)(
    'the consumer survives a %s at claiming and at recording, and the mail is in',
    async (fault) => {
      for (const nth of [1, 2]) {
        const { h } = await ready()
        const email = freshAddress()
        await h.browser().register(email)
        const ids = h.bindings.queued.splice(0)
        let calls = 0
        h.bindings.fault = (binding) => (binding === 'd1' && ++calls === nth ? fault : undefined)
        const first = await h.deliver({ ids })
        h.bindings.fault = () => undefined
        if (first.retried.length > 0) {
          h.now += 10 * 60_000
          await h.deliver({ ids, attempts: 2 })
        }
        expect(await h.mails(email)).toHaveLength(1)
        expect(await h.rows("select id from messages where state = 'sent'")).toHaveLength(2)
      }
    },
  )

  it('a sweep that fails is made up for by the next one', async () => {
    const { h } = await ready()
    const email = freshAddress()
    await h.browser().register(email)
    h.bindings.queued.length = 0
    h.now += 60_000
    h.bindings.fault = (binding) => (binding === 'd1' ? 'throw' : undefined)
    await expect(h.sweep()).rejects.toThrow('d1')
    h.bindings.fault = () => undefined
    expect((await h.sweep()).enqueued).toBe(1)
  })
})

describe('KV fails soft: the request goes on, D1 decides', () => {
  it.each(FAULTS.flatMap((fault) => (['kv_get', 'kv_put'] as const).map((op) => ({ fault, op }))))(
    '$op that fails by $fault',
    async ({ fault, op }) => {
      const { h, browser, email, token } = await ready()
      h.bindings.fault = (binding) => (binding === op ? fault : undefined)
      expect((await h.browser().register(freshAddress())).status).toBe(201)
      expect((await browser.login(email)).status).toBe(200)
      expect((await browser.confirm(token, 'wrong password')).status).toBe(403)
      expect((await browser.confirm(token)).body.status).toBe('verified')
      for (let i = 0; i < 5; i++) await h.browser().post('/auth/resend-verification', { email })
      h.bindings.fault = () => undefined
      expect(h.logs.some(({ event }) => event === 'counter_unavailable')).toBe(true)
      // The exact limit stands without KV.
      const unlimited = freshAddress()
      h.bindings.fault = (binding) => (binding === op ? fault : undefined)
      h.bindings.queued.length = 0
      for (let i = 0; i < 6; i++) await h.browser().register(unlimited)
      expect(h.bindings.queued).toHaveLength(3)
    },
  )
})

describe('the Queue', () => {
  it.each(FAULTS)('a send that fails by %s delays the mail, the answer not', async (fault) => {
    const { h } = await ready()
    const email = freshAddress()
    h.bindings.fault = (binding) => (binding === 'queue' ? fault : undefined)
    expect((await h.browser().register(email)).status).toBe(201)
    h.bindings.fault = () => undefined
    expect(h.logs.some(({ event }) => event === 'enqueue_failed')).toBe(true)
    h.now += 60_000
    await h.sweep()
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1)
  })
})

describe('the mail API', () => {
  const answers: Record<string, (request: Request, pass: Harness['network']) => Promise<Response>> =
    {
      throws: async () => {
        throw new TypeError('network')
      },
      hangs: () => new Promise(() => {}),
      'hangs in the body': async () =>
        new Response(new ReadableStream({ start() {} }), { status: 500 }),
      408: async () => new Response(null, { status: 408 }),
      429: async () => new Response(null, { status: 429 }),
      '429 with a reset time': async () =>
        new Response(null, { status: 429, headers: { 'Retry-After': '30' } }),
      500: async () => new Response('<html>', { status: 500 }),
    }

  it.each(Object.entries(answers))(
    '%s: tried again, and then it arrives',
    async (_name, answer) => {
      const { h, browser } = await ready()
      const email = freshAddress()
      await browser.register(email)
      const ids = h.bindings.queued.splice(0)
      const real = h.network
      h.network = (request) => answer(request, real)
      expect((await h.deliver({ ids })).retried).toEqual(ids)
      expect((await browser.session()).body.mail.state).toBe('queued')
      h.network = real
      h.now += 60_000
      expect((await h.deliver({ ids, attempts: 2 })).acked).toEqual(ids)
      expect(await h.mails(email)).toHaveLength(1)
      expect((await browser.session()).body.mail.state).toBe('sent')
    },
  )

  it('400: a failure that the person and /healthz see', async () => {
    const { h, browser } = await ready()
    await browser.register(freshAddress())
    h.network = async () => new Response('{"errors":[{"message":"no"}]}', { status: 400 })
    await h.deliver()
    expect((await browser.session()).body.mail.state).toBe('failed')
    expect((await browser.get('/healthz')).body.checks.dead_letters).toEqual({
      ok: false,
      count: 1,
    })
  })

  it('a success whose answer is lost costs one copy more, no more', async () => {
    const { h, browser } = await ready()
    const email = freshAddress()
    await browser.register(email)
    const ids = h.bindings.queued.splice(0)
    const real = h.network
    h.network = async (request, pass) => {
      await pass(request)
      throw new TypeError('connection reset')
    }
    await h.deliver({ ids })
    h.network = real
    h.now += 60_000
    await h.deliver({ ids, attempts: 2 })
    await h.deliver({ ids, attempts: 3 })
    expect(await h.mails(email)).toHaveLength(2)
    expect((await browser.session()).body.mail.state).toBe('sent')
  })
})
