import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'

const NEW = 'an entirely new password'

async function verifiedUser(h: Harness) {
  const email = freshAddress()
  const ada = h.browser()
  const { body } = await ada.register(email)
  await h.deliver()
  await ada.confirm(linkIn((await h.mails(email))[0]).token)
  h.now += 1000
  return { email, ada, id: body.user.id as string }
}

async function resetLink(h: Harness, email: string) {
  const answer = await h.browser().post('/auth/forgot-password', { email })
  expect([answer.status, answer.body]).toEqual([202, { ok: true, status: 'accepted' }])
  await h.deliver()
  const link = linkIn((await h.mails(email))[0])
  h.now += 1000
  return link
}

describe('S19: reset by mail', () => {
  it('sets the password, ends every session, kills every other link, mails a notice', async () => {
    const h = await createHarness()
    const { email, ada } = await verifiedUser(h)
    const first = await resetLink(h, email)
    const second = await resetLink(h, email)
    expect(first.url).toMatch(/^https:\/\/auth\.testproof\.dev\/reset-password\?token=/)

    const phone = h.browser()
    const body = { token: first.token, password: NEW }
    const reset = await phone.post('/auth/reset-password', body)
    expect(reset.body).toMatchObject({ ok: true, status: 'password_reset', user: { email } })
    expect((await ada.session()).status).toBe(401)
    expect((await h.browser().login(email)).status).toBe(401)
    expect((await h.browser().login(email, NEW)).status).toBe(200)

    for (const token of [first.token, second.token]) {
      const again = await phone.post('/auth/reset-password', {
        token,
        password: 'one more password',
      })
      expect([again.status, again.body.error]).toEqual([400, 'invalid'])
    }
    await h.deliver()
    const [notice] = await h.mails(email)
    expect(notice?.text).not.toContain('token=')
    expect(notice?.text).toContain('https://auth.testproof.dev/forgot-password')
  })

  it('S6: works to the last second of its hour and not in the next', async () => {
    const h = await createHarness()
    const { email } = await verifiedUser(h)
    const minted = h.now
    const { token } = await resetLink(h, email)
    h.now = (Math.floor(minted / 1000) + 3600) * 1000 + 1000
    const late = await h.browser().post('/auth/reset-password', { token, password: NEW })
    expect(late.body.error).toBe('expired')
    h.now -= 1
    const inTime = await h.browser().post('/auth/reset-password', { token, password: NEW })
    expect(inTime.body.status).toBe('password_reset')
  })

  it('F2: works for a claim, verifies it, and leaves nothing of who made it', async () => {
    const h = await createHarness()
    const email = freshAddress('victim')
    const mallory = h.browser()
    await mallory.register(email, 'his password here')
    await h.deliver()
    h.now += 1000
    const { token } = await resetLink(h, email)
    const reset = await h.browser().post('/auth/reset-password', { token, password: NEW })
    expect(reset.body.user.is_email_verified).toBe(true)
    expect((await mallory.session()).status).toBe(401)
    expect((await mallory.login(email, 'his password here')).status).toBe(401)
    expect((await h.browser().login(email, NEW)).body.user.is_email_verified).toBe(true)
  })

  it('20 concurrent uses of one link: one reset, one notice', async () => {
    const h = await createHarness()
    const { email } = await verifiedUser(h)
    const { token } = await resetLink(h, email)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        h.browser().post('/auth/reset-password', { token, password: NEW }),
      ),
    )
    expect(answers.filter(({ body }) => body.status === 'password_reset')).toHaveLength(1)
    expect(answers.filter(({ body }) => body.error === 'invalid')).toHaveLength(19)
    expect(
      await h.rows("select id from messages where kind = 'password_changed_notice'"),
    ).toHaveLength(1)
  })

  it('promise 3: answers and works alike for a new, a claimed, a verified and a silenced address', async () => {
    const h = await createHarness()
    const { email: verified } = await verifiedUser(h)
    const claimed = freshAddress()
    await h.browser().register(claimed)
    const work = []
    for (const email of [freshAddress(), claimed, verified]) {
      h.bindings.resetCounts()
      const answer = await h.browser().post('/auth/forgot-password', { email })
      const { d1, statements, kvReads, kvWrites } = h.bindings.counts
      work.push([answer.status, answer.text, d1, statements, kvReads, kvWrites])
    }
    expect(work[1]).toEqual(work[0])
    expect(work[2]).toEqual(work[0])
    expect(work[0]?.[2]).toBe(1)
  })

  it('shares the limit of 3 mails with every other link', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    for (let i = 0; i < 5; i++) await h.browser().post('/auth/forgot-password', { email })
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(3)
  })

  it('opening is inert, and a link whose account has changed since is invalid', async () => {
    const h = await createHarness()
    const { email, ada } = await verifiedUser(h)
    const { url, token } = await resetLink(h, email)
    const before = await h.rows('select * from users')
    for (const method of ['GET', 'HEAD']) await h.browser().send(method, new URL(url).pathname)
    await h.browser().open(url)
    expect(await h.rows('select * from users')).toEqual(before)
    const change = { current_password: PASSWORD, new_password: NEW }
    expect((await ada.post('/auth/change-password', change)).status).toBe(200)
    const stale = await h.browser().post('/auth/reset-password', { token, password: PASSWORD })
    expect(stale.body.error).toBe('invalid')
  })

  it('a link of another purpose resets nothing, and a reset link verifies nothing by itself', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const verify = linkIn((await h.mails(email))[0])
    h.now += 1000
    const reset = await resetLink(h, email)
    const swapped = { token: verify.token, password: NEW }
    expect((await h.browser().post('/auth/reset-password', swapped)).body.error).toBe('invalid')
    expect((await h.browser().confirm(reset.token, PASSWORD)).body.error).toBe('invalid')
    expect((await h.browser().post('/auth/disown', { token: reset.token })).body.error).toBe(
      'invalid',
    )
  })

  it('S7: RESET_URL sends the link to a front end’s own page', async () => {
    const h = await createHarness({ RESET_URL: 'https://app.testproof.dev/reset?token={token}' })
    const { email } = await verifiedUser(h)
    expect((await resetLink(h, email)).url).toMatch(/^https:\/\/app\.testproof\.dev\/reset\?token=/)
  })
})

describe('changing the password', () => {
  it('asks for the current one, ends other sessions, keeps this one under a new token, mails a notice', async () => {
    const h = await createHarness()
    const { email, ada } = await verifiedUser(h)
    const phone = h.browser()
    await phone.login(email)
    const old = ada.cookies.get('__Host-session')

    const wrong = { current_password: 'not the password', new_password: NEW }
    expect((await ada.post('/auth/change-password', wrong)).body.error).toBe('invalid_credentials')
    const weak = { current_password: PASSWORD, new_password: 'short' }
    expect((await ada.post('/auth/change-password', weak)).body.errors[0].path).toBe('new_password')

    const right = { current_password: PASSWORD, new_password: NEW }
    expect((await ada.post('/auth/change-password', right)).body.status).toBe('password_changed')
    expect(ada.cookies.get('__Host-session')).not.toBe(old)
    expect((await ada.session()).status).toBe(200)
    expect((await phone.session()).status).toBe(401)
    expect((await phone.login(email)).status).toBe(401)
    expect((await phone.login(email, NEW)).status).toBe(200)
    await h.deliver()
    expect((await h.mails(email))[0]?.text).toContain('/forgot-password')
    expect((await h.browser().post('/auth/change-password', right)).status).toBe(401)
  })

  it('a stranger who asks for links until the limit cannot silence the notice', async () => {
    const h = await createHarness()
    const { email, ada } = await verifiedUser(h)
    for (let i = 0; i < 5; i++) await h.browser().post('/auth/forgot-password', { email })
    await h.deliver()
    const before = (await h.mails(email)).length
    await ada.post('/auth/change-password', { current_password: PASSWORD, new_password: NEW })
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(before + 1)
  })
})

describe('sessions', () => {
  it('are listed with the current one marked, and ended one by one', async () => {
    const h = await createHarness()
    const { email, ada } = await verifiedUser(h)
    const phone = h.browser()
    await phone.send('POST', '/auth/login', {
      json: { email, password: PASSWORD },
      headers: { 'User-Agent': 'a phone' },
    })
    const { sessions } = (await ada.get('/auth/sessions')).body
    expect(sessions).toHaveLength(2)
    const other = sessions.find((session: { is_current: boolean }) => !session.is_current)
    expect(other).toMatchObject({ user_agent: 'a phone', ip: expect.stringMatching(/^10\./) })
    expect(JSON.stringify(sessions)).not.toContain(phone.cookies.get('__Host-session'))

    const stranger = h.browser()
    await stranger.register(freshAddress())
    const path = `/auth/sessions/${encodeURIComponent(other.id)}`
    expect((await stranger.send('DELETE', path)).status).toBe(404)
    expect((await h.browser().send('DELETE', path)).status).toBe(401)
    expect((await ada.send('DELETE', path)).body.status).toBe('revoked')
    expect((await phone.session()).status).toBe(401)
    expect((await ada.send('DELETE', path)).status).toBe(404)
    expect((await h.browser().get('/auth/sessions')).body.error).toBe('not_signed_in')
  })
})
