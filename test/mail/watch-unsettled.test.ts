// Promise 1 for the sweeper's index: a mail comes to stand there only if it takes long, and none is passed over.
import { describe, expect, it } from 'vitest'
import { retryFailedMails } from '../../src/admin/failed-mails.ts'
import { applyDeliveryReports } from '../../src/mail/apply-reports.ts'
import { watchUnsettled } from '../../src/mail/watch-unsettled.ts'
import { FakeMailApi } from '../support/fake-mail-api.ts'
import { createHarness, freshAddress, type Harness } from '../support/harness.ts'
import { harnessWith, seedMails } from '../support/seed-mails.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

async function watched(h: Harness): Promise<string[]> {
  const rows = await h.rows<{ id: string }>(
    'select id from messages where watched_at is not null order by id',
  )
  return rows.map(({ id }) => id)
}

/** Mails that were written and never came to the Queue. */
const lose = (h: Harness, count: number, createdAt = h.now) => seedMails(h, count, { createdAt })

/** A mail that was sent, at which the cron comes to stand. */
async function sendOne(h: Harness): Promise<void> {
  await h.browser().register(freshAddress())
  await h.deliver()
}

/** One run of the cron, and what it sent on. */
async function found(h: Harness): Promise<string[]> {
  await h.sweep()
  return h.bindings.queued.splice(0).sort()
}

describe('promise 1: what takes long is found', () => {
  it('a mail is watched once it is a minute old and not settled; what is sent by then never is', async () => {
    const h = await createHarness()
    await sendOne(h)
    const [lost = ''] = await lose(h, 1)
    h.now += MINUTE - 1
    await h.sweep()
    expect(await watched(h)).toEqual([])
    h.now += 1
    expect(await found(h)).toEqual([lost])
    expect(await watched(h)).toEqual([lost])
    for (let minute = 0; minute < 15; minute++) {
      h.now += MINUTE
      await h.sweep()
    }
    expect(await watched(h)).toEqual([lost])
    expect(await h.rows('select distinct watched_at from messages where watched_at > 0')).toEqual([
      { watched_at: h.now - 15 * MINUTE },
    ])
  })

  it('a row that appears up to ten minutes after its id was made, behind the cron', async () => {
    const h = await createHarness()
    h.now += HOUR
    await sendOne(h)
    h.now += 2 * MINUTE
    expect(await found(h)).toEqual([])
    const late = [
      ...(await lose(h, 1, h.now - 10 * MINUTE)),
      ...(await lose(h, 1, h.now - 5 * MINUTE)),
      ...(await lose(h, 1, h.now - 2 * MINUTE - 1)),
    ]
    h.now += MINUTE
    expect(await found(h)).toEqual(late)
  })

  it('a late row, though the cron was dead for hours right after it had passed its place', async () => {
    const h = await createHarness()
    await sendOne(h)
    h.now += MINUTE
    await h.sweep()
    const late = await lose(h, 1, h.now - MINUTE - 10_000)
    h.now += 3 * HOUR
    expect(await found(h)).toEqual(late)
  })

  it('everything, after the cron was dead for hours, in bounded steps', async () => {
    const h = await createHarness()
    await sendOne(h)
    h.now += MINUTE
    await h.sweep()
    const lost = await lose(h, 4)
    for (let sent = 0; sent < 5; sent++) await sendOne(h)
    h.now += 2 * HOUR
    lost.push(...(await lose(h, 3)))
    h.now += 3 * HOUR
    const seen: number[] = []
    while ((seen.at(-1) ?? 0) < lost.length && seen.length < 20) {
      await h.deps.batch(watchUnsettled(h.deps, h.now, 3))
      seen.push((await watched(h)).length)
      h.now += MINUTE
    }
    expect(await watched(h)).toEqual(lost)
    // Three keys a run, sent or lost, and none twice: twelve mails take four runs.
    expect(seen).toHaveLength(4)
    expect(await found(h)).toEqual(lost)
  })

  it('everything, where the cron never ran before', async () => {
    const h = await createHarness()
    const lost = await lose(h, 2)
    h.now += 20 * 24 * HOUR
    expect(await found(h)).toEqual(lost)
  })

  it('a clock that was ahead, or behind, for one run: nothing is passed over', async () => {
    for (const off of [5 * HOUR, -5 * HOUR, -20 * 365 * 24 * HOUR]) {
      const h = await createHarness()
      await sendOne(h)
      h.now += MINUTE
      await h.sweep()
      h.now += off
      await h.sweep()
      h.now -= off
      const early = await lose(h, 1)
      h.now += 40 * MINUTE
      const later = await lose(h, 1)
      h.now += MINUTE
      expect([off, await found(h)]).toEqual([off, [...early, ...later]])
    }
  })

  it('what no run came by, in the course of time: the whole ledger is gone through', async () => {
    const h = await createHarness()
    h.now += HOUR
    await sendOne(h)
    h.now += 15 * MINUTE
    await h.sweep()
    const [left = ''] = await lose(h, 1, h.now - HOUR)
    h.now += MINUTE
    // Found behind the cursor, and swept by the run after that.
    expect([await found(h), await found(h)]).toEqual([[], [left]])
  })

  it('a mail whose id is of the future, and which the cron came to: the ones before it are found', async () => {
    const h = await createHarness()
    const [future = ''] = await lose(h, 1, h.now + 2 * HOUR)
    h.now += 3 * HOUR
    await h.sweep()
    h.now -= 3 * HOUR
    expect(await watched(h)).toEqual([future])
    h.bindings.queued.length = 0
    const lost = await lose(h, 1)
    h.now += MINUTE - 1
    expect(await found(h)).toEqual([])
    // Again, now that the cursor looks from where it should.
    expect(await found(h)).toEqual([])
    expect(await watched(h)).toEqual([future])
    h.now += 1
    expect(await found(h)).toEqual(lost)
    const more = await lose(h, 1)
    h.now += HOUR / 2
    expect(await found(h)).toContain(more[0])
  })

  it('a run whose answer is lost, and one that fails, are made up for', async () => {
    for (const fault of ['lost', 'throw'] as const) {
      const h = await createHarness()
      const lost = await lose(h, 1)
      h.now += MINUTE
      h.bindings.fault = () => fault
      await expect(h.sweep()).rejects.toThrow()
      h.bindings.fault = () => undefined
      h.now += 6 * MINUTE
      expect(await found(h)).toEqual(lost)
    }
  })
})

describe('promise 1: what has to wait, or is open again, is watched from that moment on', () => {
  it('a mail that is held until tomorrow', async () => {
    const api = new FakeMailApi('sendgrid')
    const h = await harnessWith([api], { MAIL_DAILY_CAP: '1' })
    const ids = await seedMails(h, 3, { kind: 'reset_password' })
    await h.deliver({ ids })
    expect(await watched(h)).toEqual(ids.slice(1))
    expect(await h.rows('select distinct watched_at from messages where watched_at > 0')).toEqual([
      { watched_at: h.now },
    ])
  })

  it('F8: an old failure that the desk sends again, where the enqueue is lost', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    const ids = h.bindings.queued.splice(0)
    h.network = async () => new Response('{}', { status: 400 })
    await h.deliver({ ids })
    await sendOne(h)
    h.now += HOUR
    await h.sweep()
    await h.sweep()
    expect(await watched(h)).toEqual([])
    const done = await retryFailedMails(h.deps, ids, { actor: 'grace', reason: 'asked for it' })
    expect(done.retried).toEqual(ids)
    h.now += MINUTE
    expect(await found(h)).toEqual(ids)
  })

  it('F5: an old failure that is reported to be on its way, and then never heard of again', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    const [id = ''] = h.bindings.queued.splice(0)
    h.network = async () => new Response('{}', { status: 400 })
    await h.deliver({ ids: [id] })
    h.now += 3 * HOUR
    await h.sweep()
    await h.sweep()
    expect(await watched(h)).toEqual([])
    const report = { messageId: id, providerMessageId: 'x', at: h.now, detail: null } as const
    await applyDeliveryReports(h.deps, 'sendgrid', [{ ...report, kind: 'deferred' }])
    h.now += MINUTE
    expect((await h.sweep()).stalled).toBe(0)
    h.now += 4 * 24 * HOUR
    expect((await h.sweep()).stalled).toBe(1)
  })
})
