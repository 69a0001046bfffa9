// Promise 1 and the answers to failure: every D1, KV, limiter, Queue and HTTP call on the path is made to fail in every
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

/** What a request is made with: a registration that has had its mail, and what `before` added. */
interface Situation {
  readonly h: Harness
  readonly browser: Browser
  readonly email: string
  /** Of the newest link: the verification's, unless `before` fetched another. */
  readonly token: string
}

interface RequestUnderTest {
  /** How many calls to D1 it makes when none fails. */
  readonly calls: number
  /** Set-up through the front door; may return the token of another link. */
  readonly before?: (at: Situation) => Promise<string | undefined>
  readonly act: (browser: Browser, at: Pick<Situation, 'email' | 'token'>) => Promise<Answer>
}

const NEW_PASSWORD = 'an entirely new password'

/** Every request that touches D1. */
const REQUESTS: Record<string, RequestUnderTest> = {
  register: { calls: 1, act: (browser) => browser.register(freshAddress()) },
  login: { calls: 2, act: (browser, { email }) => browser.login(email) },
  session: { calls: 1, act: (browser) => browser.session() },
  check: { calls: 1, act: (browser) => browser.get('/auth/check?verified=1') },
  'open the link': {
    calls: 1,
    act: (browser, { token }) => browser.get(`/auth/verify-email?token=${token}`),
  },
  'open the page': {
    calls: 1,
    act: (browser, { token }) => browser.open(`/auth/verify-email?token=${token}`),
  },
  'confirm with the session': { calls: 1, act: (browser, { token }) => browser.confirm(token) },
  'confirm with the password': {
    calls: 2,
    act: (browser, { token }) => browser.confirm(token, PASSWORD),
  },
  'open the link of a new address': {
    calls: 1,
    before: changeOfAddress,
    act: (browser, { token }) => browser.get(`/auth/verify-email?token=${token}`),
  },
  'confirm a new address with the session': {
    calls: 1,
    before: changeOfAddress,
    act: (browser, { token }) => browser.confirm(token),
  },
  'confirm a new address with the password': {
    calls: 2,
    before: changeOfAddress,
    act: (browser, { token }) => browser.confirm(token, PASSWORD),
  },
  'resend, session': { calls: 1, act: (browser) => browser.post('/auth/resend-verification') },
  'resend, public': {
    calls: 1,
    act: (browser, { email }) => browser.post('/auth/resend-verification', { email }),
  },
  'resend, the older envelope': {
    calls: 1,
    act: (browser, { email }) => browser.post('/resend-verification-email', { data: { email } }),
  },
  'forgot password': {
    calls: 1,
    act: (browser, { email }) => browser.post('/auth/forgot-password', { email }),
  },
  'reset password': {
    calls: 2,
    before: async ({ h, browser, email }) => {
      await browser.post('/auth/forgot-password', { email })
      return newestLink(h, email, 'reset-password')
    },
    act: (browser, { token }) =>
      browser.post('/auth/reset-password', { token, password: NEW_PASSWORD }),
  },
  'change password': {
    calls: 2,
    act: (browser) =>
      browser.post('/auth/change-password', {
        current_password: PASSWORD,
        new_password: NEW_PASSWORD,
      }),
  },
  'change the address of a claim': { calls: 2, act: askForNewAddress },
  'change the address of an account': { calls: 2, before: confirmed, act: askForNewAddress },
  'cancel a change of address': {
    calls: 1,
    before: changeOfAddress,
    act: (browser) => browser.send('DELETE', '/auth/change-email'),
  },
  'undo a change of address': {
    calls: 1,
    before: async (at) => {
      await changeOfAddress(at)
      return newestLink(at.h, at.email, 'undo-email-change')
    },
    act: (browser, { token }) => browser.post('/auth/undo-email-change', { token }),
  },
  disown: {
    calls: 1,
    before: ({ h, email }) => newestLink(h, email, 'disown'),
    act: (browser, { token }) => browser.post('/auth/disown', { token }),
  },
  sessions: { calls: 1, act: (browser) => browser.get('/auth/sessions') },
  'revoke a session': {
    calls: 1,
    before: async ({ h, browser, email }) => {
      await h.browser().login(email)
      const { body } = await browser.get('/auth/sessions')
      return body.sessions.find((one: { is_current: boolean }) => !one.is_current).id
    },
    act: (browser, { token: id }) => browser.send('DELETE', `/auth/sessions/${id}`),
  },
  logout: { calls: 1, act: (browser) => browser.send('POST', '/auth/logout') },
  'delete account': {
    calls: 2,
    before: confirmed,
    act: (browser) => browser.send('DELETE', '/auth/account', { json: { password: PASSWORD } }),
  },
  'start page': { calls: 1, act: (browser) => browser.open('/') },
  healthz: { calls: 1, act: (browser) => browser.get('/healthz') },
}

function askForNewAddress(browser: Browser): Promise<Answer> {
  return browser.post('/auth/change-email', { new_email: freshAddress('new'), password: PASSWORD })
}

async function confirmed({ browser, token }: Situation): Promise<undefined> {
  expect((await browser.confirm(token)).body.status).toBe('verified')
}

/** A verified account with a change under way, as far as the link to the new address. */
async function changeOfAddress(at: Situation): Promise<string> {
  await confirmed(at)
  const new_email = freshAddress('new')
  await at.browser.post('/auth/change-email', { new_email, password: PASSWORD })
  return newestLink(at.h, new_email, 'auth/verify-email')
}

async function newestLink(h: Harness, email: string, path: string): Promise<string> {
  await h.deliver()
  const [mail] = await h.mails(email)
  const url = mail?.text.match(new RegExp(`https://\\S+/${path}\\?token=\\S+`))?.[0]
  if (url === undefined) throw new Error(`no link to ${path} in: ${mail?.text}`)
  return new URL(url).searchParams.get('token') ?? ''
}

async function ready(settings: Record<string, string> = {}): Promise<Situation> {
  const h = await createHarness({ ...IMPATIENT, ...settings })
  const browser = h.browser()
  const email = freshAddress()
  await browser.register(email)
  await h.deliver()
  const situation = { h, browser, email, token: linkIn((await h.mails(email))[0]).token }
  h.now += 1000
  return situation
}

async function readyFor({ before }: RequestUnderTest): Promise<Situation> {
  const at = await ready()
  const token = await before?.(at)
  at.h.now += 1000
  return token === undefined ? at : { ...at, token }
}

describe('D1', () => {
  it.each(Object.entries(REQUESTS))(
    '%s succeeds with as many calls as are failed below',
    async (name, request) => {
      const at = await readyFor(request)
      at.h.bindings.resetCounts()
      const answer = await request.act(at.browser, at)
      expect(at.h.bindings.counts.d1).toBe(request.calls)
      // A claim is refused at the gate, which is an answer as well.
      if (name === 'check') expect(answer.status).toBe(403)
      else expect(answer.status).toBeLessThan(300)
    },
  )

  const cases = Object.entries(REQUESTS).flatMap(([name, request]) =>
    FAULTS.flatMap((fault) =>
      Array.from({ length: request.calls }, (_, i) => ({ name, request, fault, nth: i + 1 })),
    ),
  )
  it.each(cases)(
    '$name: call $nth that fails by $fault is 503, and works again after',
    async ({ name, request, fault, nth }) => {
      const at = await readyFor(request)
      const { h, browser } = at
      let calls = 0
      h.bindings.fault = (binding) => (binding === 'd1' && ++calls === nth ? fault : undefined)
      const answer = await request.act(browser, at)
      h.bindings.fault = () => undefined
      expect(answer.status).toBe(503)
      if (name === 'healthz') expect(answer.body.checks.d1).toEqual({ ok: false })
      else {
        expect(answer.headers.get('Retry-After')).toBe('5')
        const type = answer.headers.get('Content-Type') ?? ''
        if (name.endsWith('page')) expect(type).toMatch(/^text\/html/)
        else {
          expect(type).toMatch(/^application\/problem\+json/)
          expect(answer.body).toMatchObject({ ok: false, error: 'unavailable' })
        }
      }

      // A write whose answer was lost has happened: its repetition is answered as such, and never with a 5xx.
      const again = await request.act(browser, at)
      expect(again.status).toBeLessThan(500)
      // What did not happen the first time happens now.
      if (fault !== 'lost' && name !== 'check') expect(again.status).toBeLessThan(300)
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
      const asking = h.browser()
      for (let i = 0; i < 5; i++) await asking.post('/auth/resend-verification', { email })
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

describe('the burst gate fails soft: KV still counts', () => {
  it.each(FAULTS)('a limiter that fails by %s', async (fault) => {
    const { h, email, token } = await ready({ LOGIN_LIMIT_PER_ADDRESS: '3/15m' })
    h.bindings.fault = (binding) => (binding === 'limiter' ? fault : undefined)
    expect((await h.browser().confirm(token, PASSWORD)).body.status).toBe('verified')
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await h.browser().login(email)).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    const reason = expect.stringContaining('rate_limiter')
    expect(h.logs).toContainEqual(expect.objectContaining({ event: 'counter_unavailable', reason }))
  })
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
