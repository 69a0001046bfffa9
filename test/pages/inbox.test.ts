// Waiting for the mail, as a person sees it.
import { describe, expect, it } from 'vitest'
import { MAIL_STATES } from '../../src/pages/inbox-page.tsx'
import { messageStates } from '../../src/schema.ts'
import { type Browser, PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, linkIn } from '../support/harness.ts'
import { submitAndFollow, waiting } from './people.ts'

/** The one line about the mail that is shown. */
function shownState(html: string): string {
  const lines = [
    ...html.matchAll(/<p data-mail-states="[^"]*" data-news="[^"]*"( hidden="")?>(.*?)<\/p>/g),
  ]
  const shown = lines.filter(([, hidden]) => hidden === undefined)
  expect(shown).toHaveLength(1)
  return (shown[0]?.[2] ?? '').replace(/<[^>]*>/g, '')
}

describe('the inbox page', () => {
  it('every state of a mail has its words, once', () => {
    const worded = MAIL_STATES.flatMap(({ states }) => states)
    expect([...worded].sort()).toEqual([...messageStates, 'held', 'stalled'].sort())
  })

  it('S18: says which address, and what became of the mail', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const ada = h.browser()
    await ada.submit('/register', { email, password: PASSWORD })
    expect(shownState((await ada.open('/')).text)).toMatch(`A mail to ${email} is being sent.`)
    await h.deliver()
    expect(shownState((await ada.open('/')).text)).toBe(`We sent a mail to ${email}.`)
  })

  it.each([
    ['failed', 'could not be sent'],
    ['bounced', 'came back from'],
    ['suppressed', 'We may not mail'],
    ['delivered', 'was delivered to'],
  ])('F9: a mail that is %s is told in plain words', async (state, words) => {
    const h = await createHarness()
    const { browser } = await waiting(h)
    await h.rows(`update messages set state = '${state}' returning id`)
    expect(shownState((await browser.open('/')).text)).toContain(words)
  })

  it('costs one round trip, with session, mail and waiting time', async () => {
    const h = await createHarness()
    const { browser } = await waiting(h)
    h.bindings.resetCounts()
    await browser.open('/')
    expect(h.bindings.counts).toMatchObject({ d1: 1, kvReads: 0, kvWrites: 0 })
  })

  it('F11: brings the script that notices, allowed by the policy, and a reload without scripts', async () => {
    const h = await createHarness()
    const { browser } = await waiting(h)
    const page = await browser.open('/')
    expect(page.text).toMatch(/<script src="\/assets\/inbox\.js" data-next="\/" defer/)
    expect(page.text).toMatch(/<noscript><meta http-equiv="refresh" content="20; url=\/"/)
    const policy = page.headers.get('Content-Security-Policy') ?? ''
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).not.toContain('unsafe')
    const script = await browser.open('/assets/inbox.js')
    expect([script.status, script.headers.get('Content-Type')]).toEqual([
      200,
      'text/javascript; charset=utf-8',
    ])
    expect(script.text).toContain('/auth/session')
    // Nothing to type on the page that reloads: it would be lost.
    expect(page.text).not.toMatch(/<input(?![^>]*type="hidden")/)
  })

  it('F11: once confirmed on another device, the waiting tab goes on to the account', async () => {
    const h = await createHarness()
    const { browser, token } = await waiting(h)
    const phone = h.browser()
    await phone.submit('/auth/verify-email', { token, password: PASSWORD })
    expect((await browser.session()).body.user.is_email_verified).toBe(true)
    const answer = await browser.open('/')
    expect([answer.status, answer.headers.get('Location')]).toEqual([303, '/account'])
  })
})

describe('F9: a typo in the address is mended before it is confirmed', () => {
  const correct = (browser: Browser, new_email: string) =>
    submitAndFollow(browser, '/correct-address', { new_email, password: PASSWORD })

  it('the link goes to the right address; the mistyped one proves nothing', async () => {
    const h = await createHarness()
    const person = await waiting(h, freshAddress('tpyo'))
    expect((await person.browser.open('/')).text).toContain('href="/correct-address"')
    const form = await person.browser.open('/correct-address')
    expect(form.text).toContain(`value="${person.email}"`)
    const right = freshAddress('typo')
    const inbox = await correct(person.browser, right)
    expect(inbox.text).toContain('a mail is on its way to the new one')
    expect(inbox.text).toContain(right)
    expect(inbox.text).not.toContain(person.email)

    await h.deliver()
    const { token } = linkIn((await h.mails(right))[0])
    expect((await person.browser.submit('/auth/verify-email', { token })).text).toContain(
      'Address confirmed',
    )
    expect((await h.browser().open(person.url)).status).toBe(404)
    expect((await person.browser.open('/correct-address')).headers.get('Location')).toBe('/account')
  })

  it('errors stand beside their fields; what was typed is kept, the password never', async () => {
    const h = await createHarness()
    const { browser, email } = await waiting(h)
    const post = (form: Record<string, string>) => browser.submit('/correct-address', form)
    const malformed = await post({ new_email: 'ada@nowhere', password: PASSWORD })
    expect(malformed.status).toBe(422)
    expect(malformed.text).toContain('value="ada@nowhere"')
    expect(malformed.text).toContain('id="new_email-error"')
    const wrong = await post({ new_email: freshAddress('next'), password: 'not the password' })
    expect(wrong.status).toBe(401)
    expect(wrong.text).toContain('id="password-error"')
    expect(wrong.text).not.toContain('not the password')
    expect((await post({ new_email: email, password: PASSWORD })).status).toBe(422)
    expect((await browser.session()).body.user.email).toBe(email)
  })

  it('a form left open does not undo what was confirmed meanwhile', async () => {
    const h = await createHarness()
    const { browser, email, token } = await waiting(h)
    await browser.submit('/auth/verify-email', { token })
    const form = { new_email: freshAddress('next'), password: PASSWORD }
    expect((await browser.submit('/correct-address', form)).headers.get('Location')).toBe(
      '/account',
    )
    expect((await browser.session()).body.user).toMatchObject({ email, pending_email: null })
  })
})

describe('asking for a new link', () => {
  it('F13: a malformed address is told so on a neutral page, not as an expired link', async () => {
    const h = await createHarness()
    const page = await h.browser().submit('/resend', { email: 'ada@nowhere' })
    expect(page.status).toBe(422)
    expect(page.text).toContain('Get a new link')
    expect(page.text).toContain('value="ada@nowhere"')
    expect(page.text).toContain('id="email-error"')
    expect(page.text).not.toMatch(/expired/i)
    expect((await h.browser().open('/resend')).text).toContain('Get a new link')
  })

  it('nobody signed in is led to sign in', async () => {
    const h = await createHarness()
    expect((await h.browser().submit('/resend', {})).headers.get('Location')).toBe('/login')
    expect((await h.browser().open('/correct-address')).headers.get('Location')).toBe('/login')
  })

  it('S18: a sign-in that takes a confirmed address says so, and promises a mail only if one is sent', async () => {
    const h = await createHarness({ LOGIN_REQUIRES_VERIFIED: 'true' })
    const { email } = await waiting(h)
    const signIn = () => h.browser().submit('/login', { email, password: PASSWORD })
    for (let i = 0; i < 2; i++) {
      const told = await signIn()
      expect(told.status).toBe(403)
      expect(told.text).toContain('is not confirmed yet')
      expect(told.text).toContain('A new link is on its way')
      await h.deliver()
    }
    expect(await h.mails(email)).toHaveLength(3)
    const full = await signIn()
    expect(full.status).toBe(403)
    expect(full.text).not.toContain('on its way')
    expect(full.text).toContain('Check your spam folder')
  })
})
