// What an operator's monitor sees of the mail: whether it moves, and what ended as a failure.
import { describe, expect, it } from 'vitest'
import { createHarness, freshAddress, type Harness } from '../support/harness.ts'
import { seedMails } from '../support/seed-mails.ts'

const MINUTE = 60_000

async function health(h: Harness) {
  const { status, body } = await h.browser().get('/healthz')
  return { status, body }
}

describe('S15: /healthz', () => {
  it('is 200 where nothing waits', async () => {
    const h = await createHarness()
    expect(await health(h)).toEqual({
      status: 200,
      body: {
        ok: true,
        checks: {
          config: { ok: true },
          d1: { ok: true },
          oldest_queued_mail: { ok: true, seconds: 0 },
          cron: { ok: true, seconds: 0 },
          dead_letters: { ok: true, count: 0 },
          stalled_mail: { ok: true, count: 0 },
          mail_providers: { ok: true, down: [] },
        },
      },
    })
  })

  it('is 503 when a mail has been due for more than 15 minutes, and 200 again once it is sent', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    h.now += 15 * MINUTE
    // A later mail does not hide the older one.
    await h.browser().register(freshAddress())
    expect(await health(h)).toMatchObject({
      status: 200,
      body: { ok: true, checks: { oldest_queued_mail: { ok: true, seconds: 900 } } },
    })
    h.now += 1000
    expect(await health(h)).toMatchObject({
      status: 503,
      body: { ok: false, checks: { oldest_queued_mail: { ok: false, seconds: 901 } } },
    })
    await h.deliver()
    expect(await health(h)).toMatchObject({
      status: 200,
      body: { ok: true, checks: { oldest_queued_mail: { ok: true, seconds: 0 } } },
    })
  })

  it('says how far the cron is behind, and reads a bounded number of mails however far that is', async () => {
    const h = await createHarness()
    await seedMails(h, 3000)
    await h.rows("update messages set state = 'sent', settled_at = ?", h.now)
    const cron = async () => (await health(h)).body.checks.cron
    h.now += 5 * MINUTE
    expect(await cron()).toEqual({ ok: true, seconds: 300 })
    h.now += 1000
    h.bindings.resetCounts()
    expect(await health(h)).toMatchObject({
      status: 200,
      body: { checks: { cron: { ok: false, seconds: 301 } } },
    })
    expect(h.bindings.counts.rowsRead).toBeLessThan(1100)
    await h.sweep()
    expect(await cron()).toEqual({ ok: true, seconds: 0 })
  })

  it('sees a mail of a few seconds ago, before the cron comes to it, and the same mail after that', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    await h.deliver()
    h.now += 5 * MINUTE
    await h.sweep()
    await h.browser().register(freshAddress())
    const seconds = async () => (await health(h)).body.checks.oldest_queued_mail.seconds
    h.now += 5000
    expect(await seconds()).toBe(5)
    h.now += 55_000
    expect(await seconds()).toBe(60)
    await h.sweep()
    expect(await seconds()).toBe(60)
    await h.deliver()
    expect(await seconds()).toBe(0)
  })

  it('is 503 for a mail of long ago where the cron never ran, behind others that were sent or wait for their time', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    await h.deliver()
    await h.browser().register(freshAddress())
    h.network = async () => new Response(null, { status: 429, headers: { 'Retry-After': '86400' } })
    await h.deliver()
    h.now += MINUTE
    await h.browser().register(freshAddress())
    h.now += 20 * MINUTE
    expect(await h.rows('select name from cursors')).toEqual([])
    expect(await health(h)).toMatchObject({
      status: 503,
      body: { checks: { oldest_queued_mail: { ok: false, seconds: 21 * 60 } } },
    })
  })

  it('S3: a mail held until tomorrow is not counted as one that waits, whether the cron has come to it or not', async () => {
    const h = await createHarness({ MAIL_DAILY_CAP: '1' })
    for (const _ of [1, 2]) await h.browser().register(freshAddress())
    await h.deliver()
    h.now += 5000
    for (let minute = 0; minute < 3; minute++) {
      expect(await health(h)).toMatchObject({
        status: 200,
        body: { checks: { oldest_queued_mail: { seconds: 0 }, daily_cap: { ok: false } } },
      })
      h.now += MINUTE
      await h.sweep()
    }
  })

  it('is 503 for a mail that a consumer claimed and never finished', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    let calls = 0
    h.bindings.fault = (binding) => (binding === 'd1' && ++calls > 1 ? 'throw' : undefined)
    await h.deliver()
    h.bindings.fault = () => undefined
    expect(await h.rows('select state from messages')).toEqual([{ state: 'sending' }])
    h.now += 16 * MINUTE
    expect((await health(h)).status).toBe(503)
  })

  it('is 200 while a mail that fails again and again waits for its next attempt, 503 when that is overdue', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    h.network = async () => new Response(null, { status: 429, headers: { 'Retry-After': '840' } })
    await h.deliver()
    h.now += 14 * MINUTE - 1
    expect(await health(h)).toMatchObject({
      status: 200,
      body: {
        checks: {
          oldest_queued_mail: { ok: true, seconds: 839 },
          mail_providers: { ok: false, down: ['sendgrid'] },
        },
      },
    })
    h.now += 15 * MINUTE + 1001
    expect(await health(h)).toMatchObject({
      status: 503,
      body: { checks: { oldest_queued_mail: { ok: false } } },
    })
  })

  it('is 503 when no provider has been left to send by for more than 15 minutes', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    h.network = async () => new Response(null, { status: 429, headers: { 'Retry-After': '7200' } })
    await h.deliver()
    h.now += 15 * MINUTE
    expect((await health(h)).status).toBe(200)
    h.now += 1000
    const { status, body } = await health(h)
    expect([status, body.ok, body.checks.mail_providers.ok]).toEqual([503, false, false])
  })

  it('S3: counts refused mails and dead letters, says so, and stays 200: mail still moves', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    h.network = async () => new Response('{}', { status: 400 })
    await h.deliver()
    await h.browser().register(freshAddress())
    await h.deliverDead(h.bindings.queued.splice(0))
    await h.browser().register(freshAddress())
    h.network = (request, pass) => pass(request)
    await h.deliver()
    expect(await health(h)).toMatchObject({
      status: 200,
      body: { ok: true, checks: { dead_letters: { ok: false, count: 2 } } },
    })
  })
})
