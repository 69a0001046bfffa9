import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Behaviour, FakeMailApi } from '../support/fake-mail-api.ts'
import { createHarness, type Harness } from '../support/harness.ts'
import { harnessWith, mailRows, seedMails } from '../support/seed-mails.ts'
import { CONSUMER_SETTINGS } from './walk-consumer.ts'

const copiesOf = (api: FakeMailApi, ids: readonly string[]) =>
  ids.map((id) => api.copies.get(id) ?? 0)
const once = (ids: readonly string[]) => ids.map(() => 1)

async function resendFirst() {
  const resend = new FakeMailApi('resend')
  const other = new FakeMailApi('sendgrid')
  return { resend, other, h: await harnessWith([resend, other]) }
}

/** The consumer claims and calls, and dies before it can record anything. */
async function deliverAndDie(h: Harness, ids: readonly string[]): Promise<void> {
  let calls = 0
  h.bindings.fault = (binding) => (binding === 'd1' && ++calls > 1 ? 'throw' : undefined)
  await h.deliver({ ids })
  h.bindings.fault = () => undefined
}

const suppress = (h: Harness, id: string | undefined) =>
  h.rows(
    `insert into suppressions (email, reason, created_at)
      select to_email, 'complaint', ? from messages where id = ?`,
    h.now,
    id,
  )

describe('a call that may have been carried out is repeated, not sent again', () => {
  it('when the answer was lost: the same mails, the same key, the same provider', async () => {
    const { resend, other, h } = await resendFirst()
    const ids = await seedMails(h, 5)
    resend.behaviour = () => 'answer_lost'
    expect((await h.deliver({ ids })).retried.sort()).toEqual(ids)
    const rows = await mailRows(h, ids)
    expect(rows).toMatchObject(ids.map(() => ({ state: 'queued', provider: 'resend' })))
    expect(new Set(rows.map(({ batch_id }) => batch_id))).toEqual(new Set([resend.calls[0]?.key]))
    // It is down, and the next one is up; yet the next one knows nothing of the first call.
    await h.deliver({ ids })
    expect([resend.calls.length, other.calls.length]).toEqual([1, 0])

    resend.behaviour = () => 'ok'
    h.now += 30_000
    expect((await h.deliver({ ids })).acked.sort()).toEqual(ids)
    expect(resend.calls[1]).toEqual(resend.calls[0])
    expect(copiesOf(resend, ids)).toEqual(once(ids))
    expect(other.calls).toHaveLength(0)
    expect(await mailRows(h, ids)).toMatchObject(
      ids.map(() => ({ state: 'sent', provider: 'resend', batch_id: null })),
    )
  })

  it('when the consumer died after the provider accepted, and the Queue mixes the batches anew', async () => {
    const { resend, other, h } = await resendFirst()
    const first = await seedMails(h, 6)
    const second = await seedMails(h, 4)
    await deliverAndDie(h, first)
    await deliverAndDie(h, second)
    expect(await mailRows(h, first)).toMatchObject(first.map(() => ({ state: 'sending' })))
    const fresh = await seedMails(h, 3)
    h.now += 6 * 60_000
    // One mail of each earlier call brings the rest of it along.
    await h.deliver({ ids: [...fresh, ...first.slice(2, 3), ...second.slice(3)] })
    const all = [...first, ...second, ...fresh]
    expect(copiesOf(resend, all)).toEqual(once(all))
    expect(other.calls).toHaveLength(0)
    expect(new Set(resend.calls.map(({ key }) => key)).size).toBe(3)
    expect(await mailRows(h, all)).toMatchObject(all.map(() => ({ state: 'sent' })))
    await h.deliver({ ids: all })
    expect(copiesOf(resend, all)).toEqual(once(all))
  })

  it('two consumers that meet mails of one earlier call: one of them takes it whole', async () => {
    const { resend, h } = await resendFirst()
    const ids = await seedMails(h, 6)
    await deliverAndDie(h, ids)
    h.now += 6 * 60_000
    await Promise.all([h.deliver({ ids: ids.slice(0, 3) }), h.deliver({ ids: ids.slice(3) })])
    expect(resend.calls).toHaveLength(2)
    expect(resend.calls[1]).toEqual(resend.calls[0])
    expect(copiesOf(resend, ids)).toEqual(once(ids))
  })

  it.each(['answer_lost', 'call_lost'] as const)(
    'when some of its mails fell away meanwhile (%s): the rest arrives, once',
    async (behaviour) => {
      const { resend, h } = await resendFirst()
      const ids = await seedMails(h, 5)
      resend.behaviour = () => behaviour
      await h.deliver({ ids })
      // One after the other falls away, and the repetitions are lost as well.
      await suppress(h, ids[0])
      h.now += 60_000
      await h.deliver({ ids: ids.slice(2) })
      await suppress(h, ids[1])
      h.now += 120_000
      resend.behaviour = () => 'ok'
      await h.deliver({ ids: ids.slice(4) })
      const rest = ids.slice(2)
      expect(resend.calls.map((call) => call.ids.length)).toEqual([5, 4, 3])
      expect(new Set(resend.calls.map(({ key }) => key)).size).toBe(1)
      expect(copiesOf(resend, rest)).toEqual(once(rest))
      expect((await mailRows(h, ids)).map(({ state }) => state)).toEqual([
        'suppressed',
        'suppressed',
        ...rest.map(() => 'sent'),
      ])
    },
  )

  it('a mail that left a call and comes back belongs to it no more', async () => {
    const { resend, h } = await resendFirst()
    const ids = await seedMails(h, 3)
    const [left = '', ...rest] = ids
    resend.behaviour = () => 'call_lost'
    await h.deliver({ ids })
    // As when it is given up, and somebody at the desk sends it once more, later.
    await h.rows(`update messages set state = 'failed', settled_at = ? where id = ?`, h.now, left)
    resend.behaviour = () => 'ok'
    h.now += 60_000
    await h.deliver({ ids: rest })
    await h.rows(`update messages set state = 'queued', settled_at = null where id = ?`, left)
    await h.deliver({ ids: [left] })
    expect(copiesOf(resend, ids)).toEqual(once(ids))
  })

  it('a repetition that is turned away settles nothing: the first call may still have been carried out', async () => {
    const { resend, other, h } = await resendFirst()
    const ids = await seedMails(h, 2)
    resend.behaviour = (nth) => (nth === 1 ? 'answer_lost' : nth < 4 ? { status: 429 } : 'ok')
    for (let i = 0; i < 4; i++) {
      await h.deliver({ ids })
      h.now += 180_000
    }
    expect(resend.calls).toHaveLength(4)
    expect(copiesOf(resend, ids)).toEqual(once(ids))
    expect(other.calls).toHaveLength(0)
  })

  it('after a quarter of an hour a copy is better than none', async () => {
    const { resend, other, h } = await resendFirst()
    const ids = await seedMails(h, 2)
    const start = h.now
    resend.behaviour = () => 'call_lost'
    await h.deliver({ ids })
    for (h.now = start; h.now < start + 15 * 60_000; h.now += 30_000) await h.deliver({ ids })
    expect(other.calls).toHaveLength(0)
    await h.deliver({ ids })
    expect(copiesOf(other, ids)).toEqual(once(ids))
    expect(await mailRows(h, ids)).toMatchObject(
      ids.map(() => ({ state: 'sent', provider: 'sendgrid', batch_id: null })),
    )
  })

  it('whoever asks to wait for hours keeps its uncertain mails for a quarter of an hour only', async () => {
    const { resend, other, h } = await resendFirst()
    const ids = await seedMails(h, 2)
    const start = h.now
    resend.behaviour = (nth) => (nth === 1 ? 'call_lost' : { status: 429, retryAfter: 36_000 })
    await h.deliver({ ids })
    h.now += 30_000
    await h.deliver({ ids })
    expect(await mailRows(h, ids)).toMatchObject(
      ids.map(() => ({ state: 'queued', not_before: start + 15 * 60_000 })),
    )
    h.now = start + 15 * 60_000
    await h.deliver({ ids })
    expect(copiesOf(other, ids)).toEqual(once(ids))
  })

  it('what is left after another provider took some goes under a key of its own', async () => {
    const first = new FakeMailApi('postmark', { maxBatch: 2, maxConcurrentCalls: 1 })
    const resend = new FakeMailApi('resend')
    const h = await harnessWith([first, resend])
    first.behaviour = (nth) => (nth === 1 ? 'ok' : { status: 503 })
    resend.behaviour = (nth) => (nth === 1 ? 'answer_lost' : 'ok')
    const ids = await seedMails(h, 6)
    await h.deliver({ ids })
    const rest = ids.slice(2)
    expect(resend.calls.map((call) => call.ids)).toEqual([rest])
    const [row] = await mailRows(h, rest)
    expect(row).toMatchObject({ state: 'queued', provider: 'resend' })
    expect(row?.batch_id).toBe(resend.calls[0]?.key)
    // The first provider is up again, and is not asked: it knows nothing of that call.
    first.behaviour = () => 'ok'
    h.now += 60_000
    await h.deliver({ ids: rest.slice(1, 2) })
    expect(resend.calls[1]).toEqual(resend.calls[0])
    expect(copiesOf(resend, rest)).toEqual(once(rest))
    expect(first.calls).toHaveLength(2)
  })

  it('a mail left out of a call that was carried out is not taken for one of it later', async () => {
    const { resend, h } = await resendFirst()
    const ids = await seedMails(h, 3)
    const [left = '', ...rest] = ids
    resend.behaviour = (nth) => (nth === 1 ? 'call_lost' : 'ok')
    await h.deliver({ ids })
    resend.turnsAway.add(left)
    h.now += 60_000
    expect(await h.deliver({ ids: rest })).toMatchObject({ acked: rest })
    resend.turnsAway.clear()
    h.now += 60_000
    await h.deliver({ ids: [left] })
    expect(copiesOf(resend, ids)).toEqual(once(ids))
  })

  it('a consumer that dies after it sent a part elsewhere loses none of the others', async () => {
    const first = new FakeMailApi('postmark', { maxBatch: 2, maxConcurrentCalls: 1 })
    const resend = new FakeMailApi('resend')
    const h = await harnessWith([first, resend])
    const ids = await seedMails(h, 4)
    for (const id of ids.slice(0, 2)) first.turnsAway.add(id)
    first.behaviour = (nth) => (nth === 1 ? 'ok' : { status: 503 })
    await deliverAndDie(h, ids)
    expect(copiesOf(resend, ids)).toEqual([0, 0, 1, 1])
    h.now += 6 * 60_000
    await h.deliver({ ids })
    expect(copiesOf(resend, ids).slice(0, 2)).toEqual([1, 1])
  })

  it('while one mail of a call is under somebody’s lease, the others wait for it', async () => {
    const { resend, h } = await resendFirst()
    const ids = await seedMails(h, 3)
    const [held = '', ...rest] = ids
    resend.behaviour = (nth) => (nth === 1 ? 'answer_lost' : 'ok')
    await h.deliver({ ids })
    h.now += 60_000
    await h.rows(
      `update messages set state = 'sending', lease_until = ? where id = ?`,
      h.now + 60_000,
      held,
    )
    expect((await h.deliver({ ids: rest })).retried.sort()).toEqual(rest)
    expect(resend.calls).toHaveLength(1)
    h.now += 60_000
    await h.deliver({ ids: rest })
    expect(resend.calls[1]).toEqual(resend.calls[0])
    expect(copiesOf(resend, ids)).toEqual(once(ids))
  })

  it('repeats at most eight calls at once, and gets to the others', async () => {
    const { resend, h } = await resendFirst()
    const firstOfEach: string[] = []
    const all: string[] = []
    for (let i = 0; i < 11; i++) {
      const ids = await seedMails(h, 2)
      await deliverAndDie(h, ids)
      firstOfEach.push(...ids.slice(0, 1))
      all.push(...ids)
    }
    h.now += 6 * 60_000
    const { acked, retried } = await h.deliver({ ids: firstOfEach })
    expect(resend.calls).toHaveLength(11 + 8)
    // The others are not lost sight of: their lease ran out, and the sweeper watches it.
    expect(acked).toHaveLength(11 - retried.length)
    h.now += 60_000
    await h.sweep()
    await h.deliver()
    expect(copiesOf(resend, all)).toEqual(once(all))
    expect(await mailRows(h, all)).toMatchObject(all.map(() => ({ state: 'sent' })))
  })

  it('by Resend’s own adapter: links are minted anew, so it says that the content differs, and that is enough', async () => {
    const h = await createHarness(CONSUMER_SETTINGS)
    const ids = await seedMails(h, 3)
    const bodies = new Map<string, string>()
    const sent: unknown[] = []
    h.network = async (request) => {
      const key = request.headers.get('Idempotency-Key') ?? ''
      const body = await request.text()
      const known = bodies.get(key)
      if (known === undefined) {
        bodies.set(key, body)
        sent.push(...JSON.parse(body))
        throw new TypeError('network')
      }
      expect(known).not.toBe(body)
      const error = { statusCode: 409, name: 'invalid_idempotent_request', message: 'differs' }
      return Response.json(error, { status: 409 })
    }
    expect((await h.deliver({ ids })).retried.sort()).toEqual(ids)
    h.now += 60_000
    expect((await h.deliver({ ids })).acked.sort()).toEqual(ids)
    expect([h.httpCalls, sent.length, bodies.size]).toEqual([2, 3, 1])
    expect(await mailRows(h, ids)).toMatchObject(
      ids.map(() => ({ state: 'sent', provider: 'resend', batch_id: null })),
    )
  })

  it('F8: whatever fails in whatever order, each mail arrives exactly once', async () => {
    const behaviours = fc.constantFrom<Behaviour>(
      'ok',
      'answer_lost',
      'call_lost',
      { status: 429 },
      { status: 500 },
    )
    const step = fc.record({
      arrivals: fc.integer({ min: 0, max: 4 }),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
      behaviour: behaviours,
      dies: fc.boolean(),
      concurrent: fc.boolean(),
      falls: fc.option(fc.nat(), { freq: 4 }),
      waitsSeconds: fc.constantFrom(1, 30, 60, 400),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 10 }), async (steps) => {
        const resend = new FakeMailApi('resend', { maxBatch: 5 })
        const h = await harnessWith([resend], { MAIL_MAX_ATTEMPTS: '40' })
        const ids = await seedMails(h, 6)
        const fallen = new Set<string>()
        const at = (n: number) => ids[n % ids.length] ?? ''
        for (const { arrivals, picks, behaviour, dies, concurrent, falls, waitsSeconds } of steps) {
          ids.push(...(await seedMails(h, arrivals)))
          if (falls !== null) {
            fallen.add(at(falls))
            if (fallen.size < 3) await suppress(h, at(falls)).catch(() => {})
          }
          resend.behaviour = () => behaviour
          const batch = [...new Set(picks.map(at))]
          if (dies) await deliverAndDie(h, batch)
          else if (concurrent) {
            await Promise.all([h.deliver({ ids: batch }), h.deliver({ ids: batch.slice(1) })])
          } else await h.deliver({ ids: batch })
          h.now += waitsSeconds * 1000
        }
        resend.behaviour = () => 'ok'
        for (let i = 0; i < 8; i++) {
          h.now += 10 * 60_000
          await h.sweep()
          h.bindings.queued.length = 0
          await h.deliver({ ids })
        }
        for (const { id, state } of await mailRows(h, ids)) {
          const copies = resend.copies.get(id) ?? 0
          if (state === 'suppressed') expect(copies).toBeLessThanOrEqual(1)
          else expect([state, copies]).toEqual(['sent', 1])
        }
      }),
      { numRuns: 20 },
    )
  }, 60_000)
})
