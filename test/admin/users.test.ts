// Looking up a user: find, page, timeline, export; for programs and for people.
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { freshAddress, type Harness } from '../support/harness.ts'
import { claim, deskHarness, owner, Program, personAtDesk } from './desk.ts'

const find = (program: Program, query: unknown) => program.post('/admin/users/find', { query })
const ids = (answer: { body: { users: { id: string }[] } }) => answer.body.users.map(({ id }) => id)

/** A user about to change to another address. */
async function changing(h: Harness) {
  const person = await owner(h)
  const next = freshAddress('next')
  const change = { new_email: next, password: PASSWORD }
  expect((await person.browser.post('/auth/change-email', change)).status).toBe(202)
  await h.deliver()
  h.now += 1000
  return { ...person, next }
}

describe('find', () => {
  it('by an address, however it is spelled: the owner first, then all claims', async () => {
    const h = await deskHarness()
    const { id, email } = await owner(h)
    const rival = (await h.browser().register(email)).body.user.id
    h.now += 1000
    const later = (await h.browser().register(email)).body.user.id
    h.bindings.resetCounts()
    const answer = await find(new Program(h), `  ${email.toUpperCase()} `)
    expect(h.bindings.counts.d1).toBe(1)
    expect(answer.status).toBe(200)
    expect(ids(answer)).toEqual([id, later, rival])
    expect(answer.body.users[0]).toMatchObject({
      email,
      is_email_verified: true,
      found_by: 'address',
    })
    expect(answer.body.suppression).toBeNull()
    expect(answer.text).not.toMatch(/password|scrypt/)
  })

  it('by the address somebody is changing to, and by one they had', async () => {
    const h = await deskHarness()
    const { id, email, next, browser } = await changing(h)
    const pending = await find(new Program(h), next)
    expect(pending.body.users).toMatchObject([{ id, email, found_by: 'pending_address' }])
    const { token } = linkTo(await h.mails(next))
    expect((await browser.confirm(token)).body.status).toBe('verified')
    const before = await find(new Program(h), email)
    expect(before.body.users).toMatchObject([{ id, email: next, found_by: 'mailed_address' }])
  })

  it('by the id of a user or of a mail', async () => {
    const h = await deskHarness()
    const { id } = await claim(h)
    await claim(h)
    const [mail] = await h.rows<{ id: string }>('select id from messages where user_id = ?', id)
    expect((await find(new Program(h), id.toUpperCase())).body.users).toMatchObject([
      { id, found_by: 'id' },
    ])
    expect((await find(new Program(h), mail?.id)).body.users).toMatchObject([
      { id, found_by: 'mail_id' },
    ])
  })

  it('nobody, and what lies on the address all the same', async () => {
    const h = await deskHarness()
    const email = freshAddress()
    await env.DB.prepare("insert into suppressions values (?, 'hard_bounce', ?, null)")
      .bind(email, h.now)
      .run()
    const answer = await find(new Program(h), email)
    expect(answer.body).toEqual({
      ok: true,
      users: [],
      suppression: { email, reason: 'hard_bounce', since: '2026-11-02T12:00:00.000Z', until: null },
    })
    const page = await (await personAtDesk(h)).submit('/admin/users/find', { query: email })
    expect(page.text).toContain('A mail to it bounced for good')
    expect(page.text).toContain(`name="email" type="text" autocomplete="off" value="${email}"`)
  })

  it.each([
    ['neither', 'must be an address or an id'],
    ['a b@example.com', 'the part before @ may hold only'],
    [17, 'is required'],
    [undefined, 'is required'],
  ])('%s: 422 that names the field and the rule', async (query, rule) => {
    const h = await deskHarness()
    const answer = await find(new Program(h), query)
    expect([answer.status, answer.body.error]).toEqual([422, 'invalid_input'])
    expect(answer.body.errors).toEqual([{ path: 'query', message: expect.stringContaining(rule) }])
    const typed = String(query ?? '')
    const page = await (await personAtDesk(h)).submit('/admin/users/find', { query: typed })
    expect(page.status).toBe(422)
    if (typed === 'neither') {
      expect(page.text).toContain('This must be an address or an id.')
      expect(page.text).toContain('value="neither"')
    }
  })

  it('a person is led to the one that is found, and chooses among several; no address is in a URL', async () => {
    const h = await deskHarness()
    const { id, email } = await claim(h)
    const desk = await personAtDesk(h)
    const one = await desk.submit('/admin/users/find', { query: email })
    expect([one.status, one.headers.get('Location')]).toEqual([303, `/admin/users/${id}`])
    await h.browser().register(email)
    const several = await desk.submit('/admin/users/find', { query: email })
    expect(several.status).toBe(200)
    expect(several.text).toContain(`href="/admin/users/${id}"`)
    expect(several.text).toContain('2</h2>')
    for (const [, url] of several.text.matchAll(/(?:href|action)="([^"]*)"/g)) {
      expect(url).not.toContain('@')
    }
  })
})

describe('a user', () => {
  it('as a program sees it, in one round trip', async () => {
    const h = await deskHarness()
    const { id, email, next } = await changing(h)
    const rival = await h.browser().register(email)
    h.bindings.resetCounts()
    const { status, body, text } = await new Program(h).get(`/admin/users/${id}`)
    expect([status, h.bindings.counts.d1]).toEqual([200, 1])
    expect(body.user).toMatchObject({ id, email, pending_email: next, sessions: 1 })
    expect(body.user.is_email_verified).toBe(true)
    expect(body.same_address).toMatchObject([{ id: rival.body.user.id, is_email_verified: false }])
    expect(body.mails.map(({ kind }: { kind: string }) => kind).sort()).toEqual([
      'change_email',
      'email_change_notice',
      'verify_email',
    ])
    expect(body.mails.find(({ kind }: { kind: string }) => kind === 'verify_email')).toMatchObject({
      to: email,
      attempts: 1,
      provider: 'sendgrid',
      provider_message_id: expect.any(String),
      error: null,
      stalled: false,
    })
    expect(text).not.toMatch(/password_hash|scrypt/)
  })

  it('as a person sees it: facts, timeline, and only the actions that make sense', async () => {
    const h = await deskHarness()
    const verified = await owner(h)
    const unverified = await claim(h)
    const desk = await personAtDesk(h)
    const page = await desk.open(`/admin/users/${verified.id}`)
    expect(page.status).toBe(200)
    expect(page.text).toContain(`<h1>${verified.email}</h1>`)
    expect(page.text).toContain('Registered')
    expect(page.text).toContain('Accepted by the provider')
    expect(page.text).toContain('Address verified')
    const offered = (text: string) =>
      [...text.matchAll(/formaction="[^"]*\/([\w-]+)"(?: name="\w+" value="(\w+)")?/g)].map(
        ([, action, value]) => [action, value].filter(Boolean).join(' '),
      )
    expect(offered(page.text)).toEqual(['resend reset', 'link reset'])
    expect(offered((await desk.open(`/admin/users/${unverified.id}`)).text)).toEqual([
      'resend verify',
      'link verify',
      'resend reset',
      'link reset',
      'verify',
    ])
  })

  it('what people typed is shown as text', async () => {
    const h = await deskHarness()
    const { id } = await claim(h)
    const program = new Program(h, { actor: '<b>Eve</b>' })
    const reason = '<script>alert(1)</script>'
    await program.post(`/admin/users/${id}/resend`, { reason })
    const { text } = await (await personAtDesk(h)).open(`/admin/users/${id}`)
    expect(text).toContain('&lt;script&gt;')
    expect(text).toContain('&lt;b&gt;Eve')
    expect(text).not.toContain('<script')
  })

  it.each(['', '/timeline', '/export'])('that is not there: 404%s', async (path) => {
    const h = await deskHarness()
    const url = `/admin/users/00000000-0000-7000-8000-000000000000${path}`
    const answer = await new Program(h).get(url)
    expect([answer.status, answer.body.error]).toEqual([404, 'not_found'])
    const desk = await personAtDesk(h)
    const page = await desk.open(path === '/timeline' ? url.replace(path, '') : url)
    expect(page.status).toBe(404)
    expect(page.text).toContain('<h1>Not found</h1>')
  })
})

describe('F7: the timeline', () => {
  it('has everything in order: requests, the limit, mails with provider and id, views, verification', async () => {
    const h = await deskHarness()
    const { id, browser, token, email } = await claim(h)
    for (let i = 0; i < 3; i++) {
      h.now += 1000
      await h.browser().post('/auth/resend-verification', { email })
      await h.deliver()
    }
    h.now += 1000
    await browser.get(`/auth/verify-email?token=${token}`)
    h.now += 1000
    await browser.confirm(token)
    h.bindings.resetCounts()
    const { body } = await new Program(h).get(`/admin/users/${id}/timeline`)
    expect(h.bindings.counts.d1).toBe(1)
    const types = body.timeline.map(({ type }: { type: string }) => type)
    expect(types).toEqual([
      'registered',
      'mail_queued',
      'mail_accepted',
      'resend_requested',
      'mail_queued',
      'mail_accepted',
      // What strangers ask for is noted once a minute.
      'mail_queued',
      'mail_accepted',
      'mail_withheld',
      'link_opened',
      'verified',
    ])
    const times = body.timeline.map(({ at }: { at: string }) => at)
    expect(times).toEqual([...times].sort())
    expect(body.is_complete).toBe(true)
    const [row] = await h.rows<{ id: string; provider_message_id: string }>(
      'select id, provider_message_id from messages where user_id = ? order by id',
      id,
    )
    expect(body.timeline[2]).toMatchObject({
      mail_id: row?.id,
      mail_kind: 'verify_email',
      to: email,
      provider: 'sendgrid',
      provider_message_id: row?.provider_message_id,
    })
  })

  it('says that a mail waits for tomorrow because of the cap', async () => {
    const h = await deskHarness({ MAIL_DAILY_CAP: '1' })
    await claim(h)
    const answer = await h.browser().register(freshAddress())
    await h.deliver()
    const { body } = await new Program(h).get(`/admin/users/${answer.body.user.id}/timeline`)
    const held = body.timeline.filter(({ type }: { type: string }) => type === 'mail_held_for_cap')
    expect(held).toHaveLength(1)
  })

  it('goes when the user goes', async () => {
    const h = await deskHarness()
    const { id, browser } = await owner(h)
    const program = new Program(h)
    await program.post(`/admin/users/${id}/resend`, { kind: 'reset', reason: 'asked by phone' })
    expect(await h.rows('select 1 from events where user_id = ?', id)).not.toEqual([])
    const deleted = await browser.send('DELETE', '/auth/account', { json: { password: PASSWORD } })
    expect(deleted.status).toBe(204)
    expect(await h.rows('select 1 from events where user_id = ?', id)).toEqual([])
    expect((await program.get(`/admin/users/${id}/timeline`)).status).toBe(404)
  })
})

describe('the export', () => {
  it('is everything that is stored about the person, as a file, and nothing that lets anybody in', async () => {
    const h = await deskHarness()
    const { id, email, next, browser } = await changing(h)
    await env.DB.prepare("insert into suppressions values (?, 'complaint', ?, null)")
      .bind(email, h.now)
      .run()
    await env.DB.prepare(
      'insert into retired_links select email_fingerprint, ? from users where id = ?',
    )
      .bind(h.now, id)
      .run()
    h.bindings.resetCounts()
    const answer = await new Program(h).get(`/admin/users/${id}/export`)
    expect([answer.status, h.bindings.counts.d1]).toEqual([200, 1])
    expect(answer.headers.get('Content-Disposition')).toBe(`attachment; filename="user-${id}.json"`)
    const { body } = answer
    expect(body.user).toMatchObject({ id, email, pending_email: next })
    expect(body.suppressions).toMatchObject([{ email, reason: 'complaint' }])
    expect(body.email_changes).toMatchObject([{ from_email: email, to_email: next }])
    expect(body.mails).toHaveLength(3)
    expect(body.timeline.length).toBeGreaterThan(3)
    expect(body.sessions).toMatchObject([{ ip: expect.stringMatching(/^10\./) }])
    expect(body.retired_links).toHaveLength(1)

    // Every column of every table that is about a person, but for these.
    const parts: Record<string, string> = {
      users: 'user',
      sessions: 'sessions',
      messages: 'mails',
      email_changes: 'email_changes',
      events: 'timeline',
      suppressions: 'suppressions',
      retired_links: 'retired_links',
    }
    const secret = ['users.password_hash', 'sessions.id', 'email_changes.to_password_hash']
    // Said by where it stands.
    const implied = ['sessions.user_id', 'email_changes.user_id']
    for (const [table, part] of Object.entries(parts)) {
      const [row] = [body[part]].flat()
      const missing = (await columnsOf(h, table))
        .filter((name) => !Object.keys(row).includes(name))
        .map((name) => `${table}.${name}`)
      expect(missing.filter((name) => !implied.includes(name))).toEqual(
        secret.filter((name) => name.startsWith(`${table}.`)),
      )
    }
    // No table about people is forgotten.
    const tables = await h.rows<{ name: string }>(
      "select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'",
    )
    for (const { name } of tables) {
      const columns = await columnsOf(h, name)
      const isAboutPeople = columns.some((column) => /email|user_id/.test(column))
      expect([name, name in parts]).toEqual([name, isAboutPeople])
    }
    const [hash] = await h.rows<{ password_hash: string }>('select password_hash from users')
    const [session] = await h.rows<{ id: string }>('select id from sessions')
    for (const lets of [hash?.password_hash, session?.id, browser.cookies.get('__Host-session')]) {
      expect(lets).toMatch(/.{20}/)
      expect(answer.text).not.toContain(lets)
    }
  })

  it('of a claim leaves out what was mailed to its address for others', async () => {
    const h = await deskHarness()
    const first = await owner(h)
    const gone = await first.browser.send('DELETE', '/auth/account', {
      json: { password: PASSWORD },
    })
    expect(gone.status).toBe(204)
    h.now += 3_600_000
    const second = await claim(h, first.email)
    const before = await new Program(h).get(`/admin/users/${second.id}/export`)
    expect(before.body.mails).toHaveLength(1)
    await second.browser.confirm(second.token)
    const after = await new Program(h).get(`/admin/users/${second.id}/export`)
    expect(after.body.mails).toHaveLength(2)
  })
})

async function columnsOf(h: Harness, table: string): Promise<string[]> {
  const columns = await h.rows<{ name: string }>(`pragma table_xinfo(${table})`)
  return columns.map(({ name }) => name)
}

function linkTo([mail]: { text: string }[]): { token: string } {
  const url = /https:\/\/\S+\?token=\S+/.exec(mail?.text ?? '')?.[0] ?? ''
  return { token: new URL(url).searchParams.get('token') ?? '' }
}
