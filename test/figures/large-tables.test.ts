// What the figures cost where there is much to count: rows read, which is what D1 bills and what time goes with.

import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { rollUp } from '../../src/figures/rollup.ts'
import { prune } from '../../src/retention/prune.ts'
import { SLICE_KEYS } from '../../src/slices.ts'
import { createHarness, type Harness } from '../support/harness.ts'

const ADMIN_TOKEN = 'a-token-for-the-desk-of-these-tests-0123'
const USERS = 100_000
const EVENTS = 1_000_000
const DAYS = 30
const HOUR_MS = 3_600_000

const idOf = (at: string, nth: string) =>
  `printf('%08x-%04x-7000-8000-%012x', (${at}) / 65536, (${at}) % 65536, ${nth})`
/** One person every 26 seconds, for thirty days up to now. */
const AT = `?1 - ${DAYS * 24 * HOUR_MS} + n * ${(DAYS * 24 * HOUR_MS) / USERS}`
const EVENT_TYPES = [
  'registered',
  'mail_accepted',
  'mail_delivered',
  'link_opened',
  'verified',
  ...Array<string>(5).fill('signed_in'),
]

let h: Harness
beforeAll(async () => {
  h = await createHarness({ ADMIN_TOKEN })
  const from = `with recursive nth(n) as (select 0 union all select n + 1 from nth where n + 1 < ${USERS})`
  await h.rows(
    `insert into users (id, email, email_fingerprint, password_hash, email_verified_at, created_at)
      ${from} select ${idOf(AT, 'n')}, n || '@example.org', 'f' || n, 'x', ${AT} + 60000, ${AT} from nth`,
    h.now,
  )
  await h.rows(
    `insert into messages (id, user_id, kind, to_email, generation, state, attempts, provider,
        created_at, sent_at, settled_at)
      ${from} select ${idOf(AT, 'n')}, ${idOf(AT, 'n')}, 'verify_email',
        n || '@d' || (n % 50) || '.example', 0, iif(n % 20 = 0, 'bounced', 'delivered'), 1, 'sendgrid',
        ${AT}, ${AT} + 2000, ${AT} + 5000 from nth`,
    h.now,
  )
  for (const [step, type] of EVENT_TYPES.entries()) {
    await h.rows(
      `insert into events (user_id, at, type, message_id)
        ${from} select ${idOf(AT, 'n')}, ${AT} + ${step} * 15000, '${type}',
          iif('${type}' like 'mail%', ${idOf(AT, 'n')}, '') from nth`,
      h.now,
    )
  }
}, 120_000)

/** What D1 says of the batches that `act` runs. */
async function cost(act: () => Promise<unknown>) {
  const batch = vi.spyOn(env.DB, 'batch')
  await act()
  const batches = await Promise.all(batch.mock.results.map(({ value }) => value))
  batch.mockRestore()
  const metas = batches.flat().map(({ meta }) => meta)
  const sum = (name: 'rows_read' | 'rows_written') =>
    metas.reduce((total, meta) => total + (meta[name] ?? 0), 0)
  return { roundTrips: batches.length, read: sum('rows_read'), written: sum('rows_written') }
}

describe('with 100,000 users and 1,000,000 events', () => {
  it('there are so many', async () => {
    expect(await h.rows('select count(*) as n from events')).toEqual([{ n: EVENTS }])
  })

  it('a run of the cron reads what happened in three hours, and writes what changed', async () => {
    // Some 139 people an hour, ten events each, and the mails that two of these name.
    const perHour = USERS / (DAYS * 24)
    const first = await cost(() => rollUp(h.deps))
    expect(first.roundTrips).toBe(1)
    expect(first.read).toBeGreaterThan(perHour * 2 * 10)
    expect(first.read).toBeLessThan(perHour * 3 * 40)
    expect(first.written).toBeLessThan(3 * 90)
    const again = await cost(() => rollUp(h.deps))
    expect(again).toMatchObject({ roundTrips: 1, written: 0 })
    expect(again.read).toBeLessThan(perHour * 3 * 40)
  })

  it('the page reads figures and nothing else, in one round trip', async () => {
    // The hour before this one, for every hour of the period.
    await h.rows(
      `insert or ignore into figures with recursive back(n) as (select 1 union all select n + 1 from back where n < ?2)
        select hour - n * ${HOUR_MS}, metric, dimension, count from back cross join figures where hour = ?1`,
      h.now - HOUR_MS,
      DAYS * 24,
    )
    const [{ n } = { n: 0 }] = await h.rows<{ n: number }>('select count(*) as n from figures')
    expect(n).toBeGreaterThan(DAYS * 24 * 10)
    for (const by of ['hour', 'day']) {
      const open = () =>
        h.browser().get(`/admin/figures?by=${by}`, {
          Accept: 'text/html',
          Authorization: `Bearer ${ADMIN_TOKEN}`,
        })
      const { roundTrips, read, written } = await cost(async () => {
        expect((await open()).status).toBe(200)
      })
      expect({ roundTrips, written }).toEqual({ roundTrips: 1, written: 0 })
      expect(read).toBeGreaterThan(0)
      // Each figure once; besides, one look for every hour and metric.
      expect(read).toBeLessThan(by === 'hour' ? 48 * (90 + 14) : DAYS * 24 * (90 + 14))
    }
  })

  it('pruning reads slices', async () => {
    const first = await cost(() => prune(h.deps))
    expect(first.roundTrips).toBe(1)
    // The slice of three tables: once to find its end, once to look at it.
    expect(first.read).toBeLessThan(3 * 2 * SLICE_KEYS + 2_000)
  })
})
