// Pages as a browser without JavaScript uses them.
import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, linkIn, ORIGIN } from '../support/harness.ts'

describe('the form journey', () => {
  it('S18: register by GET and POST, look into the inbox, confirm, continue', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    expect((await ada.open('/')).text).toContain('<form method="post" action="/register">')
    const sent = await ada.submit('/register', { email, password: PASSWORD })
    expect([sent.status, sent.headers.get('Location')]).toEqual([303, '/'])
    const inbox = await ada.open('/')
    expect(inbox.text).toContain('Check your inbox')
    expect(inbox.text).toContain(email)

    await h.deliver()
    const { url, token } = linkIn((await h.mails(email))[0])
    const page = await ada.open(url)
    expect(page.text).toContain('Is this your address?')
    expect(page.text).toContain(email)
    expect(page.text).not.toContain('type="password"')
    const done = await ada.submit('/auth/verify-email', { token })
    expect(done.status).toBe(200)
    expect(done.text).toContain('Address confirmed')
    expect(done.text).toContain('is confirmed')
    expect(done.text).toMatch(/<a class="button" href="\/account">\s*Continue/)
    expect((await ada.open('/')).headers.get('Location')).toBe('/account')
    expect((await ada.open('/account')).text).toContain('You are signed in as')
    expect((await ada.submit('/auth/verify-email', { token })).text).toContain('Already confirmed')
    expect((await ada.open(url)).text).toContain('Already confirmed')

    expect((await ada.submit('/logout', {})).status).toBe(303)
    expect((await ada.open('/')).text).toContain('Sign up')
  })

  it('F2: on another device the page asks for the password, says so when it is wrong, and keeps the link', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const { url, token } = linkIn((await h.mails(email))[0])
    const phone = h.browser()
    expect((await phone.open(url)).text).toContain('type="password"')
    const wrong = await phone.submit('/auth/verify-email', { token, password: 'not this one' })
    expect(wrong.status).toBe(403)
    expect(wrong.text).toContain('aria-invalid="true"')
    expect(wrong.text).toContain(token)
    expect(wrong.text).not.toContain('not this one')
    const right = await phone.submit('/auth/verify-email', { token, password: PASSWORD })
    expect(right.text).toContain('Address confirmed')
    expect((await phone.open('/account')).text).toContain('You are signed in as')
  })

  it('S16, F13: expired, invalid and gone links open pages that help', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    await h.deliver()
    const { url, token } = linkIn((await h.mails(email))[0])
    const invalid = await ada.open(`${url}x`)
    expect(invalid.status).toBe(400)
    expect(invalid.text).toContain('This link does not work')

    h.now += 24 * 3_600_000 + 1000
    const expired = await ada.open(url)
    expect(expired.status).toBe(400)
    expect(expired.text).toContain('This link has expired')
    expect(expired.text).toContain('<form method="post" action="/resend">')
    expect((await ada.submit('/auth/verify-email', { token })).text).toContain('has expired')
    expect((await ada.get(url)).body.error).toBe('expired')

    const asked = await ada.submit('/resend', { email })
    expect(asked.status).toBe(202)
    await h.deliver()
    const fresh = linkIn((await h.mails(email))[0])
    expect((await ada.open(fresh.url)).text).toContain('Is this your address?')
  })

  it('S18: the inbox page sends the mail again and says when the limit is reached', async () => {
    const h = await createHarness()
    const ada = h.browser()
    await ada.register(freshAddress())
    for (let i = 0; i < 2; i++) {
      expect((await ada.open('/')).text).toContain('Send the mail again')
      const sent = await ada.submit('/resend', {})
      expect([sent.status, sent.headers.get('Location')]).toEqual([303, '/?notice=mail_sent'])
      expect((await ada.open('/?notice=mail_sent')).text).toContain('A new mail is on its way')
    }
    h.now += 60_000
    const full = await ada.open('/')
    expect(full.text).toContain('You can send it again in 14 minutes.')
    expect(full.text).not.toContain('Send the mail again')
    const limited = await ada.submit('/resend', {})
    expect([limited.status, limited.headers.get('Retry-After')]).toEqual([429, '840'])
    expect(limited.text).toContain('You can send it again in 14 minutes.')
  })

  it('errors stand beside their fields; the address is kept, the password never', async () => {
    const h = await createHarness()
    const form = { email: 'ada@nowhere', password: 'short' }
    const page = await h.browser().submit('/register', form)
    expect(page.status).toBe(422)
    expect(page.text).toContain('value="ada@nowhere"')
    expect(page.text).toContain('id="email-error"')
    expect(page.text).toContain('The password must have at least 8 characters')
    expect(page.text).not.toContain('short"')
  })

  it('markup in what was typed stays text', async () => {
    const h = await createHarness()
    const page = await h.browser().submit('/register', {
      email: '"><script>alert(1)</script>@x',
      password: PASSWORD,
    })
    expect(page.text).not.toContain('<script>')
  })
})

describe('what browsers are told', () => {
  it('no-store, no-referrer, no frames, no scripts, wherever a token passes', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const { url } = linkIn((await h.mails(email))[0])
    const { headers } = await h.browser().open(url)
    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(headers.get('X-Frame-Options')).toBe('DENY')
    expect(headers.get('Strict-Transport-Security')).toContain('max-age=31536000')
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
    const policy = headers.get('Content-Security-Policy') ?? ''
    for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"]) {
      expect(policy).toContain(rule)
    }
    expect(policy).not.toContain('unsafe')
    expect(policy).not.toContain('script-src')
  })

  it.each(['/register', '/login', '/logout', '/resend', '/auth/verify-email'])(
    'CSRF: a form to %s from another site is refused, and changes nothing',
    async (path) => {
      const h = await createHarness()
      const ada = h.browser()
      const email = freshAddress()
      await ada.register(email)
      await h.deliver()
      const { token } = linkIn((await h.mails(email))[0])
      for (const headers of [
        { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
        { 'Sec-Fetch-Site': 'same-site', Origin: 'https://sibling.testproof.dev' },
        { 'Sec-Fetch-Site': 'cross-site', Origin: 'null' },
      ]) {
        const form = { email, password: PASSWORD, token }
        const answer = await ada.send('POST', path, { form, headers })
        expect([answer.status, answer.body.error]).toEqual([403, 'cross_site'])
      }
      expect((await ada.session()).body.user.is_email_verified).toBe(false)
    },
  )

  it('an older browser, which says only Origin, can use every form of ours', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    const own = { Origin: ORIGIN, 'Sec-Fetch-Site': '' }
    const form = { email, password: PASSWORD }
    expect((await ada.send('POST', '/register', { form, headers: own })).status).toBe(303)
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    const headers = { Origin: 'null', 'Sec-Fetch-Site': '' }
    const confirmed = await ada.send('POST', '/auth/verify-email', { form: { token }, headers })
    expect(confirmed.text).toContain('Address confirmed')
    expect((await ada.send('POST', '/login', { form, headers })).status).toBe(403)
  })

  it('a person gets a page where a program gets a problem', async () => {
    const h = await createHarness()
    const lost = await h.browser().open('/no/such/page')
    expect([lost.status, lost.headers.get('Content-Type')]).toEqual([
      404,
      'text/html; charset=UTF-8',
    ])
    const program = await h.browser().get('/no/such/page')
    expect([program.status, program.body.error]).toEqual([404, 'not_found'])
  })
})
