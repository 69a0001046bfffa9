// Promise 6: that a link was looked at, and that the address was proven, is told by the user's own row. Where that
// row is overwritten, an event keeps what it said, and no timeline loses or doubles anything.
import { describe, expect, it } from 'vitest'
import { claim, deskHarness, owner, Program } from '../admin/desk.ts'
import { type Browser, PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'
import { timelineOf } from '../support/timelines.ts'

const MINUTE = 60_000

/** The entries of one type: when, and how. */
async function entriesOf(h: Harness, userId: string, type: string) {
  const entries = (await timelineOf(h, userId)).filter((entry) => entry.type === type)
  return entries.map(({ at, detail }) => ({ at, detail }))
}

const eventsOf = (h: Harness, ...types: string[]) =>
  h.rows<{ at: number; type: string; detail: string | null }>(
    'select at, type, detail from events where type in (select value from json_each(?)) order by at',
    JSON.stringify(types),
  )

/** What an older version leaves: events, and nothing in the columns. */
async function asOlderVersion(h: Harness): Promise<void> {
  await h.rows(
    `insert into events (user_id, at, type)
      select id, link_opened_at, 'link_opened' from users where link_opened_at is not null`,
  )
  await h.rows(
    `insert into events (user_id, at, type, detail)
      select id, email_verified_at, 'verified', verified_by from users where verified_by is not null`,
  )
  await h.rows('update users set verified_by = null, link_opened_at = null')
}

const path = (token: string) => `/auth/verify-email?token=${token}`

describe('F7, promise 6: that an address was verified is no event of its own', () => {
  it.each([
    ['session', (h: Harness, person: { browser: Browser }) => ({ h, browser: person.browser })],
    ['password', (h: Harness) => ({ h, browser: h.browser(), password: PASSWORD })],
  ] as const)('by %s: the timeline says when and how, and so does the export', async (how, by) => {
    const h = await deskHarness()
    const person = await claim(h)
    await h.browser().register(person.email, 'a rival’s password')
    const { browser, password } = { password: undefined, ...by(h, person) }
    h.bindings.resetCounts()
    expect((await browser.confirm(person.token, password)).body.status).toBe('verified')
    expect(await h.rows('select * from events')).toEqual([])
    expect(await h.rows('select id from users')).toEqual([{ id: person.id }])
    expect(await entriesOf(h, person.id, 'verified')).toEqual([{ at: h.now, detail: how }])
    const { body } = await new Program(h).get(`/admin/users/${person.id}/export`)
    const at = new Date(h.now).toISOString()
    expect(body.user).toMatchObject({ email_verified_at: at, verified_by: how })
    expect(body.timeline).toContainEqual({
      user_id: person.id,
      at,
      type: 'verified',
      message_id: '',
      provider: null,
      actor: null,
      detail: how,
    })
  })

  it('by click: the look and the proof stand in the row, in that order', async () => {
    const h = await createHarness({ VERIFY_MODE: 'click' })
    const { id, token, browser } = await claim(h)
    await browser.get(path(token))
    expect(await h.rows('select * from events')).toEqual([])
    const last = (await timelineOf(h, id))
      .slice(-2)
      .map(({ at, type, detail }) => [at, type, detail])
    expect(last).toEqual([
      [h.now, 'link_opened', null],
      [h.now, 'verified', 'click'],
    ])
  })

  it('by the desk: its own entry, and that the address was verified', async () => {
    const h = await deskHarness()
    const { id } = await claim(h)
    await new Program(h).post(`/admin/users/${id}/verify`, { reason: 'I know them' })
    expect(await eventsOf(h, 'verified', 'support_verified')).toMatchObject([
      { type: 'support_verified' },
    ])
    expect(await entriesOf(h, id, 'verified')).toEqual([{ at: h.now, detail: 'support' }])
  })

  it('a reset link that proves the address is told by its own event alone', async () => {
    const h = await createHarness()
    const { id, email } = await claim(h)
    await h.browser().post('/auth/forgot-password', { email })
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    const reset = { token, password: 'an entirely new one' }
    expect((await h.browser().post('/auth/reset-password', reset)).status).toBe(200)
    expect(await entriesOf(h, id, 'verified')).toEqual([])
    expect(await entriesOf(h, id, 'password_reset')).toHaveLength(1)
  })

  it('a reset of a verified account keeps both facts', async () => {
    const h = await createHarness()
    const { id, email } = await owner(h)
    const verified = await entriesOf(h, id, 'verified')
    await h.browser().post('/auth/forgot-password', { email })
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    const reset = { token, password: 'an entirely new one' }
    expect((await h.browser().post('/auth/reset-password', reset)).status).toBe(200)
    expect(await entriesOf(h, id, 'verified')).toEqual(verified)
    expect(await entriesOf(h, id, 'password_reset')).toHaveLength(1)
  })
})

describe('F7: a change of address keeps when and how the address before was verified', () => {
  /** A verified account that has asked for another address; links to it and to undo it. */
  async function changing(h: Harness, isOlder: boolean) {
    const person = await owner(h)
    if (isOlder) await asOlderVersion(h)
    const verified = await entriesOf(h, person.id, 'verified')
    expect(verified).toEqual([{ at: h.now - 1000, detail: 'session' }])
    const next = freshAddress('next')
    await person.browser.post('/auth/change-email', { new_email: next, password: PASSWORD })
    await h.deliver()
    h.now += 1000
    const { token } = linkIn((await h.mails(next))[0])
    const undo = linkIn((await h.mails(person.email))[0]).token
    return { ...person, next, verified, token, undo }
  }

  it.each([false, true])(
    'applied, then undone, once each (row of an older version: %s)',
    async (isOlder) => {
      const h = await deskHarness()
      const { id, browser, verified, token, undo } = await changing(h, isOlder)
      // Who proves nothing, and a link that has done its work, write nothing.
      const changesNothing = async (by: Browser) => {
        const before = await eventsOf(h, 'verified', 'email_changed')
        await by.confirm(token)
        expect(await eventsOf(h, 'verified', 'email_changed')).toEqual(before)
        expect(await entriesOf(h, id, 'verified')).toEqual(verified)
      }
      await changesNothing(h.browser())
      const changedAt = h.now
      expect((await browser.confirm(token)).body.status).toBe('verified')
      expect(await eventsOf(h, 'verified')).toEqual([{ type: 'verified', ...verified[0] }])
      expect(await entriesOf(h, id, 'email_changed')).toEqual([{ at: changedAt, detail: null }])
      h.now += 1000
      await changesNothing(browser)

      expect((await h.browser().post('/auth/undo-email-change', { token: undo })).status).toBe(200)
      expect(await entriesOf(h, id, 'verified')).toEqual(verified)
      expect(await entriesOf(h, id, 'email_changed')).toEqual([{ at: changedAt, detail: null }])
      expect(await entriesOf(h, id, 'email_change_undone')).toEqual([{ at: h.now, detail: null }])
      const { body } = await new Program(h).get(`/admin/users/${id}/export`)
      const types = body.timeline.map(({ type }: { type: string }) => type)
      expect(types.filter((type: string) => type === 'verified')).toHaveLength(1)
    },
  )

  it.each([false, true])(
    'undone before it was applied (row of an older version: %s)',
    async (isOlder) => {
      const h = await createHarness()
      const { id, verified, undo } = await changing(h, isOlder)
      for (const status of [200, 400]) {
        const undone = await h.browser().post('/auth/undo-email-change', { token: undo })
        expect(undone.status).toBe(status)
        expect(await entriesOf(h, id, 'verified')).toEqual(verified)
        expect(await eventsOf(h, 'verified')).toHaveLength(1)
        h.now += 1000
      }
      expect(await entriesOf(h, id, 'email_change_undone')).toHaveLength(1)
    },
  )

  it('a change to an address that was taken meanwhile writes nothing', async () => {
    const h = await createHarness()
    const { id, browser, next, verified, token } = await changing(h, false)
    await owner(h, next)
    expect((await browser.confirm(token)).body.error).toBe('email_taken')
    expect(await eventsOf(h, 'verified')).toEqual([])
    expect(await entriesOf(h, id, 'verified')).toEqual(verified)
  })
})

describe('F7, promise 6: the first look at a link is no event of its own', () => {
  /** How many rows a view writes. */
  async function written(h: Harness, view: () => Promise<{ status: number }>): Promise<number> {
    h.bindings.resetCounts()
    expect((await view()).status).toBe(200)
    expect(h.bindings.counts.d1).toBe(1)
    return h.bindings.counts.rowsWritten
  }

  it('stands in the row; within a minute nothing more is written, after it an event', async () => {
    const h = await deskHarness()
    const { id, token } = await claim(h)
    const look = () => written(h, () => h.browser().get(path(token)))
    expect(await written(h, () => h.browser().send('HEAD', path(token)))).toBe(0)
    expect(await entriesOf(h, id, 'link_opened')).toEqual([])

    const first = h.now
    expect([await look(), await look()]).toEqual([1, 0])
    h.now = first + MINUTE - 1
    expect(await look()).toBe(0)
    expect(await eventsOf(h, 'link_opened')).toEqual([])
    h.now = first + MINUTE
    expect([await look(), await look()]).toEqual([1, 0])
    h.now += MINUTE - 1
    expect(await look()).toBe(0)
    expect(await eventsOf(h, 'link_opened')).toMatchObject([{ at: first + MINUTE }])
    expect((await entriesOf(h, id, 'link_opened')).map(({ at }) => at - first)).toEqual([0, MINUTE])
    const { body } = await new Program(h).get(`/admin/users/${id}/export`)
    expect(body.user.link_opened_at).toBe(new Date(first).toISOString())
  })

  it('stays where the claim is renewed, and where the address is changed', async () => {
    const h = await createHarness()
    const { id, browser, email, token } = await claim(h)
    const first = h.now
    await browser.get(path(token))
    h.now += 2 * MINUTE
    expect((await browser.register(email)).body.user.id).toBe(id)
    expect((await browser.confirm(token)).body.status).toBe('verified')
    const next = freshAddress('next')
    await browser.post('/auth/change-email', { new_email: next, password: PASSWORD })
    await h.deliver()
    const change = linkIn((await h.mails(next))[0])
    expect(await written(h, () => browser.get(change.url))).toBe(1)
    expect((await browser.confirm(change.token)).body.status).toBe('verified')
    const at = (await entriesOf(h, id, 'link_opened')).map((entry) => entry.at - first)
    expect(at).toEqual([0, 2 * MINUTE])
  })

  it('a look at the link of nobody writes nothing', async () => {
    const h = await createHarness()
    const { browser, token } = await claim(h)
    await h.rows('delete from users')
    h.bindings.resetCounts()
    await browser.get(path(token))
    expect(h.bindings.counts.rowsWritten).toBe(0)
  })

  it('rows of an older version show nothing twice, and go on as they were', async () => {
    const h = await createHarness()
    const { id, browser, token } = await claim(h)
    const first = h.now
    await browser.get(path(token))
    await asOlderVersion(h)
    expect(await entriesOf(h, id, 'link_opened')).toEqual([{ at: first, detail: null }])
    for (let nth = 0; nth < 2; nth++) {
      h.now += MINUTE
      await browser.get(path(token))
    }
    const at = (await entriesOf(h, id, 'link_opened')).map((entry) => entry.at - first)
    expect(at).toEqual([0, MINUTE, 2 * MINUTE])
  })
})
