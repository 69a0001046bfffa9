// `redirect_to`: back to the front end after success, and nowhere else.
import { describe, expect, it } from 'vitest'
import { redirectTarget } from '../../src/pages/redirect-target.ts'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, linkIn, ORIGIN } from '../support/harness.ts'
import { settled } from './people.ts'

const APP = 'https://app.example.com'
const TARGET = `${APP}/welcome?plan=pro#top`
const config = { APP_BASE_URL: ORIGIN, ALLOWED_ORIGINS: [APP, 'http://localhost:3000'] }

describe('which targets are allowed', () => {
  it.each([
    [TARGET, TARGET],
    [APP, `${APP}/`],
    [`${ORIGIN}/account`, `${ORIGIN}/account`],
    ['HTTPS://APP.EXAMPLE.COM/x', `${APP}/x`],
    ['https://app.example.com:443/', `${APP}/`],
    ['http://localhost:3000/after', 'http://localhost:3000/after'],
  ])('%s', (text, url) => {
    expect(redirectTarget(config, text)).toBe(url)
  })

  it.each([
    'https://evil.example/',
    'https://app.example.com.evil.example/',
    'https://app.example.com@evil.example/',
    'https://user@app.example.com/',
    'https://:password@app.example.com/',
    'https://evil.example\\@app.example.com/',
    'https:\\\\app.example.com/',
    'https://app.example.com\\.evil.example/',
    '//evil.example/',
    '\\\\evil.example/',
    '/account',
    'account',
    '',
    'javascript:alert(1)//https://app.example.com/',
    'javascript://app.example.com/%0Aalert(1)',
    'data:text/html,x',
    'blob:https://app.example.com/x',
    'ftp://app.example.com/',
    'http://app.example.com/',
    'https://app.example.com:8443/',
    'https://sub.app.example.com/',
    ' https://app.example.com/',
    'https://app.exam\tple.com/',
    'https://app.example.com/\r\nSet-Cookie: a=b',
    'https://evil.example/#https://app.example.com/',
    'https://evil.example/?https://app.example.com/',
    'https://[::1]/',
    'https://',
    'null',
    `${APP}/${'x'.repeat(2048)}`,
  ])('not %s', (text) => {
    expect(redirectTarget(config, text)).toBeUndefined()
  })
})

describe('on the way', () => {
  const settings = { ALLOWED_ORIGINS: APP }
  const query = `redirect_to=${encodeURIComponent(TARGET)}`
  const field = `name="redirect_to" value="${TARGET}"`

  it('S7: register, inbox, confirmed: on to the front end', async () => {
    const h = await createHarness(settings)
    const ada = h.browser()
    const email = freshAddress()
    const form = await ada.open(`/register?${query}`)
    expect(form.text).toContain(field)
    expect(form.text).toContain('href="/login?redirect_to=https%3A%2F%2Fapp.example.com')
    expect(form.headers.get('Content-Security-Policy')).toContain(`form-action 'self' ${APP}`)

    const short = await ada.submit('/register', { email, password: 'x', redirect_to: TARGET })
    expect(short.text).toContain(field)
    const sent = await ada.submit('/register', { email, password: PASSWORD, redirect_to: TARGET })
    const inboxPath = sent.headers.get('Location') ?? ''
    expect(inboxPath).toMatch(/^\/\?redirect_to=/)
    const inbox = await ada.open(inboxPath)
    expect(inbox.text).toContain('data-next="/?redirect_to=https%3A%2F%2Fapp.example.com')
    expect(inbox.text).toContain(`href="${TARGET}"`)
    const again = await ada.submit('/resend', { redirect_to: TARGET })
    expect(again.headers.get('Location')).toMatch(/^\/\?notice=mail_sent&redirect_to=https%3A/)

    await h.deliver()
    const { url, token } = linkIn((await h.mails(email))[0])
    expect((await ada.open(`${url}&${query}`)).text).toContain(field)
    const done = await ada.submit('/auth/verify-email', { token, redirect_to: TARGET })
    expect(done.text).toContain(`href="${TARGET}"`)
    const onward = await ada.open(inboxPath)
    expect([onward.status, onward.headers.get('Location')]).toEqual([303, TARGET])
  })

  it('sign in: back to the front end', async () => {
    const h = await createHarness(settings)
    const { email } = await settled(h)
    expect((await h.browser().open(`/login?${query}`)).text).toContain(field)
    const form = { email, password: PASSWORD, redirect_to: TARGET }
    const wrong = await h.browser().submit('/login', { ...form, password: 'not this one' })
    expect(wrong.text).toContain(field)
    const answer = await h.browser().submit('/login', form)
    expect([answer.status, answer.headers.get('Location')]).toEqual([303, TARGET])
  })

  it.each([
    'https://evil.example/',
    '//evil.example/',
    'javascript:alert(1)',
    `${APP}@evil.example/`,
  ])('an open redirect to %s is not to be had, nor carried along', async (evil) => {
    const h = await createHarness(settings)
    const { browser, email } = await settled(h)
    const asked = `redirect_to=${encodeURIComponent(evil)}`
    for (const path of ['/', '/register', '/login']) {
      const page = await h.browser().open(`${path}?${asked}`)
      expect(page.status).toBe(200)
      expect(page.text).not.toContain('evil')
      expect(page.text).not.toContain('alert')
    }
    expect((await browser.open(`/?${asked}`)).headers.get('Location')).toBe('/account')
    const form = { email, password: PASSWORD, redirect_to: evil }
    expect((await h.browser().submit('/login', form)).headers.get('Location')).toBe('/')
    expect((await h.browser().submit('/register', form)).headers.get('Location')).toBe('/')
    const broken = await h.browser().submit('/register', { ...form, password: 'x' })
    expect(broken.text).not.toContain('evil')
  })
})
