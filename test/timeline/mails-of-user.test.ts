// Which mails are somebody's: no index says so, a chain does. Whoever writes a mail keeps it.
import { describe, expect, it } from 'vitest'
import { readTimeline } from '../../src/admin/read-user.ts'
import { ADMIN_TOKEN, claim, deskHarness, owner, Program } from '../admin/desk.ts'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'
import { timelineOf, typesOf } from '../support/timelines.ts'

const HOUR = 3_600_000
const WINDOW = 15 * 60_000

interface Link {
  id: string
  kind: string
  user_id: string
  previous_id: string | null
}

/** The user's mails along the chain, newest first. */
async function chainOf(h: Harness, userId: string): Promise<Link[]> {
  const [user] = await h.rows<{ last_message_id: string | null }>(
    'select last_message_id from users where id = ?',
    userId,
  )
  const links: Link[] = []
  for (let next = user?.last_message_id ?? null; next !== null; ) {
    const [link] = await h.rows<Link>('select * from messages where id = ?', next)
    if (link === undefined || links.some(({ id }) => id === link.id)) break
    links.push(link)
    next = link.previous_id
  }
  return links
}

const kindsOf = async (h: Harness, userId: string) =>
  (await chainOf(h, userId)).map(({ kind }) => kind)

/** Every mail that names the user is in the chain, and no other. */
async function expectWhole(h: Harness, userId: string, count: number) {
  const links = await chainOf(h, userId)
  const all = await h.rows<{ id: string }>('select id from messages where user_id = ?', userId)
  expect(links.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort())
  expect(links).toHaveLength(count)
  expect(new Set(links.map((link) => link.user_id))).toEqual(new Set([userId]))
}

/** So many mails of another kind, newer than all others. */
async function bury(h: Harness, userId: string, count: number) {
  await h.rows(
    `insert into messages (id, user_id, kind, to_email, generation, state, attempts, created_at, previous_id)
      select 'ffffffff' || printf('-%08d', value), ?1, 'reset_password', 'x@mail.example', 0, 'sent', 1,
        ?2, iif(value = 1, (select last_message_id from users where id = ?1),
          'ffffffff' || printf('-%08d', value - 1))
      from json_each(?3)`,
    userId,
    h.now,
    JSON.stringify(Array.from({ length: count }, (_, i) => i + 1)),
  )
  expect(await chainOf(h, userId)).toHaveLength(count + 1)
}

describe('the chain of a user’s mails', () => {
  it('begins with the mail of the registration, which names nothing before it', async () => {
    const h = await createHarness()
    const { id } = (await h.browser().register(freshAddress())).body.user
    await expectWhole(h, id, 1)
    expect((await chainOf(h, id))[0]?.previous_id).toBeNull()
  })

  it('goes on where the claim is renewed, and through what the limit withheld', async () => {
    const h = await createHarness()
    const browser = h.browser()
    const email = freshAddress()
    const ids = new Set<string>()
    for (let nth = 0; nth < 5; nth++) {
      h.now += 1000
      ids.add((await browser.register(email)).body.user.id)
    }
    const [id = ''] = ids
    expect(ids.size).toBe(1)
    await expectWhole(h, id, 5)
    expect(await h.rows("select 1 from messages where error = 'withheld'")).toHaveLength(2)
    // Another's claim on the address has a chain of its own.
    const rival = (await h.browser().register(email)).body.user.id
    await expectWhole(h, rival, 1)
    await expectWhole(h, id, 5)
  })

  it('has every kind of mail, also two of one batch, and the desk’s', async () => {
    const h = await deskHarness()
    const { browser, email, id } = await owner(h)
    h.now += WINDOW
    await h.browser().post('/auth/forgot-password', { email })
    const change = { new_email: freshAddress(), password: PASSWORD }
    const asked = await browser.post('/auth/change-email', change)
    expect([asked.status, asked.text]).toEqual([202, asked.text])
    h.now += 1000
    expect((await browser.post('/auth/resend-verification')).body.status).toBe('sent')
    h.now += 1000
    const reason = 'no mail came'
    const answer = await new Program(h).post(`/admin/users/${id}/resend`, {
      kind: 'reset',
      reason,
    })
    expect([answer.status, answer.text]).toEqual([200, answer.text])
    expect(await kindsOf(h, id)).toEqual([
      'reset_password',
      'change_email',
      'email_change_notice',
      'change_email',
      'reset_password',
      'verify_email',
    ])
    await expectWhole(h, id, 6)
  })

  it('F7: the timeline shows all mails, in order', async () => {
    const h = await deskHarness()
    const { browser, id, email } = await claim(h)
    const written = [h.now - 1000]
    for (let nth = 0; nth < 6; nth++) {
      h.now += WINDOW / 2
      written.push(h.now)
      if (nth % 2 === 0) await browser.register(email)
      else await h.browser().post('/auth/resend-verification', { email })
    }
    const mails = (await timelineOf(h, id)).filter(({ type }) => type === 'mail_queued')
    expect(mails.map(({ at }) => at)).toEqual(written)
    const ids = (await chainOf(h, id)).map((link) => link.id)
    expect(mails.map(({ messageId }) => messageId)).toEqual(ids.toReversed())
  })

  it('F7: of more than two hundred mails the timeline has the newest, and says that there were more', async () => {
    const h = await deskHarness()
    const { id } = await claim(h)
    const [first] = await chainOf(h, id)
    await bury(h, id, 199)
    expect(await readTimeline(h.deps, id)).toMatchObject({ isComplete: true })
    await h.rows("delete from messages where id like 'ffffffff%'")
    await h.rows('update users set last_message_id = ? where id = ?', first?.id, id)
    await bury(h, id, 200)
    const timeline = await readTimeline(h.deps, id)
    expect(timeline?.isComplete).toBe(false)
    const shown = (timeline?.entries ?? []).filter(({ type }) => type === 'mail_queued')
    expect(shown).toHaveLength(200)
    expect(shown.map(({ messageId }) => messageId)).not.toContain(first?.id)
    const { mails } = (await new Program(h).get(`/admin/users/${id}`)).body
    expect(mails[0].id).toBe('ffffffff-00000200')
  })

  it('ends where the ledger was pruned; a link that broke only shortens what is shown', async () => {
    const h = await deskHarness()
    const { browser, id, email } = await claim(h)
    for (let nth = 0; nth < 3; nth++) {
      h.now += WINDOW
      await browser.register(email)
    }
    const [, , third, first] = await chainOf(h, id)
    const shown = async () =>
      (await timelineOf(h, id)).filter(({ type }) => type === 'mail_queued').length
    expect(await shown()).toBe(4)
    await h.rows('delete from messages where id = ?', first?.id)
    expect(await shown()).toBe(3)
    await h.rows('delete from messages where id = ?', third?.id)
    expect(await shown()).toBe(2)
    await h.rows('delete from messages')
    expect(await typesOf(h, id)).not.toContain('mail_queued')
    expect((await browser.session()).body.mail).toBeNull()
    // And begins again.
    await browser.register(email)
    expect(await shown()).toBe(1)
  })
})

describe('the last mail of a kind', () => {
  it('is found behind others, and given up after a thousand', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const { id } = (await ada.register(freshAddress())).body.user
    await bury(h, id, 999)
    expect((await ada.session()).body.mail).toMatchObject({ state: 'queued' })

    const bob = h.browser()
    const other = (await bob.register(freshAddress())).body.user
    await h.rows("delete from messages where id like 'ffffffff%'")
    await bury(h, other.id, 1000)
    expect((await bob.session()).body.mail).toBeNull()
  })
})

describe('a mail whose user is gone', () => {
  const gone = (h: Harness, id: string) => h.rows('delete from users where id = ?', id)

  async function registered(h: Harness) {
    const { id } = (await h.browser().register(freshAddress())).body.user
    const [mail] = await h.rows<{ id: string }>('select id from messages where user_id = ?', id)
    return { id: String(id), mail: mail?.id ?? '' }
  }

  const stateOf = async (h: Harness, mail: string) =>
    (await h.rows<{ state: string }>('select state from messages where id = ?', mail))[0]?.state

  /** Nothing tells of somebody who is not there: no event, no line of the log. */
  async function expectUntold(h: Harness, event: string) {
    expect(await h.rows('select * from events')).toEqual([])
    const lines = h.logs.filter((line) => line.event === event)
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toHaveProperty('user_id')
  }

  it('is recorded as it ended, where the user went while it was being sent', async () => {
    const h = await createHarness()
    const { id, mail } = await registered(h)
    const other = await registered(h)
    h.network = async () => {
      await gone(h, id)
      return new Response('{"errors":[{"message":"no"}]}', { status: 400 })
    }
    await h.deliver()
    expect(await stateOf(h, mail)).toBe('failed')
    expect(await stateOf(h, other.mail)).toBe('failed')
    expect(await h.rows('select user_id, message_id from events')).toEqual([
      { user_id: other.id, message_id: other.mail },
    ])
  })

  it('expires unsent, and the row goes on naming them', async () => {
    const h = await createHarness()
    const { id, mail } = await registered(h)
    await gone(h, id)
    await h.deliver()
    expect(h.httpCalls).toBe(0)
    expect(await h.rows('select user_id, state from messages where id = ?', mail)).toEqual([
      { user_id: id, state: 'expired' },
    ])
    await expectUntold(h, 'mail_expired')
  })

  it('is given up by the sweep', async () => {
    const h = await createHarness({ MAIL_MAX_ATTEMPTS: '1' })
    const { id, mail } = await registered(h)
    // Claimed, and never heard of again.
    h.bindings.fault = (binding, nth) => (binding === 'd1' && nth > 2 ? 'throw' : undefined)
    await h.deliver()
    h.bindings.fault = () => undefined
    expect(await stateOf(h, mail)).toBe('sending')
    await gone(h, id)
    h.now += HOUR
    h.logs.splice(0)
    expect((await h.sweep()).abandoned).toBe(1)
    expect(await stateOf(h, mail)).toBe('failed')
    await expectUntold(h, 'mail_failed')
  })

  it('is a dead letter', async () => {
    const h = await createHarness()
    const { id, mail } = await registered(h)
    await gone(h, id)
    await h.deliverDead([mail])
    expect(await stateOf(h, mail)).toBe('failed')
    await expectUntold(h, 'dead_letter')
  })

  it('is at the desk without a user to go to, and can be retried', async () => {
    const h = await createHarness({ ADMIN_TOKEN })
    const { id, mail } = await registered(h)
    await gone(h, id)
    await h.deliverDead([mail])
    const desk = new Program(h)
    expect((await desk.get('/admin/mails/failed')).body.mails).toMatchObject([
      { id: mail, user_id: null },
    ])
    const answer = await desk.post(`/admin/mails/${mail}/retry`, { reason: 'why not' })
    expect(answer.body.status).toBe('retried')
    await expectUntold(h, 'support_action')
    expect((await desk.post('/admin/users/find', { query: mail })).body.users).toEqual([])
  })

  it('S12: a rival’s mail is no mail of the one who proved the address, but theirs to export', async () => {
    const h = await deskHarness()
    const email = freshAddress()
    const rival = await claim(h, email)
    const ada = h.browser()
    const { id } = (await ada.register(email)).body.user
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    expect((await ada.confirm(token)).body.status).toBe('verified')
    expect(await h.rows('select 1 from users where id = ?', rival.id)).toEqual([])
    const types = (await typesOf(h, id)).filter((type) => type === 'mail_queued')
    expect(types).toHaveLength(1)
    const { body } = await new Program(h).get(`/admin/users/${id}/export`)
    expect(body.mails).toMatchObject([{ user_id: rival.id }, { user_id: id }])
  })
})
