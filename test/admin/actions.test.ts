// What support does, each time with who and why in the user's timeline.
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { freshAddress, linkIn } from '../support/harness.ts'
import { timelineOf } from '../support/timelines.ts'
import {
  claim,
  deliverRefused,
  deskHarness,
  owner,
  Program,
  personAtDesk,
  supportEvents,
} from './desk.ts'

const REASON = 'Called, and knew the invoice number'
const BY = { actor: 'Grace Hopper', detail: REASON }
const NOBODY = '00000000-0000-7000-8000-000000000000'

async function suppress(h: { now: number }, email: string, reason = 'hard_bounce') {
  await env.DB.prepare('insert into suppressions values (?, ?, ?, null)')
    .bind(email, reason, h.now)
    .run()
}

describe('every action', () => {
  const ACTIONS: [string, object][] = [
    [`/admin/users/:id/resend`, { kind: 'verify' }],
    [`/admin/users/:id/link`, { purpose: 'verify' }],
    [`/admin/users/:id/verify`, {}],
    [`/admin/users/:id/lift-suppression`, {}],
    ['/admin/lift-suppression', { email: 'ada@mail.example' }],
    ['/admin/mails/:mail/retry', {}],
    ['/admin/mails/failed/retry', { ids: [NOBODY] }],
  ]

  it.each(ACTIONS)(
    '%s wants a reason and a name: 422 otherwise, and nothing done',
    async (path, more) => {
      const h = await deskHarness()
      const { id } = await claim(h)
      const url = path.replace(':id', id).replace(':mail', NOBODY)
      const cases: [object, string | null, string, string][] = [
        [{}, 'Grace', 'reason', 'is required'],
        [{ reason: ' x ' }, 'Grace', 'reason', 'must have at least 3 characters'],
        [{ reason: 'x'.repeat(501) }, 'Grace', 'reason', 'must have at most 500 characters'],
        [{ reason: 7 }, 'Grace', 'reason', 'is required'],
        [{ reason: REASON }, null, 'actor', 'is required'],
        [{ reason: REASON, actor: 'a\nb' }, null, 'actor', 'must not contain control characters'],
        [
          { reason: REASON, actor: 'x'.repeat(81) },
          null,
          'actor',
          'must have at most 80 characters',
        ],
      ]
      for (const [body, actor, field, message] of cases) {
        const answer = await new Program(h, { actor }).post(url, { ...more, ...body })
        expect([answer.status, answer.body.error]).toEqual([422, 'invalid_input'])
        expect(answer.body.errors).toContainEqual({ path: field, message })
      }
      for (const odd of [[], null, 'text', 7]) {
        expect((await new Program(h).post(url, odd)).status).toBe(422)
      }
      expect(await supportEvents(h, id)).toEqual([])
      expect(h.logs.filter(({ event }) => event === 'support_action')).toEqual([])
    },
  )

  it('of a person comes back with what is wrong and what was typed', async () => {
    const h = await deskHarness()
    const { id } = await claim(h)
    const desk = await personAtDesk(h)
    const page = await desk.submit(`/admin/users/${id}/verify`, { reason: 'no' })
    expect(page.status).toBe(422)
    expect(page.text).toContain('This must have at least 3 characters.')
    expect(page.text).toContain('>no</textarea>')
    expect(page.text).toContain('aria-invalid="true"')
    const lift = await desk.submit('/admin/lift-suppression', { email: 'x', reason: 'no' })
    expect(lift.status).toBe(422)
    expect(lift.text).toContain('This must look like name@example.com.')
    for (const path of [`/admin/users/${id}/verify`, `/admin/users/${id}/link`]) {
      const again = await desk.open(path)
      expect([again.status, again.headers.get('Location')]).toEqual([303, `/admin/users/${id}`])
    }
  })

  it('of a person bears the name of the session, not one that the form claims', async () => {
    const h = await deskHarness()
    const { id } = await claim(h)
    const desk = await personAtDesk(h, 'Ida Rhodes')
    await desk.submit(`/admin/users/${id}/verify`, { reason: REASON, actor: 'Somebody Else' })
    expect(await supportEvents(h, id)).toMatchObject([{ actor: 'Ida Rhodes', detail: REASON }])
  })

  it('is logged without reason or address', async () => {
    const h = await deskHarness()
    const { id, email } = await claim(h)
    const program = new Program(h, { actor: 'grace@support.example' })
    await program.post(`/admin/users/${id}/verify`, { reason: `spoke to ${email}` })
    const line = h.logs.find(({ event }) => event === 'support_action')
    expect(line).toMatchObject({
      user_id: id,
      reason: 'support_verified',
      actor: 'g***@support.example',
    })
    expect(JSON.stringify(h.logs)).not.toContain(email)
    expect(JSON.stringify(h.logs)).not.toContain('grace@')
    expect(JSON.stringify(h.logs)).not.toContain('spoke to')
  })

  it('on nobody is 404', async () => {
    const h = await deskHarness()
    for (const [path, more] of ACTIONS) {
      const url = path.replace(':id', NOBODY).replace(':mail', NOBODY)
      const { status } = await new Program(h).post(url, { ...more, reason: REASON })
      const has = path.includes(':')
      expect([path, status]).toEqual([path, has ? 404 : 200])
    }
  })

  it('two of one kind at the same moment are two entries', async () => {
    const h = await deskHarness()
    const { id } = await claim(h)
    const program = new Program(h)
    const mint = (reason: string) =>
      program.post(`/admin/users/${id}/link`, { purpose: 'reset', reason })
    await Promise.all([mint('first'), mint('second'), mint('third')])
    const details = (await supportEvents(h, id)).map(({ detail }) => detail)
    expect(details.sort()).toEqual(['reset: first', 'reset: second', 'reset: third'])
  })

  it('runs in one round trip', async () => {
    const h = await deskHarness()
    const { id } = await claim(h)
    for (const [path, more] of ACTIONS) {
      h.bindings.resetCounts()
      const url = path.replace(':id', id).replace(':mail', NOBODY)
      await new Program(h).post(url, { ...more, reason: REASON })
      expect([path, h.bindings.counts.d1]).toEqual([path, 1])
    }
  })
})

describe('resend', () => {
  it('mails a fresh link beyond the limit, in the person’s language, and counts', async () => {
    const h = await deskHarness()
    const email = freshAddress()
    const browser = h.browser()
    const headers = { 'Accept-Language': 'de' }
    const json = { email, password: PASSWORD }
    const { id } = (await browser.send('POST', '/auth/register', { json, headers })).body.user
    for (let i = 0; i < 4; i++) {
      await browser.send('POST', '/auth/resend-verification', { json: {}, headers })
    }
    h.bindings.queued.length = 0
    const answer = await new Program(h).post(`/admin/users/${id}/resend`, { reason: REASON })
    expect(answer.body).toEqual({ ok: true, status: 'sent', mail_id: expect.any(String) })
    expect(h.bindings.queued).toEqual([answer.body.mail_id])
    await h.deliver()
    const [mail] = await h.mails(email)
    expect(mail?.subject).toMatch(/Bestätigen/)
    expect((await browser.confirm(linkIn(mail).token)).body.status).toBe('verified')
    expect(await supportEvents(h, id)).toMatchObject([
      { type: 'support_resent', message_id: answer.body.mail_id, ...BY },
    ])
  })

  it('its mails leave less room for others’', async () => {
    const h = await deskHarness()
    const { id, email } = await claim(h)
    for (let i = 0; i < 3; i++) {
      await new Program(h).post(`/admin/users/${id}/resend`, { reason: REASON })
    }
    h.bindings.queued.length = 0
    await h.browser().post('/auth/resend-verification', { email })
    expect(h.bindings.queued).toEqual([])
  })

  it('mails a reset link that works', async () => {
    const h = await deskHarness()
    const { id, email } = await owner(h)
    const desk = await personAtDesk(h)
    const form = { kind: 'reset', reason: REASON }
    const answer = await desk.submit(`/admin/users/${id}/resend`, form)
    expect(answer.headers.get('Location')).toBe(`/admin/users/${id}?notice=sent`)
    expect((await desk.open(answer.headers.get('Location') ?? '')).text).toContain('on its way')
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    const reset = { token, password: 'an entirely new password' }
    expect((await h.browser().post('/auth/reset-password', reset)).status).toBe(200)
  })

  it('of an account that changes its address mails the new one', async () => {
    const h = await deskHarness()
    const { id, browser } = await owner(h)
    const next = freshAddress('next')
    await browser.post('/auth/change-email', { new_email: next, password: PASSWORD })
    h.bindings.queued.length = 0
    await new Program(h).post(`/admin/users/${id}/resend`, { reason: REASON })
    await h.deliver()
    const { token } = linkIn((await h.mails(next))[0])
    expect((await browser.confirm(token)).body.user.email).toBe(next)
  })

  it('is not done where it would be of no use: verified, suppressed, owned by another', async () => {
    const h = await deskHarness()
    const { id, email } = await owner(h)
    const program = new Program(h)
    const verified = await program.post(`/admin/users/${id}/resend`, { reason: REASON })
    expect([verified.status, verified.body.status]).toEqual([200, 'already_verified'])

    const rival = (await h.browser().register(email)).body.user.id
    h.bindings.queued.length = 0
    const owned = await program.post(`/admin/users/${rival}/resend`, { reason: REASON })
    expect([owned.status, owned.body.error]).toEqual([409, 'email_taken'])

    await suppress(h, email)
    const mail = await program.post(`/admin/users/${id}/resend`, { reason: REASON, kind: 'reset' })
    expect([mail.status, mail.body.error]).toEqual([409, 'suppressed'])
    const desk = await personAtDesk(h)
    const form = { reason: REASON, kind: 'reset' }
    const answer = await desk.submit(`/admin/users/${id}/resend`, form)
    const page = await desk.open(answer.headers.get('Location') ?? '')
    expect(page.text).toContain('Lift the suppression first.')

    const wrong = await program.post(`/admin/users/${id}/resend`, { reason: REASON, kind: 'x' })
    expect(wrong.body.errors).toEqual([{ path: 'kind', message: 'must be "verify" or "reset"' }])
    expect(h.bindings.queued).toEqual([])
    expect([...(await supportEvents(h, id)), ...(await supportEvents(h, rival))]).toEqual([])
  })
})

describe('a link from the desk', () => {
  it('S15: confirms through the front door, is shown once, and stands nowhere else', async () => {
    const h = await deskHarness()
    const { id, browser } = await claim(h)
    const body = { purpose: 'verify', reason: REASON }
    const answer = await new Program(h).post(`/admin/users/${id}/link`, body)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(answer.headers.get('Referrer-Policy')).toBe('no-referrer')
    const { url, expires_at } = answer.body.link
    expect(expires_at).toBe('2026-11-03T12:00:01.000Z')
    const token = new URL(url).searchParams.get('token') ?? ''
    // The desk vouches for the mailbox, not for the claim.
    expect((await h.browser().confirm(token)).body.error).toBe('proof_required')
    expect((await browser.confirm(token)).body.status).toBe('verified')

    const page = await new Program(h).get(`/admin/users/${id}`)
    const timeline = await new Program(h).get(`/admin/users/${id}/timeline`)
    const tables = ['users', 'messages', 'events', 'sessions', 'email_changes', 'retired_links']
    const stored = await Promise.all(tables.map((table) => h.rows(`select * from ${table}`)))
    const keys = (await h.deps.kv.list()).keys.map(({ name }) => name)
    const mac = token.split('.')[1] ?? ''
    for (const place of [stored, h.logs, h.bindings.queueBodies, keys, page.text, timeline.text]) {
      expect(JSON.stringify(place)).not.toContain(mac)
    }
    expect(await supportEvents(h, id)).toMatchObject([
      { type: 'support_minted_link', actor: BY.actor, detail: `verify: ${REASON}` },
    ])
  })

  it('resets a password once', async () => {
    const h = await deskHarness()
    const { id, email } = await owner(h)
    const desk = await personAtDesk(h)
    const form = { purpose: 'reset', reason: REASON }
    const page = await desk.submit(`/admin/users/${id}/link`, form)
    expect(page.status).toBe(200)
    expect(page.headers.get('Cache-Control')).toBe('no-store')
    expect(page.headers.get('Referrer-Policy')).toBe('no-referrer')
    const url = /https:\/\/\S+\/reset-password\?token=[\w.-]+/.exec(page.text)?.[0] ?? ''
    const token = new URL(url).searchParams.get('token') ?? ''
    const password = 'an entirely new password'
    const reset = () => h.browser().post('/auth/reset-password', { token, password })
    expect((await reset()).status).toBe(200)
    expect((await reset()).body.error).toBe('invalid')
    expect((await h.browser().login(email, password)).status).toBe(200)
    const again = await desk.open(`/admin/users/${id}/link`)
    expect(again.headers.get('Location')).toBe(`/admin/users/${id}`)
  })

  it('confirms the address that an account changes to', async () => {
    const h = await deskHarness()
    const { id, browser } = await owner(h)
    const next = freshAddress('next')
    await browser.post('/auth/change-email', { new_email: next, password: PASSWORD })
    const body = { purpose: 'verify', reason: REASON }
    const { link } = (await new Program(h).post(`/admin/users/${id}/link`, body)).body
    expect(link.email).toBe(next)
    const token = new URL(link.url).searchParams.get('token') ?? ''
    expect((await browser.confirm(token)).body.user.email).toBe(next)
  })

  it('is not made where it would do nothing', async () => {
    const h = await deskHarness()
    const { id, email } = await owner(h)
    const rival = (await h.browser().register(email)).body.user.id
    const program = new Program(h)
    const post = (who: string, purpose?: string) =>
      program.post(`/admin/users/${who}/link`, { purpose, reason: REASON })
    expect((await post(id, 'verify')).body.status).toBe('already_verified')
    expect((await post(rival, 'reset')).body.error).toBe('email_taken')
    expect((await post(rival, 'verify')).body.error).toBe('email_taken')
    expect((await post(id)).body.errors).toMatchObject([{ path: 'purpose' }])
    expect([...(await supportEvents(h, id)), ...(await supportEvents(h, rival))]).toEqual([])
  })
})

describe('mark as verified', () => {
  it('F2: as a click would: rivals die with their sessions, mail flows, the session sees it at once', async () => {
    const h = await deskHarness()
    const { id, email, browser } = await claim(h)
    const rival = h.browser()
    await rival.register(email)
    await suppress(h, email, 'disowned')
    const answer = await new Program(h).post(`/admin/users/${id}/verify`, { reason: REASON })
    expect(answer.body).toEqual({ ok: true, status: 'verified' })
    expect((await browser.session()).body.user.is_email_verified).toBe(true)
    expect((await rival.session()).status).toBe(401)
    expect(await h.rows('select id from users where email = ?', email)).toEqual([{ id }])
    expect(await h.rows('select 1 from suppressions where email = ?', email)).toEqual([])
    expect(await supportEvents(h, id)).toMatchObject([{ type: 'support_verified', ...BY }])
    const verified = (await timelineOf(h, id)).filter(({ type }) => type === 'verified')
    expect(verified).toMatchObject([{ at: h.now, detail: 'support' }])
  })

  it('twice is once', async () => {
    const h = await deskHarness()
    const { id, email } = await claim(h)
    const program = new Program(h)
    const mark = () => program.post(`/admin/users/${id}/verify`, { reason: REASON })
    const statuses = (await Promise.all([mark(), mark(), mark()])).map(({ body }) => body.status)
    expect(statuses.sort()).toEqual(['already_verified', 'already_verified', 'verified'])
    expect(await supportEvents(h, id)).toHaveLength(1)
    h.now += 1000
    const later = (await h.browser().register(email)).body.user.id
    expect((await mark()).body.status).toBe('already_verified')
    expect(await h.rows('select 1 from users where id = ?', later)).toHaveLength(1)
  })

  it('F10: never a second owner, nor by two desks at once', async () => {
    const h = await deskHarness()
    const { id, email } = await owner(h)
    const rival = (await h.browser().register(email)).body.user.id
    const taken = await new Program(h).post(`/admin/users/${rival}/verify`, { reason: REASON })
    expect([taken.status, taken.body.error]).toEqual([409, 'email_taken'])
    expect(await supportEvents(h, rival)).toEqual([])
    const desk = await personAtDesk(h)
    const answer = await desk.submit(`/admin/users/${rival}/verify`, { reason: REASON })
    expect(answer.headers.get('Location')).toBe(`/admin/users/${rival}?notice=email_taken`)
    expect(await h.rows('select id from users where is_email_verified')).toEqual([{ id }])

    const contested = freshAddress()
    const claims = await Promise.all(
      Array.from({ length: 5 }, async () => (await h.browser().register(contested)).body.user.id),
    )
    const answers = await Promise.all(
      claims.map((one) => new Program(h).post(`/admin/users/${one}/verify`, { reason: REASON })),
    )
    expect(answers.filter(({ body }) => body.status === 'verified')).toHaveLength(1)
    expect(await h.rows('select 1 from users where email = ?', contested)).toHaveLength(1)
  })
})

describe('F6: lifting a suppression', () => {
  it('of a user: mail flows again', async () => {
    const h = await deskHarness()
    const { id, email } = await claim(h)
    await suppress(h, email)
    const program = new Program(h)
    h.now += 3_600_000
    await h.browser().post('/auth/resend-verification', { email })
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1)
    const shown = await program.get(`/admin/users/${id}`)
    expect(shown.body.suppressions).toMatchObject([{ email, reason: 'hard_bounce', until: null }])
    expect(shown.body.mails[0].state).toBe('suppressed')

    const answer = await program.post(`/admin/users/${id}/lift-suppression`, { reason: REASON })
    expect(answer.body).toEqual({ ok: true, status: 'lifted', reasons: ['hard_bounce'] })
    await program.post(`/admin/users/${id}/resend`, { reason: REASON })
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(2)
    const again = await program.post(`/admin/users/${id}/lift-suppression`, { reason: REASON })
    expect(again.body).toEqual({ ok: true, status: 'not_suppressed' })
    expect(await supportEvents(h, id)).toMatchObject([
      { type: 'support_lifted_suppression', ...BY },
      { type: 'support_resent' },
    ])
  })

  it('of an address without a user, and of no other', async () => {
    const h = await deskHarness()
    const [email, other] = [freshAddress(), freshAddress()]
    await suppress(h, email)
    await suppress(h, other)
    const desk = await personAtDesk(h)
    const form = { email: ` ${email.toUpperCase()}`, reason: REASON }
    const answer = await desk.submit('/admin/lift-suppression', form)
    expect(answer.headers.get('Location')).toBe('/admin?notice=lifted')
    expect(await h.rows('select email from suppressions')).toEqual([{ email: other }])
    const json = { email, reason: REASON }
    const none = await new Program(h).post('/admin/lift-suppression', json)
    expect(none.body.status).toBe('not_suppressed')
    expect(JSON.stringify(h.logs)).not.toContain(email)
  })

  it('of an address that has users stands in the timeline of each', async () => {
    const h = await deskHarness()
    const { id, email } = await claim(h)
    const rival = (await h.browser().register(email)).body.user.id
    const stranger = await claim(h)
    await suppress(h, email)
    await new Program(h).post('/admin/lift-suppression', { email, reason: REASON })
    for (const one of [id, rival]) expect(await supportEvents(h, one)).toMatchObject([BY])
    expect(await supportEvents(h, stranger.id)).toEqual([])
  })
})

describe('S3: failed mail', () => {
  it('is listed, retried as if new, arrives, and stands in the timeline', async () => {
    const h = await deskHarness()
    const email = freshAddress()
    const browser = h.browser()
    const { id } = (await browser.register(email)).body.user
    await deliverRefused(h)
    const program = new Program(h)
    const list = await program.get('/admin/mails/failed')
    expect(list.body).toMatchObject({
      ok: true,
      next: null,
      mails: [{ user_id: id, to: email, state: 'failed', attempts: 1, error: expect.any(String) }],
    })
    const mail = list.body.mails[0].id
    h.now += 3 * 3_600_000
    const answer = await program.post(`/admin/mails/${mail}/retry`, { reason: REASON })
    expect(answer.body).toEqual({ ok: true, status: 'retried', mail_id: mail })
    expect(await h.rows('select state, attempts, settled_at, error from messages')).toEqual([
      { state: 'queued', attempts: 0, settled_at: null, error: null },
    ])
    // An old mail that was put back is no sign of a Queue that stands still.
    expect((await browser.get('/healthz')).status).toBe(200)
    expect(h.bindings.queued).toEqual([mail])
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1)
    const { token } = linkIn((await h.mails(email))[0])
    expect((await browser.confirm(token)).body.status).toBe('verified')
    expect(await supportEvents(h, id)).toMatchObject([
      { type: 'support_retried_mail', message_id: mail, ...BY },
    ])
    const again = await program.post(`/admin/mails/${mail}/retry`, { reason: REASON })
    expect([again.status, again.body.error]).toEqual([409, 'not_failed'])
  })

  it('F8: a retry whose enqueue is lost goes out all the same', async () => {
    const h = await deskHarness()
    const email = freshAddress()
    await h.browser().register(email)
    await deliverRefused(h)
    const [mail] = await h.rows<{ id: string }>('select id from messages')
    h.bindings.fault = (binding) => (binding === 'queue' ? 'throw' : undefined)
    const url = `/admin/mails/${mail?.id}/retry`
    expect((await new Program(h).post(url, { reason: REASON })).status).toBe(200)
    h.bindings.fault = () => undefined
    h.now += 60_000
    await h.sweep()
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1)
  })

  it('all on a page: what two desks retry at once goes out once', async () => {
    const h = await deskHarness()
    const users: string[] = []
    for (let i = 0; i < 3; i++)
      users.push((await h.browser().register(freshAddress())).body.user.id)
    await deliverRefused(h)
    const desk = await personAtDesk(h)
    const page = await desk.open('/admin/mails/failed')
    const ids = /name="ids" value="([^"]*)"/.exec(page.text)?.[1] ?? ''
    expect(ids.split(',')).toHaveLength(3)
    const [answer, other] = await Promise.all([
      desk.submit('/admin/mails/failed/retry', { ids, reason: REASON }),
      new Program(h).post('/admin/mails/failed/retry', { ids: ids.split(','), reason: REASON }),
    ])
    expect(answer.status).toBe(303)
    expect(other.status).toBe(200)
    expect([...h.bindings.queued].sort()).toEqual(ids.split(',').sort())
    for (const user of users) expect(await supportEvents(h, user)).toHaveLength(1)
    expect((await desk.open('/admin/mails/failed?notice=retried')).text).toContain('None.')
  })

  it('the list goes on page by page, newest first, without a gap', async () => {
    const h = await deskHarness()
    const stored = Array.from({ length: 103 }, (_, i) => ({
      id: `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`,
      at: h.now + Math.floor(i / 10),
    }))
    await env.DB.prepare(
      `insert into messages (id, kind, to_email, generation, state, attempts, created_at)
        select value ->> 'id', 'verify_email', 'x@mail.example', 0, 'failed', 1, value ->> 'at'
        from json_each(?)`,
    )
      .bind(JSON.stringify(stored))
      .run()
    const program = new Program(h)
    const seen: string[] = []
    const sizes: number[] = []
    for (let next: string | null = ''; next !== null; ) {
      const { body } = await program.get(`/admin/mails/failed?before=${next}`)
      sizes.push(body.mails.length)
      seen.push(...body.mails.map(({ id }: { id: string }) => id))
      next = body.next
    }
    expect(sizes).toEqual([50, 50, 3])
    expect(seen).toEqual(stored.map(({ id }) => id).reverse())
    const odd = await program.get('/admin/mails/failed?before=nonsense')
    expect(odd.body.mails).toHaveLength(50)
    const tooMany = { ids: seen.slice(0, 51), reason: REASON }
    expect((await program.post('/admin/mails/failed/retry', tooMany)).status).toBe(422)
    for (const ids of [[], ['x'], 'x', undefined]) {
      const answer = await program.post('/admin/mails/failed/retry', { ids, reason: REASON })
      expect([answer.status, answer.body.errors[0].path.split('.')[0]]).toEqual([422, 'ids'])
    }
  })

  it('from the user’s page leads back to it, also with an error', async () => {
    const h = await deskHarness()
    const { id } = (await h.browser().register(freshAddress())).body.user
    await deliverRefused(h)
    const desk = await personAtDesk(h)
    const page = await desk.open(`/admin/users/${id}`)
    const url = /formaction="(\/admin\/mails\/[^"]+\/retry)"/.exec(page.text)?.[1] ?? ''
    const wrong = await desk.submit(url, { user: id, reason: '' })
    expect(wrong.status).toBe(422)
    expect(wrong.text).toContain('id="timeline-heading"')
    const answer = await desk.submit(url, { user: id, reason: REASON })
    expect(answer.headers.get('Location')).toBe(`/admin/users/${id}?notice=retried`)
    const list = await desk.submit(url, { reason: '' })
    expect(list.text).toContain('<h1>Failed mail</h1>')
    const late = await desk.submit(url, { reason: REASON })
    expect(late.headers.get('Location')).toBe('/admin/mails/failed?notice=not_failed')
  })
})
