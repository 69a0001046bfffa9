import { describe, expect, it } from 'vitest'
import { prune } from '../../src/retention/prune.ts'
import { SLICE_KEYS } from '../../src/slices.ts'
import { firstIdOf } from '../../src/uuid-v7.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'
import { wholeScans } from '../support/query-plans.ts'

const DAY_MS = 86_400_000
const pruneIn = (h: Harness) => prune(h.deps)
const countOf = async (h: Harness, table: string) =>
  (await h.rows<{ n: number }>(`select count(*) as n from ${table}`))[0]?.n

/** So many claims, a millisecond apart from `at` on, by SQL: the front door takes minutes for thousands. */
async function addClaims(h: Harness, count: number, at: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, nth) => [
    `${firstIdOf(at + nth)}-7000-8000-000000000000`,
    at + nth,
  ])
  await h.rows(
    `insert into users (id, email, email_fingerprint, password_hash, created_at)
      select value ->> 0, (value ->> 0) || '@testproof.dev', value ->> 0, 'x', value ->> 1
      from json_each(?)`,
    JSON.stringify(ids),
  )
}

async function addEvents(h: Harness, userId: string, count: number, at: number): Promise<void> {
  await h.rows(
    `insert into events (user_id, at, type)
      with recursive nth(n) as (select 0 union all select n + 1 from nth where n + 1 < ?3)
      select ?1, ?2 + n, 'signed_in' from nth`,
    userId,
    at,
    count,
  )
}

async function addSessions(h: Harness, userId: string, count: number, end: number): Promise<void> {
  await h.rows(
    `insert into sessions (user_id, id, created_at, expires_at)
      with recursive nth(n) as (select 0 union all select n + 1 from nth where n + 1 < ?3)
      select ?1, ?2 || '-' || n, 0, ?2 from nth`,
    userId,
    end,
    count,
  )
}

describe('F10: what has grown old goes, slice by slice', () => {
  it('goes through more claims than a slice holds, in as many runs as it takes, and begins again', async () => {
    const h = await createHarness()
    await addClaims(h, 2 * SLICE_KEYS + 2, h.now - 8 * DAY_MS)
    expect((await pruneIn(h)).claims).toBe(SLICE_KEYS)
    expect((await pruneIn(h)).claims).toBe(SLICE_KEYS)
    // What is added before the slice now at work waits for the next time round.
    await addClaims(h, 1, h.now - 20 * DAY_MS)
    expect((await pruneIn(h)).claims).toBe(2)
    expect((await pruneIn(h)).claims).toBe(1)
    expect(await countOf(h, 'users')).toBe(0)
    expect((await pruneIn(h)).claims).toBe(0)
  })

  it('a table of exactly one slice is gone through once and then again', async () => {
    const h = await createHarness()
    await addClaims(h, SLICE_KEYS, h.now - 8 * DAY_MS)
    await h.rows('update users set email_verified_at = 1 where created_at % 2 = 0')
    expect((await pruneIn(h)).claims).toBe(SLICE_KEYS / 2)
    expect((await pruneIn(h)).claims).toBe(0)
    await h.rows('update users set email_verified_at = null')
    expect((await pruneIn(h)).claims).toBe(SLICE_KEYS / 2)
  })

  it('skips no row when the very row at the edge of a slice is deleted between two runs', async () => {
    const h = await createHarness()
    await addClaims(h, SLICE_KEYS + 1, h.now - 6 * DAY_MS)
    expect((await pruneIn(h)).claims).toBe(0)
    const [slice] = await h.rows<{ up_to: string }>(
      "select up_to from cursors where name = 'claims'",
    )
    expect(await h.rows('delete from users where id = ? returning 1', slice?.up_to)).toHaveLength(1)
    h.now += 2 * DAY_MS
    expect((await pruneIn(h)).claims).toBe(1)
    expect((await pruneIn(h)).claims).toBe(SLICE_KEYS - 1)
  })

  it('keeps a claim to the last millisecond of CLAIM_TTL, and owners for good', async () => {
    const h = await createHarness()
    await addClaims(h, 3, h.now - 7 * DAY_MS - 1)
    await h.rows('update users set email_verified_at = 1 where created_at = ?', h.now - 7 * DAY_MS)
    expect((await pruneIn(h)).claims).toBe(1)
    h.now += 400 * DAY_MS
    expect((await pruneIn(h)).claims).toBe(1)
    expect(await h.rows('select email_verified_at from users')).toEqual([{ email_verified_at: 1 }])
  })

  it('F7: cuts timelines at EVENTS_RETENTION, whole users at a time, however long one is', async () => {
    const h = await createHarness({ EVENTS_RETENTION: '7d' })
    await addClaims(h, 3, h.now)
    const [a = '', b = '', c = ''] = (
      await h.rows<{ id: string }>('select id from users order by id')
    ).map(({ id }) => id)
    const old = h.now - 7 * DAY_MS - SLICE_KEYS - 10
    await addEvents(h, a, SLICE_KEYS - 1, old)
    await addEvents(h, b, SLICE_KEYS + 5, old)
    await addEvents(h, c, 1, old)
    await addEvents(h, c, 2, h.now - 7 * DAY_MS)
    // The slice's last key is the first of b's, and takes all of b's along.
    expect((await pruneIn(h)).events).toBe(2 * SLICE_KEYS + 4)
    expect((await pruneIn(h)).events).toBe(1)
    expect(await h.rows('select user_id, at from events order by at')).toEqual([
      { user_id: c, at: h.now - 7 * DAY_MS },
      { user_id: c, at: h.now - 7 * DAY_MS + 1 },
    ])
  })

  it('ends sessions at their instant; the ones that hold stay signed in', async () => {
    const h = await createHarness({ SESSION_TTL: '1h' })
    const [early, late] = [h.browser(), h.browser()]
    await early.register(freshAddress())
    h.now += 60_000
    await late.register(freshAddress())
    h.now += 59 * 60_000 - 1
    expect((await pruneIn(h)).sessions).toBe(0)
    h.now += 1
    expect((await pruneIn(h)).sessions).toBe(1)
    expect((await early.session()).status).toBe(401)
    expect((await late.session()).status).toBe(200)
  })

  it('goes through sessions by user, all of one at a time, however many they have', async () => {
    const h = await createHarness()
    await addClaims(h, 3, h.now)
    const [a = '', b = '', c = ''] = (
      await h.rows<{ id: string }>('select id from users order by id')
    ).map(({ id }) => id)
    await addSessions(h, a, SLICE_KEYS - 1, h.now)
    await addSessions(h, b, SLICE_KEYS + 5, h.now)
    await addSessions(h, b, 2, h.now + 1)
    await addSessions(h, c, 1, h.now)
    await addSessions(h, c, 1, h.now + 1)
    // The slice's last key is the first of b's, and takes all of b's along.
    expect((await pruneIn(h)).sessions).toBe(2 * SLICE_KEYS + 4)
    expect((await pruneIn(h)).sessions).toBe(1)
    expect(await h.rows('select user_id, expires_at from sessions order by user_id')).toEqual([
      { user_id: b, expires_at: h.now + 1 },
      { user_id: b, expires_at: h.now + 1 },
      { user_id: c, expires_at: h.now + 1 },
    ])
  })

  it('keeps mail that is to be sent, and drops the record of the rest after LEDGER_TTL', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    await h.deliver()
    await ada.confirm(linkIn((await h.mails(email))[0]).token)
    await ada.post('/auth/forgot-password', { email })
    h.now += 30 * DAY_MS
    expect((await pruneIn(h)).messages).toBe(0)
    h.now += 1
    expect((await pruneIn(h)).messages).toBe(1)
    expect(await h.rows('select state from messages')).toEqual([{ state: 'queued' }])
  })

  it('forgets the calls of yesterday, the quotas of last week and silences that have run out', async () => {
    const h = await createHarness()
    const idAt = (at: number) => `${firstIdOf(at)}-7000-8000-000000000000`
    for (const at of [h.now - 25 * 3_600_000 - 1, h.now - 25 * 3_600_000]) {
      await h.rows("insert into mail_batches values (?, '[]')", idAt(at))
    }
    for (const day of ['2026-10-25', '2026-10-26', '2026-11-02']) {
      await h.rows('insert into daily_sends values (?, 1)', day)
    }
    for (const [email, end] of [
      ['now', h.now],
      ['later', h.now + 1],
      ['never', null],
    ]) {
      await h.rows("insert into suppressions values (?, 'disowned', 0, ?)", email, end)
    }
    expect((await pruneIn(h)).suppressions).toBe(1)
    expect(await countOf(h, 'mail_batches')).toBe(1)
    expect(await h.rows('select day from daily_sends')).toEqual([
      { day: '2026-10-26' },
      { day: '2026-11-02' },
    ])
    expect(await h.rows('select email from suppressions order by email')).toEqual([
      { email: 'later' },
      { email: 'never' },
    ])
  })

  it('is one round trip; where D1 fails, or its answer is lost, nothing is skipped', async () => {
    const h = await createHarness()
    await addClaims(h, SLICE_KEYS + 1, h.now - 8 * DAY_MS)
    h.bindings.resetCounts()
    h.bindings.fault = () => 'throw'
    await expect(pruneIn(h)).rejects.toThrow()
    expect(h.bindings.counts.d1).toBe(1)
    expect(await countOf(h, 'users')).toBe(SLICE_KEYS + 1)
    h.bindings.fault = () => 'lost'
    await expect(pruneIn(h)).rejects.toThrow()
    h.bindings.fault = () => undefined
    expect((await pruneIn(h)).claims).toBe(1)
    expect(await countOf(h, 'users')).toBe(0)
  })

  it('every statement finds its rows by an index', async () => {
    const h = await createHarness()
    const { judged, scans } = await wholeScans(h, () => pruneIn(h))
    expect(judged).toBe(13)
    expect(scans).toEqual([])
  })
})
