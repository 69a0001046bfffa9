import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS } from '../../src/figures/metrics.ts'
import { rollUp } from '../../src/figures/rollup.ts'
import type { Answer } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'
import { wholeScans } from '../support/query-plans.ts'

const ADMIN_TOKEN = 'a-token-for-the-desk-of-these-tests-0123'
const AUTHORIZATION = { Authorization: `Bearer ${ADMIN_TOKEN}` }
const harness = (settings: Record<string, string> = {}) =>
  createHarness({ ADMIN_TOKEN, ...settings })

const json = (h: Harness, query = ''): Promise<Answer> =>
  h.browser().get(`/admin/figures${query}`, AUTHORIZATION)
const page = (h: Harness, query = ''): Promise<Answer> =>
  h.browser().get(`/admin/figures${query}`, { ...AUTHORIZATION, Accept: 'text/html' })

type Row = readonly [hour: number, metric: string, dimension: string, count: number]
async function addFigures(h: Harness, rows: readonly Row[]): Promise<void> {
  await h.rows(
    `insert into figures select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?)`,
    JSON.stringify(rows),
  )
}

describe('F5, F7: the figures', () => {
  it('show a day’s history as it went through the front door, after one run of the cron', async () => {
    const h = await harness()
    const email = freshAddress()
    const ada = h.browser()
    await ada.register(email)
    await h.browser().register(freshAddress())
    h.now += 4_000
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    await ada.open(`/auth/verify-email?token=${token}`)
    h.now += 80_000
    await ada.confirm(token)
    await rollUp(h.deps)
    h.bindings.resetCounts()
    const { status, body, headers } = await json(h)
    expect(status).toBe(200)
    expect(headers.get('Vary')).toContain('Accept')
    expect(h.bindings.counts.d1).toBe(1)
    expect(body).toMatchObject({
      ok: true,
      by: 'hour',
      funnel: { registered: 2, accepted: 2, delivered: 0, opened: 1, verified: 1 },
      time_to_verify: { total: 1, median_within_ms: 120_000, p90_within_ms: 120_000 },
      queue_age: { total: 2, median_within_ms: 5_000, longest_ms: 4_000 },
      mails_by_provider: [{ name: 'sendgrid', count: 2 }],
      bounces_by_domain: [],
      limits: { mails_withheld: 0, requests_refused_at_least: [] },
    })
    expect(body.periods).toHaveLength(48)
    expect(body.periods.at(-1)).toEqual({
      at: '2026-11-02T12:00:00.000Z',
      registered: 2,
      accepted: 2,
      delivered: 0,
      opened: 1,
      verified: 1,
    })

    const { text } = await page(h)
    expect(text).toContain('2 registered; 1 of them (50%) are verified.')
    expect(text).toContain(
      'Half of those who verified did so within 2 minutes after registering, nine of ten within 2 minutes.',
    )
    expect(text).toContain('The longest wait was 4 seconds.')
  })

  it('take the hours of a period and no others, and put them into their days', async () => {
    const h = await harness()
    const hour = h.now
    const firstHour = hour - 47 * HOUR_MS
    const firstDay = Date.UTC(2026, 9, 4)
    await addFigures(h, [
      [hour, 'registered', '', 1],
      [firstHour, 'registered', '', 10],
      [firstHour - HOUR_MS, 'registered', '', 100],
      [firstDay, 'registered', '', 1000],
      [firstDay + HOUR_MS, 'registered', '', 2000],
      [firstDay - HOUR_MS, 'registered', '', 10_000],
    ])
    const hours = (await json(h, '?by=hour')).body
    expect(hours.from).toBe(new Date(firstHour).toISOString())
    expect(hours.funnel.registered).toBe(11)
    expect([hours.periods[0].registered, hours.periods[47].registered]).toEqual([10, 1])

    const days = (await json(h, '?by=day')).body
    expect(days.periods).toHaveLength(30)
    expect(days.funnel.registered).toBe(3111)
    expect(days.periods[0]).toMatchObject({ at: '2026-10-04T00:00:00.000Z', registered: 3000 })
    expect(
      days.periods.slice(27).map(({ registered }: { registered: number }) => registered),
    ).toEqual([110, 0, 1])
  })

  it('add counts up, but of the longest waits take the longest', async () => {
    const h = await harness()
    await addFigures(h, [
      [h.now, 'queue_age', '1000', 3],
      [h.now - HOUR_MS, 'queue_age', '1000', 4],
      [h.now - HOUR_MS, 'queue_age', 'longer', 1],
      [h.now, 'queue_age_max', '', 900],
      [h.now - HOUR_MS, 'queue_age_max', '', 9_000_000],
      [h.now, 'refused', 'mail-ip', 5],
      [h.now - HOUR_MS, 'refused', 'mail-ip', 6],
      [h.now, 'refused', 'login-ip', 20],
      [h.now, 'withheld', '', 2],
    ])
    const { body } = await json(h)
    expect(body.queue_age).toMatchObject({ total: 8, p90_within_ms: null, longest_ms: 9_000_000 })
    expect(body.queue_age.buckets.at(-1)).toEqual({ up_to_ms: null, count: 1 })
    expect(body.limits).toEqual({
      mails_withheld: 2,
      requests_refused_at_least: [
        { name: 'login-ip', count: 20 },
        { name: 'mail-ip', count: 11 },
      ],
    })
    const { text } = await page(h)
    expect(text).toContain('nine of ten more than 2 hours')
    expect(text).toContain('at least 11')
  })

  it('name the ten domains with the most, and put the others into one', async () => {
    const h = await harness()
    const names = Array.from({ length: 13 }, (_, nth) => `d${nth}.example`)
    await addFigures(h, [
      ...names.map((name, nth): Row => [h.now, 'bounced', name, 20 - nth]),
      [h.now, 'bounced', '', 500],
      [h.now - HOUR_MS, 'complained', 'd12.example', 30],
      [h.now, 'complained', '', 1],
    ])
    const { bounces_by_domain: bounces } = (await json(h)).body
    expect(bounces).toHaveLength(11)
    expect(bounces[0]).toEqual({ domain: 'd12.example', bounced: 8, complained: 30 })
    expect(bounces[1]).toEqual({ domain: 'd0.example', bounced: 20, complained: 0 })
    expect(bounces.at(-1)).toEqual({ domain: null, bounced: 500 + 9 + 10 + 11, complained: 1 })
  })

  it('are for the desk alone, and change nothing', async () => {
    const h = await harness()
    expect((await h.browser().get('/admin/figures')).status).toBe(401)
    expect((await h.browser().get('/admin/figures/charts.css')).status).toBe(401)
    const closed = await createHarness()
    expect((await closed.browser().get('/admin/figures', AUTHORIZATION)).status).toBe(404)
    expect(
      (await h.browser().send('POST', '/admin/figures', { headers: AUTHORIZATION })).status,
    ).toBe(405)
  })

  it('walk through no whole table', async () => {
    const h = await harness()
    expect(await wholeScans(h, () => json(h))).toEqual({ judged: 3, scans: [] })
    expect(await wholeScans(h, () => json(h, '?by=day'))).toEqual({ judged: 0, scans: [] })
  })

  it('answer 503 where D1 does not', async () => {
    const h = await harness()
    h.bindings.fault = (binding) => (binding === 'd1' ? 'throw' : undefined)
    expect((await json(h)).status).toBe(503)
  })
})

describe('the page of figures', () => {
  it('says so where there is nothing yet, and that deliveries are unknown without a webhook', async () => {
    const h = await harness()
    for (const query of ['', '?by=day', '?by=nonsense']) {
      const { status, text } = await page(h, query)
      expect(status).toBe(200)
      expect(text).toContain('Nobody registered.')
      expect(text).toContain('Nobody verified.')
      expect(text).toContain('no provider’s webhook is set up')
      expect(text).not.toContain('NaN')
    }
  })

  it('says nothing of missing webhooks where there is one', async () => {
    const h = await harness({ SENDGRID_WEBHOOK_KEYS: `${'A'.repeat(120)}==` })
    const { text } = await page(h)
    expect(text).not.toContain('webhook')
    expect(text).toContain('No mail bounced and nobody complained.')
  })

  it('gives every chart a name, a description, ids of its own, and a table with its numbers', async () => {
    const h = await harness()
    await addFigures(h, [
      ...['registered', 'accepted', 'delivered', 'opened', 'verified'].map(
        (metric, nth): Row => [h.now - DAY_MS, metric, '', 12_345 - nth * 1000],
      ),
      [h.now, 'time_to_verify', '60000', 7],
      [h.now, 'queue_age', '1000', 7],
      [h.now, 'bounced', 'example.org', 3],
      [h.now, 'complained', 'example.org', 1],
      [h.now, 'refused', 'mail-ip', 9],
      [h.now, 'provider', 'sendgrid', 7],
      [h.now, 'mail_state', 'sent', 7],
    ])
    for (const query of ['?by=hour', '?by=day']) {
      const { text } = await page(h, query)
      const charts = [...text.matchAll(/<svg[^>]*role="img"[^>]*>[\s\S]*?<\/svg>/g)].map(
        ([svg]) => svg,
      )
      expect(charts).toHaveLength(8)
      for (const svg of charts) {
        const [, title = '', desc = ''] = /aria-labelledby="(\S+) (\S+)"/.exec(svg) ?? []
        expect(svg).toContain(`<title id="${title}">`)
        expect(svg).toContain(`<desc id="${desc}">`)
      }
      const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
      expect(new Set(ids).size).toBe(ids.length)
      expect(text.match(/<table/g)).toHaveLength(8)
      expect(text).toContain('>12,345<')
      // Styles and scripts of its own would be refused by the policy that it is sent with.
      expect(text).not.toMatch(/<script| style=|<style/)
    }
    const css = await h.browser().get('/admin/figures/charts.css', AUTHORIZATION)
    expect(css.headers.get('Content-Type')).toContain('text/css')
  })

  it('F12: takes a domain for text, whatever is in it', async () => {
    const h = await harness()
    await addFigures(h, [[h.now, 'bounced', '<b>"&\'.example', 3]])
    const { text } = await page(h)
    expect(text).not.toContain('<b>')
    expect(text).toContain('&lt;b&gt;')
  })
})
