// Real concurrency against workerd's own D1 and KV.
import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, linkIn } from '../support/harness.ts'
import { typesOf } from '../support/timelines.ts'

const times = <T>(n: number, make: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => make(i)))

describe('promise 2: exactly limited', () => {
  it('S10, F3: 200 concurrent resends send exactly 3 mails, and the 4th goes out a window later', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    h.now += 15 * 60_000

    const answers = await times(200, () => h.browser().post('/auth/resend-verification', { email }))
    for (const { status, body } of answers) {
      // What KV turns away depends on timing; what D1 lets through does not.
      expect([202, 429]).toContain(status)
      if (status === 202) expect(body).toEqual({ ok: true, status: 'accepted' })
    }
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1 + 3)

    h.now += 15 * 60_000 - 1
    await h.browser().post('/auth/resend-verification', { email })
    expect(h.bindings.queued).toHaveLength(0)
    h.now += 1
    await h.browser().post('/auth/resend-verification', { email })
    expect(h.bindings.queued).toHaveLength(1)
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1 + 3 + 1)
  })

  it('S10: 40 concurrent resends of one session send exactly the 2 that are left', async () => {
    const h = await createHarness()
    const ada = h.browser()
    await ada.register(freshAddress())
    const answers = await times(40, () => ada.post('/auth/resend-verification'))
    const sent = answers.filter(({ body }) => body.status === 'sent')
    expect(sent).toHaveLength(2)
    const limited = answers.find(({ body }) => body.error === 'rate_limited')
    expect(limited?.headers.get('Retry-After')).toBe('900')
  })
})

describe('promise 5: idempotent, and one owner', () => {
  it('F10: 50 concurrent registrations: no 500, a claim each, 3 mails; confirming leaves one row', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const browsers = await times(50, async (i) => {
      const browser = h.browser()
      const { status, body } = await browser.register(email, `${PASSWORD} ${i}`)
      expect(status).toBe(201)
      return { browser, id: body.user.id as string }
    })
    expect(new Set(browsers.map(({ id }) => id)).size).toBe(50)
    expect(await h.rows('select id from users where email = ?', email)).toHaveLength(50)
    await h.deliver()
    const mails = await h.mails(email)
    expect(mails).toHaveLength(3)

    const winner = browsers[31]
    const confirmed = await winner?.browser.confirm(linkIn(mails[0]).token)
    expect(confirmed?.body.status).toBe('verified')
    expect(await h.rows('select id from users where email = ?', email)).toEqual([
      { id: winner?.id },
    ])
    const alive = await times(50, async (i) => (await browsers[i]?.browser.session())?.status)
    expect(alive.filter((status) => status === 200)).toHaveLength(1)
    const orphans = 'select id from sessions where user_id not in (select id from users)'
    expect(await h.rows(orphans)).toEqual([])
  })

  it('S9: 20 concurrent confirms with one session: one verified, the rest already_verified', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    const registered = await ada.register(email)
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    const answers = await times(20, () => ada.confirm(token))
    const outcomes = answers.map(({ status, body }) => `${status} ${body.status}`).sort()
    expect(outcomes).toEqual([...Array(19).fill('200 already_verified'), '200 verified'])
    expect((await ada.session()).body.user.is_email_verified).toBe(true)
    const types = await typesOf(h, registered.body.user.id)
    expect(types.filter((type) => type === 'verified')).toHaveLength(1)
  })

  it('20 concurrent confirms by rivals, each with its own session: one owner', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const rivals = await times(20, async () => {
      const browser = h.browser()
      await browser.register(email)
      return browser
    })
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    const answers = await Promise.all(rivals.map((rival) => rival.confirm(token)))
    const verified = answers.filter(({ body }) => body.status === 'verified')
    expect(verified).toHaveLength(1)
    expect(answers.filter(({ body }) => body.status === 'already_verified')).toHaveLength(19)
    expect(await h.rows('select email_verified_at from users where email = ?', email)).toEqual([
      { email_verified_at: h.now },
    ])
  })

  it('20 concurrent confirms with the password: one verified, all signed in', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    const phones = Array.from({ length: 20 }, () => h.browser())
    const answers = await Promise.all(phones.map((phone) => phone.confirm(token, PASSWORD)))
    expect(answers.filter(({ body }) => body.status === 'verified')).toHaveLength(1)
    expect(answers.filter(({ body }) => body.status === 'already_verified')).toHaveLength(19)
    for (const phone of phones) expect((await phone.session()).status).toBe(200)
  })
})
