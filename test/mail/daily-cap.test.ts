import { describe, expect, it } from 'vitest'
import { FakeMailApi } from '../support/fake-mail-api.ts'
import type { Harness } from '../support/harness.ts'
import { harnessWith, mailRows, seedMails } from '../support/seed-mails.ts'

const DAY_MS = 24 * 60 * 60_000
const MIDNIGHT = Date.UTC(2026, 10, 3)

async function capped(cap: number, name: 'sendgrid' | 'resend' = 'sendgrid') {
  const api = new FakeMailApi(name)
  return { api, h: await harnessWith([api], { MAIL_DAILY_CAP: String(cap) }) }
}

const counts = (h: Harness) => h.rows('select day, count from daily_sends order by day')
const has = (api: FakeMailApi, ids: readonly string[]) => ids.map((id) => api.copies.has(id))

describe('MAIL_DAILY_CAP', () => {
  it('is exact, however many consumers run at once', async () => {
    const { api, h } = await capped(30)
    const ids = await seedMails(h, 100, { kind: 'reset_password' })
    const parts = Array.from({ length: 10 }, (_, i) => ids.slice(i * 10, i * 10 + 10))
    const results = await Promise.all(parts.map((part) => h.deliver({ ids: part })))
    expect(api.copies.size).toBe(30)
    expect(await counts(h)).toEqual([{ day: '2026-11-02', count: 30 }])
    expect(results.flatMap(({ retried }) => retried)).toHaveLength(70)
    // The oldest went.
    expect(has(api, ids)).toEqual(ids.map((_, i) => i < 30))
    expect(await mailRows(h, ids.slice(30))).toMatchObject(
      ids.slice(30).map(() => ({
        state: 'queued',
        attempts: 0,
        error: 'daily_cap',
        not_before: MIDNIGHT,
      })),
    )
    expect(h.logs).toContainEqual(expect.objectContaining({ event: 'daily_cap_reached' }))
    const held = await h.rows("select detail from events where type = 'mail_deferred'")
    expect(held).toEqual(Array(70).fill({ detail: 'daily_cap' }))
  })

  it('keeps a fifth for accounts: made-up sign-ups cannot use the day up', async () => {
    const { api, h } = await capped(10)
    const claims = await seedMails(h, 30)
    await h.deliver({ ids: claims })
    expect(has(api, claims).filter(Boolean)).toHaveLength(8)
    const resets = await seedMails(h, 3, { kind: 'reset_password', createdAt: h.now + 1000 })
    h.now += 2000
    await h.deliver({ ids: [...claims, ...resets] })
    expect(has(api, resets)).toEqual([true, true, false])
    expect(has(api, claims).filter(Boolean)).toHaveLength(8)
  })

  it('what waits goes out the next day, in its order, before any newcomer', async () => {
    const { api, h } = await capped(3)
    const yesterday = await seedMails(h, 8)
    await h.deliver({ ids: yesterday })
    expect(has(api, yesterday).filter(Boolean)).toHaveLength(3)
    h.now = MIDNIGHT - 1000
    await h.deliver({ ids: yesterday })
    expect(api.copies.size).toBe(3)
    h.now = MIDNIGHT
    const newcomers = await seedMails(h, 2)
    await h.deliver({ ids: newcomers })
    expect(has(api, newcomers)).toEqual([false, false])
    await h.deliver({ ids: yesterday.slice(3).reverse() })
    expect(has(api, yesterday)).toEqual([...Array(6).fill(true), false, false])
    h.now += DAY_MS
    await h.deliver({ ids: [...newcomers, ...yesterday] })
    expect(has(api, [...yesterday, ...newcomers])).toEqual([...Array(9).fill(true), false])
    expect(await counts(h)).toEqual([
      { day: '2026-11-02', count: 3 },
      { day: '2026-11-03', count: 3 },
      { day: '2026-11-04', count: 3 },
    ])
  })

  it('the sweeper finds what waited, when the day has come', async () => {
    const { api, h } = await capped(1)
    const ids = await seedMails(h, 2)
    await h.deliver({ ids })
    h.now = MIDNIGHT - 1000
    expect((await h.sweep()).enqueued).toBe(0)
    h.now = MIDNIGHT + 60_000
    expect((await h.sweep()).enqueued).toBe(1)
    await h.deliver()
    expect(has(api, ids)).toEqual([true, true])
  })

  it('links go before notices, however old', async () => {
    const { api, h } = await capped(2)
    const notices = await seedMails(h, 2, {
      kind: 'password_changed_notice',
      createdAt: h.now - 9e6,
    })
    const links = await seedMails(h, 2)
    // What waits for more than a minute is ranked, whichever batch brings it.
    h.now += 61_000
    await h.sweep()
    await h.deliver({ ids: notices })
    await h.deliver({ ids: links })
    expect([has(api, notices), has(api, links)]).toEqual([
      [false, false],
      [true, true],
    ])
  })

  it('a mail that was not handed over after all gives its place back', async () => {
    const { api, h } = await capped(3)
    const [suppressed = '', gone = '', refused = '', ...rest] = await seedMails(h, 5)
    await h.rows(
      `insert into suppressions (email, reason, created_at)
        select to_email, 'complaint', 1 from messages where id = ?`,
      suppressed,
    )
    await h.rows('delete from users where id = (select user_id from messages where id = ?)', gone)
    api.behaviour = (_nth, { ids }) => (ids.includes(refused) ? { status: 400 } : 'ok')
    await h.deliver({ ids: [suppressed, gone, refused] })
    expect(await counts(h)).toEqual([{ day: '2026-11-02', count: 0 }])
    await h.deliver({ ids: rest })
    expect(has(api, rest)).toEqual([true, true])
    expect(await counts(h)).toEqual([{ day: '2026-11-02', count: 2 }])
  })

  it.each([429, 500])(
    'a provider that answers %i: only what it may have taken keeps its place',
    async (status) => {
      const { api, h } = await capped(2)
      const ids = await seedMails(h, 2)
      api.behaviour = () => ({ status })
      await h.deliver({ ids })
      expect(await counts(h)).toEqual([{ day: '2026-11-02', count: status === 500 ? 2 : 0 }])
    },
  )

  it('a place given back serves a mail that was held already', async () => {
    const { api, h } = await capped(2)
    const ids = await seedMails(h, 4)
    api.behaviour = () => ({ status: 429, retryAfter: 60 })
    await h.deliver({ ids })
    expect(await counts(h)).toEqual([{ day: '2026-11-02', count: 0 }])
    api.behaviour = () => 'ok'
    h.now += 61_000
    await h.sweep()
    // The Queue delays by 12 hours at most, so a held mail is looked at before its day has come.
    await h.deliver({ ids: ids.slice(2) })
    expect(has(api, ids.slice(2))).toEqual([false, false])
    await h.deliver({ ids: ids.slice(0, 2) })
    expect(has(api, ids)).toEqual([true, true, false, false])
    expect(await counts(h)).toEqual([{ day: '2026-11-02', count: 2 }])
  })

  it('giving back twice gives back once: a record whose answer was lost', async () => {
    const { api, h } = await capped(5)
    const [first, ...rest] = await seedMails(h, 3)
    await h.deliver({ ids: rest })
    api.behaviour = () => ({ status: 400 })
    let calls = 0
    h.bindings.fault = (binding) => (binding === 'd1' && ++calls === 2 ? 'lost' : undefined)
    await h.deliver({ ids: [first ?? ''] })
    expect(calls).toBe(3)
    expect(await counts(h)).toEqual([{ day: '2026-11-02', count: 2 }])
  })

  it('a repeated call takes no second place on its day', async () => {
    const { api, h } = await capped(4, 'resend')
    const ids = await seedMails(h, 3)
    api.behaviour = (nth) => (nth < 3 ? 'answer_lost' : 'ok')
    for (let i = 0; i < 3; i++) {
      await h.deliver({ ids })
      h.now += 120_000
      // Due, and nobody to ask: what may have gone out already keeps its place.
      await h.rows('update provider_outages set down_until = ?', h.now + 1)
      await h.deliver({ ids })
      h.now += 1
    }
    expect(api.calls).toHaveLength(3)
    expect(await counts(h)).toEqual([{ day: '2026-11-02', count: 3 }])
    const later = await seedMails(h, 2)
    await h.deliver({ ids: later })
    expect(has(api, [...ids, ...later])).toEqual([true, true, true, true, false])
  })

  it('without a cap nothing is counted', async () => {
    const api = new FakeMailApi('sendgrid')
    const h = await harnessWith([api])
    await h.deliver({ ids: await seedMails(h, 3) })
    expect(await counts(h)).toEqual([])
  })
})
