import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import { beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../src/deps.ts'
import { rateLimitHeaders, withinLimits } from '../../src/http/rate-limit.ts'
import { createCounters } from '../../src/limits/counters.ts'
import { importHmacKey } from '../../src/signing/key-ring.ts'

let key: CryptoKey
beforeAll(async () => {
  key = await importHmacKey(new Uint8Array(32).fill(1))
})

const policy = { name: 'mail-ip', limit: 2, windowMs: 3_600_000 }

let used = 0
/** An app with one limited route, its clock in the test's hand. */
function setUp() {
  const ip = `203.0.113.${++used}`
  const state = { now: 1_800_000_000_000, handled: 0, logs: [] as unknown[] }
  const deps = {
    counters: createCounters(
      {
        get: (name) => env.KV.get(name),
        put: (name, value, ttl) => env.KV.put(name, value, { expirationTtl: ttl }),
      },
      async () => true,
      key,
      () => state.now,
      (error) => {
        throw error
      },
    ),
    log: createLog(
      () => state.now,
      (line) => state.logs.push(JSON.parse(line)),
    ),
    tally: { refused: () => undefined, writeWhenDue: () => null, take: () => null },
  }
  const app = new Hono().post('/auth/register', (c) =>
    withinLimits(c, deps, [{ policy, value: ip }], async () => {
      state.handled++
      return c.json({ ok: true }, 201)
    }),
  )
  return { state, ip, post: () => app.request('/auth/register', { method: 'POST' }) }
}

describe('a limited route', () => {
  it('S10: answers 429 after the limit, without doing the work', async () => {
    const { post, state } = setUp()
    const statuses = [(await post()).status, (await post()).status, (await post()).status]
    expect(statuses).toEqual([201, 201, 429])
    expect(state.handled).toBe(2)
  })

  it('says in its 429 exactly what was refused and for how long', async () => {
    const { post, state } = setUp()
    await post()
    await post()
    state.now += 1_500
    const response = await post()
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'application/problem+json',
      'retry-after': '3599',
      'ratelimit-policy': '"mail-ip";q=2;w=3600',
      ratelimit: '"mail-ip";r=0;t=3599',
    })
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Too many requests',
      status: 429,
      ok: false,
      error: 'rate_limited',
      detail: 'Try again in 3599 seconds.',
    })
  })

  it('answers again once the time it named has passed, and not a second earlier', async () => {
    const { post, state } = setUp()
    await post()
    await post()
    const wait = Number((await post()).headers.get('Retry-After'))
    state.now += (wait - 1) * 1000
    expect((await post()).status).toBe(429)
    state.now += 1000
    expect((await post()).status).toBe(201)
  })

  it('S14: logs which limit refused, and not whom', async () => {
    const { post, state, ip } = setUp()
    await post()
    await post()
    expect(state.logs).toEqual([])
    await post()
    expect(state.logs).toEqual([
      {
        event: 'request_limited',
        at: new Date(state.now).toISOString(),
        policy: 'mail-ip',
        path: '/auth/register',
      },
    ])
    expect(JSON.stringify(state.logs)).not.toContain(ip)
  })
})

describe('the headers of a limit', () => {
  it.each([
    [60_000, 'w=60'],
    [90_500, 'w=91'],
    [604_800_000, 'w=604800'],
  ])('name a window of %i ms in whole seconds', (windowMs, words) => {
    const verdict = {
      policy: { ...policy, windowMs },
      allowed: false,
      remaining: 0,
      resetSeconds: 7,
    }
    expect(rateLimitHeaders(verdict)['RateLimit-Policy']).toBe(`"mail-ip";q=2;${words}`)
  })
})
