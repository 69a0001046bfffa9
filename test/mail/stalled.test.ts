// "Accepted" is not "delivered": what is accepted and then never heard of is flagged, wherever reports are to
// be expected.
import { describe, expect, it } from 'vitest'
import { createHarness, freshAddress, type Harness } from '../support/harness.ts'
import { typesOf } from '../support/timelines.ts'

const MINUTE = 60_000
/** A public key is all it takes to expect reports. */
const REPORTING = {
  SENDGRID_WEBHOOK_KEYS:
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==',
}

async function sent(h: Harness) {
  const ada = h.browser()
  const registered = await ada.register(freshAddress())
  h.now += 1000
  await h.deliver()
  return { ada, userId: String(registered.body.user.id) }
}

describe('F5: accepted and silent', () => {
  it('for 15 minutes is flagged on the page, in the session, the timeline and /healthz', async () => {
    const h = await createHarness(REPORTING)
    const { ada, userId } = await sent(h)
    h.now += 15 * MINUTE - 1
    expect((await h.sweep()).stalled).toBe(0)
    expect((await ada.session()).body.mail).toEqual({ state: 'sent', at: expect.any(String) })
    h.now += 1
    expect((await h.sweep()).stalled).toBe(1)
    expect((await ada.session()).body.mail).toMatchObject({ state: 'sent', stalled: true })
    expect((await ada.open('/')).text).toMatch(/have heard nothing of it since/)
    const flagged = ['registered', 'mail_queued', 'mail_accepted', 'mail_stalled']
    expect(await typesOf(h, userId)).toEqual(flagged)
    const { status, body } = await h.browser().get('/healthz')
    expect([status, body.checks.stalled_mail]).toEqual([200, { ok: false, count: 1 }])
    expect(h.logs.filter(({ event }) => event === 'mail_stalled')).toHaveLength(1)
    // Once.
    h.now += MINUTE
    expect((await h.sweep()).stalled).toBe(0)
    expect(await typesOf(h, userId)).toEqual(flagged)
  })

  it('means nothing where nobody would report', async () => {
    const h = await createHarness()
    const { ada } = await sent(h)
    h.now += 60 * MINUTE
    expect((await h.sweep()).stalled).toBe(0)
    expect((await ada.session()).body.mail).toEqual({ state: 'sent', at: expect.any(String) })
    expect((await h.browser().get('/healthz')).body.checks.stalled_mail).toEqual({
      ok: true,
      count: 0,
    })
  })

  it('is no longer said after a day, nor of a mail that was heard of', async () => {
    const h = await createHarness(REPORTING)
    await sent(h)
    await sent(h)
    h.now += 15 * MINUTE
    await h.sweep()
    await h.rows(`update messages set stalled_at = null, state = 'delivered'
      where id = (select min(id) from messages) returning id`)
    expect((await h.browser().get('/healthz')).body.checks.stalled_mail.count).toBe(1)
    h.now += 24 * 60 * MINUTE
    expect((await h.browser().get('/healthz')).body.checks.stalled_mail.count).toBe(0)
  })
})

describe('promise 3: a mail withheld by the limit', () => {
  it.each([
    ['delivered', ['sent'], {}],
    ['bounced', ['sent'], {}],
    ['deferred', ['sent'], {}],
    ['suppressed', [], {}],
    ['failed', [], {}],
    ['sent', [], { stalled: true }],
  ])('is shown to share the fate of the last real one: %s', async (state, way, more) => {
    const h = await createHarness(REPORTING)
    const email = freshAddress()
    // Somebody else's three mails use the limit up.
    const bob = h.browser()
    await bob.register(email)
    for (const _ of [1, 2]) await h.browser().post('/auth/resend-verification', { email })
    await h.deliver()
    const settles = h.now + 4000
    await h.rows(
      `update messages set state = ?, settled_at = ?, stalled_at = ?,
        sent_at = iif(? in ('suppressed', 'failed'), null, sent_at) returning id`,
      state,
      settles,
      state === 'sent' ? settles : null,
      state,
    )
    h.now += 10_000
    const ada = h.browser()
    await ada.register(email)
    const states: string[] = []
    for (let step = 0; step < 16; step++) {
      states.push((await ada.session()).body.mail.state)
      h.now += 500
    }
    // As a real one gets there: what is never sent is never shown as sent.
    expect([...new Set(states)]).toEqual([...new Set(['queued', ...way, state])])
    // What the owner has sent later is not its business.
    await h.rows(
      `insert into messages (id, kind, to_email, generation, state, attempts, created_at)
        values ('z', 'password_changed_notice', ?, 0, 'queued', 0, ?) returning id`,
      email,
      h.now,
    )
    const real = (await bob.session()).body.mail
    const shown = (await ada.session()).body.mail
    expect(real).toMatchObject({ state, ...more })
    expect(Object.keys(shown)).toEqual(Object.keys(real))
    expect(shown).toMatchObject({ state, ...more })
    for (const { at } of [real, shown]) expect(at).toMatch(/:\d\d\.000Z$/)
    expect(await h.mails(email)).toHaveLength(3)
  })
})

describe('F7: views of the page behind a link', () => {
  it('are in the timeline, at most one a minute, and change nothing else', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const ada = h.browser()
    const userId = (await ada.register(email)).body.user.id
    h.now += 1000
    await h.deliver()
    const [mail] = await h.mails(email)
    const link = /https:\S+verify-email\?token=\S+/.exec(mail?.text ?? '')?.[0] ?? ''
    const path = link.slice(new URL(link).origin.length)
    const stored = async () =>
      (await h.rows<object>('select * from messages, sessions, users')).map((row) => ({
        ...row,
        link_opened_at: null,
      }))
    const before = await stored()
    await ada.send('HEAD', path)
    const sentOff = ['registered', 'mail_queued', 'mail_accepted']
    expect(await typesOf(h, userId)).toEqual(sentOff)
    h.now += 1000
    h.bindings.resetCounts()
    await h.browser().open(link)
    expect(h.bindings.counts.d1).toBe(1)
    await h.browser().open(link)
    await h.browser().get(path)
    expect(await typesOf(h, userId)).toEqual([...sentOff, 'link_opened'])
    h.now += MINUTE
    await h.browser().open(link)
    expect(await typesOf(h, userId)).toEqual([...sentOff, 'link_opened', 'link_opened'])
    expect(await stored()).toEqual(before)
  })
})

describe('F6: the signed-in user of a suppressed address', () => {
  it.each(['hard_bounce', 'complaint'])(
    'is told of a %s, and can change the address',
    async (reason) => {
      const h = await createHarness()
      const { ada } = await sent(h)
      await h.rows(
        'insert into suppressions select email, ?, 1, null from users returning email',
        reason,
      )
      // Why is the owner's to know, and not everybody's who claims the address.
      expect((await ada.open('/account')).text).not.toMatch(/We mail it no more/)
      await h.rows('update users set email_verified_at = 1 returning id')
      const page = (await ada.open('/account')).text
      expect(page).toMatch(/We mail it no more/)
      expect(page).toContain('action="/account/email"')
    },
  )
})
