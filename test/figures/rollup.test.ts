import { describe, expect, it } from 'vitest'
import { HOUR_MS, hourOf } from '../../src/figures/metrics.ts'
import { hoursToCount, rollUp } from '../../src/figures/rollup.ts'
import { firstIdOf } from '../../src/uuid-v7.ts'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'
import { wholeScans } from '../support/query-plans.ts'

const DAY_MS = 86_400_000
const countUp = (h: Harness) => rollUp(h.deps)

/** `{metric or metric/dimension: count}` of an hour. */
async function figuresOf(h: Harness, hour: number): Promise<Record<string, number>> {
  const rows = await h.rows<{ metric: string; dimension: string; count: number }>(
    'select metric, dimension, count from figures where hour = ? and count > 0',
    hour,
  )
  return Object.fromEntries(
    rows.map(({ metric, dimension, count }) => [
      dimension === '' ? metric : `${metric}/${dimension}`,
      count,
    ]),
  )
}

/** What a provider's report leaves behind. */
async function report(h: Harness, email: string, state: 'delivered' | 'bounced' | 'complained') {
  await h.rows(
    'update messages set state = ?, settled_at = ? where to_email = ?',
    state,
    h.now,
    email,
  )
  await h.rows(
    `insert into events (user_id, at, type, message_id)
      select user_id, ?, 'mail_' || state, id from messages where to_email = ? and user_id is not null`,
    h.now,
    email,
  )
}

/** A mail to nobody's account, by SQL. */
async function addMails(h: Harness, toEmails: readonly string[], state: string): Promise<void> {
  const rows = toEmails.map((email, nth) => [
    `${firstIdOf(h.now)}-7000-8000-${String(nth).padStart(12, '0')}`,
    email,
  ])
  await h.rows(
    `insert into messages (id, kind, to_email, generation, state, attempts, created_at, settled_at)
      select value ->> 0, 'verify_email', value ->> 1, 0, ?2, 1, ?3, ?3 from json_each(?1)
      where true on conflict (id) do update set state = excluded.state, to_email = excluded.to_email`,
    JSON.stringify(rows),
    state,
    h.now,
  )
}

describe('F5, F7: the figures of an hour', () => {
  it('follow people from registering to verified, and their mails, each in the hour it began', async () => {
    const h = await createHarness()
    const hour = h.now
    const [ada, bob, eve] = [freshAddress('ada'), freshAddress('bob'), freshAddress('eve')]
    const browser = h.browser()
    await browser.register(ada)
    h.now += 3_000
    await h.deliver()
    h.now += 2_000
    await report(h, ada, 'delivered')
    const { token } = linkIn((await h.mails(ada))[0])
    await browser.open(`/auth/verify-email?token=${token}`)
    await h.browser().open(`/auth/verify-email?token=${token}`)
    h.now += 70_000
    expect((await browser.confirm(token)).status).toBe(200)
    await h.browser().register(bob)
    await h.deliver()
    await report(h, bob, 'bounced')
    h.now = hour + HOUR_MS - 1
    await h.browser().register(eve)
    h.now += 1
    await h.browser().register(freshAddress('later'))
    await countUp(h)
    expect(await figuresOf(h, hour)).toEqual({
      registered: 3,
      accepted: 2,
      delivered: 1,
      opened: 1,
      verified: 1,
      'time_to_verify/120000': 1,
      'queue_age/5000': 1,
      'queue_age/1000': 1,
      queue_age_max: 3_000,
      'mail_state/delivered': 1,
      'mail_state/bounced': 1,
      'mail_state/queued': 1,
      'provider/sendgrid': 2,
      'bounced/mail.example': 1,
    })
    expect(await figuresOf(h, hour + HOUR_MS)).toEqual({
      registered: 1,
      'mail_state/queued': 1,
    })
  })

  it('count a reset link as a way to verify, and its mail for nothing on the way there', async () => {
    const h = await createHarness()
    const [user, owner] = [freshAddress(), freshAddress()]
    await h.browser().register(user)
    await h.browser().register(owner)
    await h.rows("update messages set state = 'suppressed', settled_at = 1")
    h.bindings.queued.length = 0
    h.now += 60_000
    await h.browser().post('/auth/forgot-password', { email: user })
    await h.deliver()
    const mail = linkIn((await h.mails(user)).find(({ text }) => text.includes('reset-password')))
    const reset = { token: mail.token, password: 'another correct horse' }
    expect((await h.browser().post('/auth/reset-password', reset)).status).toBe(200)
    await countUp(h)
    const figures = await figuresOf(h, hourOf(h.now))
    expect(figures).toMatchObject({ registered: 2, verified: 1, 'time_to_verify/60000': 1 })
    expect(figures).not.toHaveProperty('accepted')
  })

  it('count a claim that was renewed from its first registration on', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const browser = h.browser()
    await browser.register(email)
    await h.deliver()
    h.now += 100_000
    await browser.register(email)
    h.now += 10_000
    const { token } = linkIn((await h.mails(email))[0])
    expect((await browser.confirm(token)).status).toBe(200)
    await countUp(h)
    expect(await figuresOf(h, hourOf(h.now))).toMatchObject({
      registered: 1,
      accepted: 1,
      verified: 1,
      'time_to_verify/120000': 1,
    })
  })

  it('count people and mails of an older version, with events of their own, the same', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const browser = h.browser()
    await browser.register(email)
    await h.browser().register(freshAddress())
    await h.deliver()
    h.now += 5_000
    const { token, url } = linkIn((await h.mails(email))[0])
    await browser.open(url)
    h.now += 7_000
    await browser.confirm(token)
    await countUp(h)
    const before = await h.rows('select * from figures order by metric, dimension')
    const counted = {
      registered: 2,
      accepted: 2,
      opened: 1,
      verified: 1,
      'time_to_verify/30000': 1,
    }
    expect(await figuresOf(h, hourOf(h.now))).toMatchObject(counted)
    await h.rows(
      "insert into events (user_id, at, type) select id, created_at, 'registered' from users",
    )
    await h.rows(
      `insert into events (user_id, at, type, message_id, provider, detail)
        select user_id, sent_at, 'mail_accepted', id, provider, provider_message_id from messages`,
    )
    await h.rows(
      `insert into events (user_id, at, type)
        select id, email_verified_at, 'verified' from users where verified_by is not null
        union all select id, link_opened_at, 'link_opened' from users where link_opened_at is not null`,
    )
    await h.rows('update users set verified_by = null, link_opened_at = null')
    await h.rows('delete from figures')
    await countUp(h)
    expect(await h.rows('select * from figures order by metric, dimension')).toEqual(before)
    // An acceptance that the ledger no longer says, because the mail was retried.
    await h.rows("update messages set sent_at = null, provider = null, state = 'queued'")
    await h.rows('delete from figures')
    await countUp(h)
    expect(await figuresOf(h, hourOf(h.now))).toMatchObject({ registered: 2, accepted: 2 })
  })

  it('count the first look and the first proof, whatever is looked at and proven later', async () => {
    const h = await createHarness()
    const hour = hourOf(h.now)
    const email = freshAddress()
    const browser = h.browser()
    await browser.register(email)
    await h.deliver()
    const { token, url } = linkIn((await h.mails(email))[0])
    await browser.open(url)
    h.now += 20_000
    await browser.confirm(token)
    h.now += 600_000
    await browser.open(url)
    const next = freshAddress('next')
    await browser.post('/auth/change-email', { new_email: next, password: PASSWORD })
    await h.deliver()
    const change = linkIn((await h.mails(next))[0])
    expect((await browser.confirm(change.token)).body.user.email).toBe(next)
    await countUp(h)
    const figures = await figuresOf(h, hour)
    expect(figures).toMatchObject({ opened: 1, verified: 1, 'time_to_verify/30000': 1 })
  })

  it('are the same when counted twice, and at once', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    await h.deliver()
    await countUp(h)
    const before = await h.rows('select * from figures')
    h.bindings.resetCounts()
    await countUp(h)
    await Promise.all([countUp(h), countUp(h)])
    expect(await h.rows('select * from figures')).toEqual(before)
    expect(h.bindings.counts.d1).toBe(3)
  })

  it('stay when rivals and claims that ran out vanish', async () => {
    const h = await createHarness()
    const hour = hourOf(h.now)
    const email = freshAddress()
    await h.browser().register(email, 'a rival’s password')
    const ada = h.browser()
    await ada.register(email)
    await h.deliver()
    await countUp(h)
    expect(await figuresOf(h, hour)).toMatchObject({ registered: 2, accepted: 2 })
    await ada.confirm(linkIn((await h.mails(email))[0]).token)
    await ada.send('DELETE', '/auth/account', { json: { password: 'correct horse battery' } })
    expect(await h.rows('select id from users')).toEqual([])
    await countUp(h)
    expect(await figuresOf(h, hour)).toMatchObject({ registered: 2, accepted: 2 })
  })

  it('make up for a cron that stood still, and for what happens late', async () => {
    const h = await createHarness()
    const hour = hourOf(h.now)
    const email = freshAddress()
    const ada = h.browser()
    await ada.register(email)
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    h.now += 20 * HOUR_MS
    await ada.confirm(token)
    for (let minute = 0; minute < 72; minute++) {
      h.now += 60_000
      await countUp(h)
    }
    expect(await figuresOf(h, hour)).toMatchObject({
      registered: 1,
      verified: 1,
      'time_to_verify/86400000': 1,
    })
  })

  it('follow mails from state to state, without a trace of the states they left', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    await countUp(h)
    expect(await figuresOf(h, hourOf(h.now))).toMatchObject({ 'mail_state/queued': 1 })
    await h.deliver()
    await report(h, email, 'delivered')
    await countUp(h)
    const figures = await figuresOf(h, hourOf(h.now))
    expect(figures).toMatchObject({ 'mail_state/delivered': 1 })
    expect(figures).not.toHaveProperty('mail_state/queued')
  })

  it('S10: count the mails that the limit of an address withheld, apart from those that went out', async () => {
    const h = await createHarness()
    const email = freshAddress()
    for (let nth = 0; nth < 5; nth++) await h.browser().register(email)
    await h.deliver()
    await countUp(h)
    expect(await figuresOf(h, hourOf(h.now))).toMatchObject({
      registered: 5,
      withheld: 2,
      'mail_state/sent': 3,
      'queue_age/1000': 3,
    })
  })

  it('name the ten domains that bounce most; a name once given stays, and no mail is counted twice', async () => {
    const h = await createHarness()
    const domains = Array.from({ length: 14 }, (_, nth) => `d${nth}.example`)
    const mails = (extra: number) =>
      domains.flatMap((domain, nth) => {
        const many = 14 - nth + (nth > 10 ? extra : 0)
        return Array.from({ length: many }, (_, n) => `person-${n}@${domain}`)
      })
    const bounced = async () => {
      const entries = Object.entries(await figuresOf(h, hourOf(h.now)))
      return new Map(entries.filter(([name]) => name.startsWith('bounced')))
    }
    await addMails(h, mails(0), 'bounced')
    await countUp(h)
    const first = await bounced()
    expect([...first.keys()].sort()).toEqual(
      ['bounced', ...domains.slice(0, 10).map((domain) => `bounced/${domain}`)].sort(),
    )
    expect(first.get('bounced')).toBe(4 + 3 + 2 + 1)

    await addMails(h, mails(50), 'bounced')
    await countUp(h)
    const second = await bounced()
    expect([...second.keys()].sort()).toEqual([...first.keys()].sort())
    expect([...second.values()].reduce((sum, count) => sum + count)).toBe(mails(50).length)
  })

  it('F12: hold no address, and no part of one before its @', async () => {
    const h = await createHarness()
    await addMails(h, ['very.private+tag@example.org', 'other@example.net'], 'bounced')
    await addMails(h, ['very.private+tag@example.org'], 'complained')
    await countUp(h)
    const text = JSON.stringify(await h.rows('select * from figures'))
    expect(text).toContain('example.org')
    expect(text).not.toMatch(/@|private|other/)
  })

  it('are kept for two years', async () => {
    const h = await createHarness()
    const edge = h.now - 2 * 365 * DAY_MS
    for (const hour of [edge - 1, edge]) {
      await h.rows("insert into figures values (?, 'registered', '', 1)", hour)
    }
    await countUp(h)
    expect(await h.rows('select hour from figures')).toEqual([{ hour: edge }])
  })
})

describe('a run', () => {
  it('counts this hour and the last one always, and each of the 70 before within 70 minutes', () => {
    const now = Date.UTC(2026, 10, 2, 12)
    const seen = new Set<number>()
    for (let minute = 0; minute < 59; minute++) {
      const hours = hoursToCount(now + minute * 60_000)
      expect(hours.slice(0, 2)).toEqual([now, now - HOUR_MS])
      expect(hours).toHaveLength(3)
      for (const hour of hours) seen.add((now - hour) / HOUR_MS)
    }
    for (let minute = 60; minute < 73; minute++) {
      for (const hour of hoursToCount(now + minute * 60_000)) seen.add((now - hour) / HOUR_MS)
    }
    expect(Math.max(...seen)).toBeLessThan(72)
    expect([...seen].filter((back) => back >= 0).length).toBeGreaterThanOrEqual(70)
  })

  it('throws where D1 fails, and the next one counts it all', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    h.bindings.fault = (binding) => (binding === 'd1' ? 'throw' : undefined)
    await expect(countUp(h)).rejects.toThrow()
    h.bindings.fault = () => undefined
    await countUp(h)
    expect(await figuresOf(h, hourOf(h.now))).toMatchObject({ registered: 1 })
  })

  it('walks through no whole table', async () => {
    const h = await createHarness()
    expect(await wholeScans(h, () => countUp(h))).toEqual({ judged: 3, scans: [] })
    const refuse = async () => {
      h.deps.tally.refused('mail-ip')
      await h.deps.tally.writeWhenDue()
    }
    expect(await wholeScans(h, refuse)).toEqual({ judged: 1, scans: [] })
  })
})
