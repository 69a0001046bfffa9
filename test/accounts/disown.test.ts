import { describe, expect, it } from 'vitest'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'

const disownToken = async (h: Harness, email: string) => {
  const [mail] = await h.mails(email)
  const url = /https:\/\/\S+\/disown\?token=\S+/.exec(mail?.text ?? '')?.[0] ?? ''
  return { url, token: new URL(url).searchParams.get('token') ?? '' }
}

describe('F9: "I did not sign up"', () => {
  it('ends the claims and silences the address for thirty days', async () => {
    const h = await createHarness()
    const email = freshAddress('victim')
    const [mallory, second] = [h.browser(), h.browser()]
    await mallory.register(email)
    await second.register(email)
    await h.deliver()
    const { url, token } = await disownToken(h, email)
    await h.browser().open(url)
    expect((await mallory.session()).status).toBe(200)

    const disowned = await h.browser().post('/auth/disown', { token })
    expect([disowned.status, disowned.body]).toEqual([200, { ok: true, status: 'disowned' }])
    expect((await mallory.session()).status).toBe(401)
    expect((await second.session()).status).toBe(401)
    expect((await h.browser().post('/auth/disown', { token })).status).toBe(200)

    const mails = (await h.mails(email)).length
    h.now += 3_600_000
    const again = h.browser()
    expect((await again.register(email)).status).toBe(201)
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(mails)
    expect((await again.session()).body.mail.state).toBe('suppressed')

    h.now += 30 * 86_400_000
    await h.sweep()
    await h.browser().register(email)
    await h.deliver()
    expect((await h.mails(email)).length).toBeGreaterThan(mails)
  })

  it('ends with the proof of the address: reset links and warnings must reach its owner', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const [mail] = await h.mails(email)
    const { token } = await disownToken(h, email)
    await h.browser().post('/auth/disown', { token })
    h.now += 1000
    const ada = h.browser()
    await ada.register(email)
    expect((await ada.confirm(linkIn(mail).token)).body.status).toBe('verified')
    expect(await h.rows('select * from suppressions')).toEqual([])
    await h.deliver()
    const before = (await h.mails(email)).length
    await h.browser().post('/auth/forgot-password', { email })
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(before + 1)
  })

  it('leaves an account that has proven the address alone, and does not silence it', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const ada = h.browser()
    await ada.register(email)
    await h.deliver()
    const { token } = await disownToken(h, email)
    await ada.confirm(linkIn((await h.mails(email))[0]).token)
    await h.browser().post('/auth/disown', { token })
    expect((await ada.session()).body.user.is_email_verified).toBe(true)
    expect(await h.rows('select * from suppressions')).toEqual([])
  })

  it('refuses forged, swapped and expired links', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const { token } = await disownToken(h, email)
    const verify = linkIn((await h.mails(email))[0]).token
    for (const wrong of ['x', `${token}x`, verify]) {
      expect((await h.browser().post('/auth/disown', { token: wrong })).body.error).toBe('invalid')
    }
    h.now += 7 * 86_400_000 + 1000
    expect((await h.browser().post('/auth/disown', { token })).body.error).toBe('expired')
  })
})
