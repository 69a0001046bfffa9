import { describe, expect, it } from 'vitest'
import { type Behaviour, FakeMailApi } from '../support/fake-mail-api.ts'
import { createHarness, freshAddress, type Harness } from '../support/harness.ts'
import { harnessWith, mailRows, seedMails } from '../support/seed-mails.ts'
import { mailTimeline } from '../support/timelines.ts'

const timeline = async (h: Harness, id: string) =>
  (await mailTimeline(h, id)).map(({ at: _, ...entry }) => entry)

const outages = (h: Harness) =>
  h.rows<{ provider: string; failures: number; down_until: number }>(
    'select provider, failures, down_until from provider_outages order by provider',
  )

async function two(first: Behaviour, options: ConstructorParameters<typeof FakeMailApi>[1] = {}) {
  const a = new FakeMailApi('sendgrid', options)
  const b = new FakeMailApi('postmark')
  a.behaviour = () => first
  return { a, b, h: await harnessWith([a, b]) }
}

describe('failover', () => {
  const failures: [string, Behaviour, string, number][] = [
    ['503', { status: 503 }, '503', 30],
    ['429', { status: 429, retryAfter: 7 }, '429', 7],
    ['a quota that is used up until tomorrow', { status: 429, retryAfter: 36_000 }, '429', 36_000],
    ['a reset time that is nonsense', { status: 429, retryAfter: 9e8 }, '429', 43_200],
    ['500', { status: 500 }, '500', 30],
    ['silence', 'call_lost', 'no answer', 30],
    ['401', { status: 401 }, '401', 30],
  ]
  it.each(failures)(
    'on %s the next provider sends in the same run, and the ledger says who did what',
    async (_what, behaviour, reason, seconds) => {
      const { a, b, h } = await two(behaviour)
      const ids = await seedMails(h, 3)
      expect((await h.deliver({ ids })).acked.sort()).toEqual(ids)
      expect([a.calls.length, b.calls.length]).toEqual([1, 1])
      expect([...b.copies.values()]).toEqual([1, 1, 1])
      for (const row of await mailRows(h, ids)) {
        expect(row).toMatchObject({
          state: 'sent',
          attempts: 1,
          provider: 'postmark',
          provider_message_id: `p-${row.id}`,
        })
        expect(await timeline(h, row.id)).toEqual([
          { type: 'mail_deferred', provider: 'sendgrid', detail: reason },
          { type: 'mail_accepted', provider: 'postmark', detail: `p-${row.id}` },
        ])
      }
      expect(await outages(h)).toEqual([
        { provider: 'sendgrid', failures: 1, down_until: h.now + seconds * 1000 },
      ])
      expect(h.logs).toContainEqual(
        expect.objectContaining({ event: 'provider_down', provider: 'sendgrid', reason }),
      )

      // While it is down nobody calls it, and nothing is written about it.
      h.now += seconds * 1000 - 1
      await h.deliver({ ids: await seedMails(h, 2) })
      expect([a.calls.length, b.calls.length]).toEqual([1, 2])
      // Then it is the first again.
      h.now += 1
      a.behaviour = () => 'ok'
      await h.deliver({ ids: await seedMails(h, 2) })
      expect([a.calls.length, b.calls.length]).toEqual([2, 2])
      expect(await outages(h)).toEqual([])
      expect(h.logs).toContainEqual(
        expect.objectContaining({ event: 'provider_recovered', provider: 'sendgrid' }),
      )
    },
  )

  it('a provider that keeps failing is left alone for longer and longer, up to ten minutes', async () => {
    const { a, h } = await two({ status: 503 })
    const pauses: number[] = []
    for (let i = 0; i < 7; i++) {
      await h.deliver({ ids: await seedMails(h, 1) })
      const [{ down_until } = { down_until: 0 }] = await outages(h)
      pauses.push((down_until - h.now) / 1000)
      h.now = down_until
    }
    expect(pauses).toEqual([30, 60, 120, 240, 480, 600, 600])
    expect(a.calls).toHaveLength(7)
  })

  it('in the middle of a batch: what was accepted stays accepted, the rest goes elsewhere', async () => {
    const { a, b, h } = await two('ok', { maxBatch: 2, maxConcurrentCalls: 1 })
    a.behaviour = (nth) => (nth <= 2 ? 'ok' : { status: 429 })
    const ids = await seedMails(h, 10)
    await h.deliver({ ids })
    expect([a.calls.length, b.calls.length]).toEqual([3, 1])
    expect((await mailRows(h, ids)).map(({ provider }) => provider)).toEqual([
      ...Array(4).fill('sendgrid'),
      ...Array(6).fill('postmark'),
    ])
    // Those that were never tried with the first have nothing to say about it.
    expect(await timeline(h, ids[9] ?? '')).toHaveLength(1)
    expect(await timeline(h, ids[4] ?? '')).toHaveLength(2)
  })

  it('a mail that is itself refused does not wander', async () => {
    const { b, h } = await two({ status: 400 })
    const ids = await seedMails(h, 1)
    await h.deliver({ ids })
    expect(await mailRows(h, ids)).toMatchObject([
      { state: 'failed', provider: 'sendgrid', error: '400' },
    ])
    expect(b.calls).toHaveLength(0)
    expect(await outages(h)).toEqual([])
  })

  it('all down: nobody is called until the first may be asked again, and no attempt is lost', async () => {
    const { a, b, h } = await two({ status: 429, retryAfter: 300 })
    b.behaviour = () => ({ status: 503, retryAfter: 120 })
    const tried = await seedMails(h, 2)
    expect((await h.deliver({ ids: tried })).retried.sort()).toEqual(tried)
    for (const row of await mailRows(h, tried)) {
      expect(row).toMatchObject({ state: 'queued', attempts: 1, not_before: h.now + 120_000 })
      expect(await timeline(h, row.id)).toEqual([
        { type: 'mail_deferred', provider: 'sendgrid', detail: '429' },
        { type: 'mail_deferred', provider: 'postmark', detail: '503' },
      ])
    }
    const back = h.now + 120_000
    h.now += 60_000
    const later = await seedMails(h, 2)
    expect((await h.deliver({ ids: later })).retried.sort()).toEqual(later)
    expect([a.calls.length, b.calls.length]).toEqual([1, 1])
    expect(await mailRows(h, later)).toMatchObject(
      later.map(() => ({ state: 'queued', attempts: 0, not_before: back })),
    )
    h.now = back
    b.behaviour = () => 'ok'
    expect((await h.deliver({ ids: [...tried, ...later] })).acked).toHaveLength(4)
    expect([a.calls.length, b.calls.length]).toEqual([1, 2])
  })

  it('one call finds out whether a provider is back, however many consumers wait for it', async () => {
    const { a, b, h } = await two({ status: 503 })
    await h.deliver({ ids: await seedMails(h, 1) })
    h.now += 30_000
    let inFlight = 0
    a.behaviour = async () => {
      inFlight++
      while (b.calls.length < 3) await scheduler.wait(1)
      return { status: 503 }
    }
    const batches = [await seedMails(h, 3), await seedMails(h, 3), await seedMails(h, 3)]
    await Promise.all(batches.map((ids) => h.deliver({ ids })))
    expect(inFlight).toBe(1)
    expect([...b.copies.values()].every((copies) => copies === 1)).toBe(true)
    expect(b.copies.size).toBe(10)
  })

  it('one call of a batch goes first where nobody knows whether the provider is back', async () => {
    const a = new FakeMailApi('sendgrid', { maxBatch: 1 })
    const h = await harnessWith([a])
    a.behaviour = () => ({ status: 503 })
    await h.deliver({ ids: await seedMails(h, 1) })
    h.now += 60_000
    const ids = await seedMails(h, 8)
    expect((await h.deliver({ ids })).retried).toHaveLength(8)
    expect(a.calls).toHaveLength(2)
    h.now += 600_000
    a.behaviour = () => 'ok'
    expect((await h.deliver({ ids })).acked).toHaveLength(8)
  })

  it('S3: an account refused with nobody else to ask fails at once, visibly', async () => {
    const a = new FakeMailApi('sendgrid')
    a.behaviour = () => ({ status: 401 })
    const h = await harnessWith([a])
    for (let i = 0; i < 2; i++) {
      const ids = await seedMails(h, 2)
      expect((await h.deliver({ ids })).acked).toHaveLength(2)
      for (const row of await mailRows(h, ids)) {
        expect(row).toMatchObject({ state: 'failed', provider: 'sendgrid', settled_at: h.now })
      }
    }
    expect(await outages(h)).toEqual([])
  })

  it('S3: refused by all, a mail fails; refused by one and the other down, it waits', async () => {
    const { b, h } = await two({ status: 401 })
    b.behaviour = () => ({ status: 401 })
    const refused = await seedMails(h, 1)
    await h.deliver({ ids: refused })
    expect(await mailRows(h, refused)).toMatchObject([{ state: 'failed', provider: 'postmark' }])
    h.now += 60_000
    b.behaviour = () => ({ status: 503 })
    const waits = await seedMails(h, 1)
    await h.deliver({ ids: waits })
    expect(await mailRows(h, waits)).toMatchObject([{ state: 'queued', error: '503' }])
  })

  it('opens no more connections than the provider may have', async () => {
    const a = new FakeMailApi('cloudflare', { maxBatch: 1, maxConcurrentCalls: 4 })
    const h = await harnessWith([a])
    a.behaviour = async (): Promise<Behaviour> => {
      await scheduler.wait(2)
      return 'ok'
    }
    await h.deliver({ ids: await seedMails(h, 20) })
    expect([a.mostOpen, a.calls.length]).toEqual([4, 20])
  })

  it('begins no call that the lease has no time for; the mails come back with no attempt lost', async () => {
    const a = new FakeMailApi('cloudflare', { maxBatch: 1, maxConcurrentCalls: 1 })
    const h = await harnessWith([a])
    a.behaviour = () => {
      h.now += 100_000
      return 'ok'
    }
    const ids = await seedMails(h, 4)
    const { acked, retried } = await h.deliver({ ids })
    expect([acked.length, retried.length, a.calls.length]).toEqual([2, 2, 2])
    expect(await mailRows(h, retried)).toMatchObject(retried.map(() => ({ attempts: 0 })))
  })

  it('records nothing over the lease of somebody else, not even of the same attempt', async () => {
    const { a, h } = await two('ok')
    const ids = await seedMails(h, 1)
    const theirs = h.now + 1e6
    a.behaviour = async (): Promise<Behaviour> => {
      await h.rows('update messages set lease_until = ?', theirs)
      return 'ok'
    }
    await h.deliver({ ids })
    expect(await h.rows('select state, attempts, lease_until from messages')).toEqual([
      { state: 'sending', attempts: 1, lease_until: theirs },
    ])
  })

  it('to record twice is to record once: a lost answer doubles no failure and no entry', async () => {
    const { h } = await two({ status: 503 })
    const ids = await seedMails(h, 2)
    let calls = 0
    h.bindings.fault = (binding) => (binding === 'd1' && ++calls === 2 ? 'lost' : undefined)
    expect((await h.deliver({ ids })).acked).toHaveLength(2)
    expect(calls).toBe(3)
    expect(await outages(h)).toMatchObject([{ failures: 1 }])
    for (const id of ids) expect(await timeline(h, id)).toHaveLength(2)
  })
})

describe('a report that overtakes the record', () => {
  it('keeps its state, the timeline is whole, and nothing is sent twice', async () => {
    const a = new FakeMailApi('sendgrid')
    const h = await harnessWith([a])
    const ids = await seedMails(h, 2)
    a.behaviour = async (): Promise<Behaviour> => {
      await h.rows(
        `update messages set state = 'delivered', delivery_rank = 3, provider = 'sendgrid', sent_at = ?,
          provider_message_id = 'reported', settled_at = ?, lease_until = null where id = ?`,
        h.now,
        h.now,
        ids[0],
      )
      return 'ok'
    }
    await h.deliver({ ids })
    expect(await mailRows(h, ids)).toMatchObject([
      { state: 'delivered', provider_message_id: 'reported' },
      { state: 'sent' },
    ])
    for (const id of ids) {
      expect(await timeline(h, id)).toMatchObject([{ type: 'mail_accepted', provider: 'sendgrid' }])
    }
    await h.deliver({ ids, attempts: 2 })
    expect([...a.copies.values()]).toEqual([1, 1])
  })

  it.each([
    ['of the same acceptance: it is told once', 'sendgrid', 1],
    ['of an earlier one, whose answer was lost: both are told', 'earlier', 2],
  ])('%s', async (_what, reported, acceptances) => {
    const h = await createHarness()
    const browser = h.browser()
    await browser.register(freshAddress())
    const [id = ''] = h.bindings.queued.splice(0)
    const at = h.now
    h.network = async (request, pass) => {
      const answer = await pass(request)
      h.now += 1500
      const ours = answer.headers.get('X-Message-Id')
      await h.rows(
        `update messages set state = 'delivered', delivery_rank = 3, provider = 'sendgrid', sent_at = ?,
          provider_message_id = ?, settled_at = ?, lease_until = null where id = ?`,
        at,
        reported === 'sendgrid' ? ours : reported,
        at,
        id,
      )
      return answer
    }
    await h.deliver({ ids: [id] })
    const told = await mailTimeline(h, id)
    expect(told.map((entry) => [entry.type, entry.at - at])).toEqual(
      [
        ['mail_accepted', 0],
        ['mail_accepted', 1500],
      ].slice(0, acceptances),
    )
    expect(await h.rows('select 1 from events')).toHaveLength(acceptances - 1)
  })

  it('accepted is settled where nobody will report, and open where somebody will', async () => {
    for (const [settings, isSettled] of [
      [{}, true],
      [{ SENDGRID_WEBHOOK_KEYS: `${'A'.repeat(122)}==` }, false],
    ] as const) {
      const h = await createHarness(settings)
      await h.browser().register(freshAddress())
      await h.deliver()
      expect(await h.rows('select state, settled_at from messages')).toEqual([
        { state: 'sent', settled_at: isSettled ? h.now : null },
      ])
    }
  })
})

describe('a mail that the provider breaks over', () => {
  it('goes by itself before long: those that went with it arrive, and it alone is given up', async () => {
    const api = new FakeMailApi('sendgrid')
    const h = await harnessWith([api], { MAIL_MAX_ATTEMPTS: '6' })
    const ids = await seedMails(h, 8)
    const poison = ids[3] ?? ''
    api.behaviour = (_nth, { ids: inCall }) => (inCall.includes(poison) ? { status: 500 } : 'ok')
    const sentCount = async () =>
      (await mailRows(h, ids)).filter(({ state }) => state === 'sent').length
    let runs = 0
    for (; (await sentCount()) < 7; runs++) {
      expect(runs).toBeLessThan(5)
      await h.deliver({ ids })
      h.now += 3_600_000
    }
    // No longer anybody's trouble but its own: the provider is not left alone for its sake.
    expect(await outages(h)).toEqual([])
    const fresh = await seedMails(h, 5)
    await h.deliver({ ids: [...fresh, poison] })
    expect((await mailRows(h, fresh)).map(({ state }) => state)).toEqual(Array(5).fill('sent'))
    for (let attempt = 0; attempt < 6; attempt++) {
      h.now += 3_600_000
      await h.deliver({ ids: [poison] })
    }
    expect(await mailRows(h, [poison])).toMatchObject([{ state: 'failed', attempts: 6 }])
    expect([...new Set(api.copies.values())]).toEqual([1])
  })
})
