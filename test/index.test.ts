// The Worker's own entry, with the bindings and handlers that wrangler.toml names.
import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
} from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import worker from '../src/index.ts'
import { createHarness, freshAddress } from './support/harness.ts'

const ORIGIN = 'https://auth.testproof.dev'

afterEach(() => vi.restoreAllMocks())

describe('promise 8: bad config never serves', () => {
  const broken = {
    ...env,
    ENVIRONMENT: 'production',
    APP_BASE_URL: 'http://localhost',
    SENDGRID_API_KEY: '',
  }

  it('F14: answers 503 with none of the details, and logs all of them by name', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    const response = await worker.fetch(
      new Request(`${ORIGIN}/auth/session`),
      broken,
      createExecutionContext(),
    )
    expect(response.status).toBe(503)
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject({ ok: false, error: 'misconfigured' })
    for (const detail of ['APP_BASE_URL', 'SENDGRID_API_KEY', 'https'])
      expect(text).not.toContain(detail)
    expect(log).toHaveBeenCalledTimes(1)
    const line = JSON.parse(String(log.mock.calls[0]?.[0]))
    const names = line.problems.map(({ name }: { name: string }) => name)
    expect(names).toEqual(['APP_BASE_URL', 'SENDGRID_API_KEY'])
    const health = await worker.fetch(
      new Request(`${ORIGIN}/healthz`),
      broken,
      createExecutionContext(),
    )
    expect(health.status).toBe(503)
    expect(await health.json()).toEqual({ ok: false, checks: { config: { ok: false } } })
  })

  it('F14: in development the developer reads them in the answer', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const response = await worker.fetch(
      new Request(ORIGIN),
      { ...env, PASSWORD_KEY: 'short' },
      createExecutionContext(),
    )
    const { errors } = await response.json<{ errors: { path: string; message: string }[] }>()
    expect(errors).toEqual([
      { path: 'PASSWORD_KEY', message: 'must be base64url of at least 32 bytes' },
    ])
  })

  it('F14: a developer’s browser gets a page of them', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const request = new Request<unknown, IncomingRequestCfProperties>(ORIGIN, {
      headers: { Accept: 'text/html' },
    })
    const mistaken = { ...env, MAIL_FROM: 'nobody' }
    const response = await worker.fetch(request, mistaken, createExecutionContext())
    expect([response.status, response.headers.get('Content-Type')]).toEqual([
      503,
      'text/html; charset=UTF-8',
    ])
    expect(await response.text()).toContain('<code>MAIL_FROM</code> must look like')
  })

  it('promise 1: keeps the mail in D1, for the sweeper, and not in a Queue that would call it dead', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const batch = createMessageBatch('mailproof-mail', [
      { id: '1', timestamp: new Date(), attempts: 1, body: { id: 'x' } },
    ])
    await worker.queue(batch, broken)
    const result = await getQueueResult(batch, createExecutionContext())
    expect([result.ackAll, result.retryBatch.retry]).toEqual([true, false])
    const events = createMessageBatch('mailproof-email-events', [
      { id: '2', timestamp: new Date(), attempts: 1, body: {} },
    ])
    await worker.queue(events, broken)
    const kept = await getQueueResult(events, createExecutionContext())
    expect([kept.ackAll, kept.retryBatch.retry]).toEqual([false, true])
  })

  it('sweeps nothing: the cron leaves D1 and the Queue alone', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const { h, rows } = await lostAndStale()
    const before = await rows()
    h.bindings.resetCounts()
    const { DB, KV, MAIL_QUEUE } = h.bindings
    await worker.scheduled(createScheduledController(), { ...broken, DB, KV, MAIL_QUEUE })
    expect(h.bindings.counts).toMatchObject({ d1: 0, kvReads: 0, kvWrites: 0, queueSends: 0 })
    expect(h.bindings.queued).toEqual([])
    expect(await rows()).toEqual(before)
  })
})

describe('the Worker', () => {
  it('serves over its own fetch handler, and the mailbox only in development', async () => {
    expect((await exports.default.fetch(`${ORIGIN}/healthz`)).status).toBe(200)
    expect((await exports.default.fetch(`${ORIGIN}/dev/mailbox.json`)).status).toBe(200)
    const production = {
      ...env,
      ENVIRONMENT: 'production',
      SENDGRID_BASE_URL: 'https://api.sendgrid.com',
    }
    for (const path of ['/dev/mailbox', '/dev/mailbox.json', '/dev/v3/mail/send']) {
      for (const method of ['GET', 'POST']) {
        const request = new Request<unknown, IncomingRequestCfProperties>(ORIGIN + path, { method })
        const response = await worker.fetch(request, production, createExecutionContext())
        expect(response.status).toBe(404)
      }
    }
  })

  it('consumes the Queue and the dead-letter queue by their names', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const h = await createHarness()
    h.now = Date.now() - 120_000
    await h.browser().register(freshAddress())
    await h.browser().register(freshAddress())
    const [sent = '', dead = ''] = h.bindings.queued.splice(0)
    const requests: Request[] = []
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
      requests.push(new Request(input as Request))
      return new Response(null, { status: 202 })
    })
    const message = (id: string) => ({
      id: '1',
      timestamp: new Date(),
      attempts: 1,
      body: { id },
    })
    await worker.queue(createMessageBatch('mailproof-mail', [message(sent)]), env)
    expect(requests.map(({ url }) => url)).toEqual([`${ORIGIN}/dev/v3/mail/send`])
    await worker.queue(createMessageBatch('mailproof-mail-dead', [message(dead)]), env)
    expect(requests).toHaveLength(1)

    const rows = await h.rows<{ id: string; state: string }>('select id, state from messages')
    expect(new Map(rows.map(({ id, state }) => [id, state]))).toEqual(
      new Map([
        [sent, 'sent'],
        [dead, 'failed'],
      ]),
    )
  })

  it('sweeps by cron: a lost mail is enqueued again, a stale claim is gone', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const { h, lost, fresh, rows } = await lostAndStale()
    const { MAIL_QUEUE } = h.bindings
    await worker.scheduled(createScheduledController(), { ...env, MAIL_QUEUE })
    expect(h.bindings.queueBodies.slice(-1)).toEqual([{ id: lost }])
    expect(h.bindings.queued).toEqual([lost])
    expect((await rows()).users).toEqual([{ email: fresh }])
    await worker.scheduled(createScheduledController(), { ...env, MAIL_QUEUE })
    expect(h.bindings.queued).toEqual([lost])
  })

  it('logs a cron that failed, and does not throw', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    const h = await createHarness()
    h.bindings.fault = () => 'throw'
    await worker.scheduled(createScheduledController(), { ...env, DB: h.bindings.DB })
    expect(log.mock.calls.map(([line]) => JSON.parse(String(line)))).toEqual([
      expect.objectContaining({ event: 'outage', path: 'cron sweep' }),
      expect.objectContaining({ event: 'outage', path: 'cron prune' }),
      expect.objectContaining({ event: 'outage', path: 'cron rollUp' }),
    ])
  })
})

/** A mail that the Queue lost two minutes ago, of a claim that stays, and a claim of eight days ago. */
async function lostAndStale() {
  const h = await createHarness()
  h.now = Date.now() - 8 * 86_400_000
  await h.browser().register(freshAddress('stale'))
  await h.rows("update messages set state = 'sent'")
  h.now = Date.now() - 120_000
  const fresh = freshAddress('fresh')
  await h.browser().register(fresh)
  const [, lost = ''] = h.bindings.queued.splice(0)
  const rows = async () => ({
    users: await h.rows('select email from users order by id'),
    messages: await h.rows('select id, state, lease_until from messages order by id'),
  })
  return { h, lost, fresh, rows }
}
