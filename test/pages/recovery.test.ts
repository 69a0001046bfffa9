// Forgotten passwords, and mails that somebody else caused, as a person without JavaScript lives through them.
import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress } from '../support/harness.ts'
import { linkTo, settled, submitAndFollow, waiting } from './people.ts'

const NEXT_PASSWORD = 'quite another password'

describe('S19: a forgotten password', () => {
  it('is reset by mail: asked for, opened without effect, set once, signed in with', async () => {
    const h = await createHarness()
    const { browser, email } = await settled(h)
    const ada = h.browser()
    expect((await ada.open('/login')).text).toContain('href="/forgot-password"')
    expect((await ada.open('/forgot-password')).text).toContain('action="/forgot-password"')
    const asked = await ada.submit('/forgot-password', { email })
    expect(asked.status).toBe(202)
    expect(asked.text).toContain('Check your spam folder')
    await h.deliver()
    const { url, token } = await linkTo(h, email, '/reset-password')

    for (let i = 0; i < 2; i++) {
      const page = await ada.open(url)
      expect(page.headers.get('Referrer-Policy')).toBe('no-referrer')
      expect(page.text).toContain(email)
    }
    expect((await browser.session()).status).toBe(200)

    const weak = await ada.submit('/reset-password', { token, password: 'short' })
    expect(weak.status).toBe(422)
    expect(weak.headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(weak.text).toContain('id="password-error"')
    expect(weak.text).toContain(`value="${token}"`)
    expect(weak.text).not.toContain('"short"')

    const form = { token, password: NEXT_PASSWORD }
    const signIn = await submitAndFollow(ada, '/reset-password', form)
    expect(signIn.text).toContain('Your new password is set')
    expect((await browser.session()).status).toBe(401)
    expect((await ada.submit('/login', { email, password: NEXT_PASSWORD })).status).toBe(303)

    for (const used of [await ada.open(url), await ada.submit('/reset-password', form)]) {
      expect(used.status).toBe(400)
      expect(used.text).toContain('href="/forgot-password"')
    }
  })

  it('F13: expired and broken links open a page that helps', async () => {
    const h = await createHarness()
    const { email } = await settled(h)
    await h.browser().submit('/forgot-password', { email })
    await h.deliver()
    const { url } = await linkTo(h, email, '/reset-password')
    const broken = await h.browser().open(`${url}x`)
    expect([broken.status, broken.text.includes('This link does not work')]).toEqual([400, true])
    h.now += 3_600_000 + 1000
    const expired = await h.browser().open(url)
    expect(expired.status).toBe(400)
    expect(expired.text).toContain('This link has expired')
    expect(expired.text).toContain('href="/forgot-password"')
    expect((await h.browser().open('/reset-password')).status).toBe(400)
  })

  it('the answer is the same for every address', async () => {
    const h = await createHarness()
    const { email } = await settled(h)
    const stranger = freshAddress('stranger')
    const pages = await Promise.all(
      [email, stranger].map(async (address) => {
        const { status, text } = await h.browser().submit('/forgot-password', { email: address })
        return [status, text.replaceAll(address, '')]
      }),
    )
    expect(pages[0]).toEqual(pages[1])
  })

  it('a malformed address is told so, and kept', async () => {
    const h = await createHarness()
    const page = await h.browser().submit('/forgot-password', { email: 'ada@nowhere' })
    expect(page.status).toBe(422)
    expect(page.text).toContain('value="ada@nowhere"')
  })
})

describe('F9: "I did not sign up"', () => {
  it('asks first; then the sign-up is gone, and its address is left in peace', async () => {
    const h = await createHarness()
    const { browser: mallory, email } = await waiting(h, freshAddress('victim'))
    const { url, token } = await linkTo(h, email, '/disown')
    const victim = h.browser()
    const asking = await victim.open(url)
    expect(asking.headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(asking.text).toContain('I did not sign up')
    expect((await mallory.session()).status).toBe(200)

    const done = await victim.submit('/disown', { token })
    expect(done.status).toBe(200)
    expect(done.headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(done.text).toContain('30 days')
    expect(done.text).toContain('action="/register"')
    expect((await mallory.session()).status).toBe(401)

    // An ordinary registration stays silent, and so does one with a link that was mailed to somebody else.
    const count = (await h.mails(email)).length
    await h.browser().submit('/register', { email, password: PASSWORD })
    const other = await waiting(h, freshAddress('other'))
    const foreign = await linkTo(h, other.email, '/disown')
    for (const disown_token of [foreign.token, 'x', '']) {
      await h.browser().submit('/register', { email, password: PASSWORD, disown_token })
    }
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(count)

    // Its owner, from the page itself, is mailed again. An error on the way keeps the link.
    h.now += 3_600_000
    const wrong = await victim.submit('/register', {
      email,
      password: 'short',
      disown_token: token,
    })
    expect(wrong.status).toBe(422)
    expect(wrong.text).toContain(`value="${token}"`)
    expect(wrong.headers.get('Referrer-Policy')).toBe('no-referrer')
    const inbox = await submitAndFollow(victim, '/register', {
      email,
      password: PASSWORD,
      disown_token: token,
    })
    expect(inbox.text).toContain('Check your inbox')
    await h.deliver()
    expect((await h.mails(email)).length).toBeGreaterThan(count)
  })

  it('F13: expired and broken links open a page that says nothing needs doing', async () => {
    const h = await createHarness()
    const { email } = await waiting(h)
    const { url, token } = await linkTo(h, email, '/disown')
    for (const broken of [
      await h.browser().open(`${url}x`),
      await h.browser().submit('/disown', { token: 'x' }),
    ]) {
      expect(broken.status).toBe(400)
      expect(broken.text).toContain('You need not do anything')
    }
    h.now += 7 * 86_400_000 + 1000
    expect((await h.browser().submit('/disown', { token })).text).toContain('This link has expired')
  })
})
