import { describe, expect, it } from 'vitest'
import { createHarness, freshAddress, linkIn } from '../support/harness.ts'

describe('VERIFY_MODE=click', () => {
  it('F1: HEAD stays inert, GET verifies the claim the link was minted for', async () => {
    const h = await createHarness({ VERIFY_MODE: 'click' })
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    await h.deliver()
    const { url } = linkIn((await h.mails(email))[0])

    await h.browser().send('HEAD', url)
    expect((await ada.session()).body.user.is_email_verified).toBe(false)

    const clicked = await ada.get(url)
    expect(clicked.body.status).toBe('verified')
    expect((await ada.session()).body.user.is_email_verified).toBe(true)
    expect((await ada.get(url)).body.status).toBe('already_verified')
  })

  it('F2: a click never signs the clicking browser in', async () => {
    const h = await createHarness({ VERIFY_MODE: 'click' })
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const { url } = linkIn((await h.mails(email))[0])
    const victim = h.browser()
    const page = await victim.open(url)
    expect(page.text).toContain('Address confirmed')
    expect(victim.cookies.size).toBe(0)
  })

  it('a click verifies, but revives no session of the claim that has run out', async () => {
    const h = await createHarness({ VERIFY_MODE: 'click', SESSION_TTL: '1h' })
    const email = freshAddress()
    const ada = h.browser()
    await ada.register(email)
    await h.deliver()
    const { url } = linkIn((await h.mails(email))[0])
    h.now += 3_600_000
    const clicked = await ada.get(url)
    expect([clicked.body.status, clicked.headers.get('Set-Cookie')]).toEqual(['verified', null])
    expect((await ada.session()).status).toBe(401)
  })

  it('the link of a claim that lost to another one verifies nothing', async () => {
    const h = await createHarness({ VERIFY_MODE: 'click' })
    const email = freshAddress()
    const [mallory, ada] = [h.browser(), h.browser()]
    await mallory.register(email, 'his password here')
    h.now += 1
    await ada.register(email, 'her password here')
    await h.deliver()
    const [hers, his] = (await h.mails(email)).map((mail) => linkIn(mail).url)
    expect((await ada.get(hers ?? '')).body.status).toBe('verified')
    expect((await mallory.get(his ?? '')).body.status).toBe('already_verified')
    expect((await mallory.session()).status).toBe(401)
  })
})
