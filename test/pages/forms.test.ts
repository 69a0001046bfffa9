// What holds for every form and every page.
import { describe, expect, it } from 'vitest'
import { contrast } from '../../src/contrast.ts'
import { brandColors } from '../../src/pages/brand-colors.ts'
import { describeUserAgent } from '../../src/pages/user-agent.ts'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, ORIGIN } from '../support/harness.ts'
import { settled, waiting } from './people.ts'

const POSTS = [
  '/register',
  '/login',
  '/logout',
  '/resend',
  '/correct-address',
  '/auth/verify-email',
  '/forgot-password',
  '/reset-password',
  '/disown',
  '/undo-email-change',
  '/account/email',
  '/account/email/cancel',
  '/account/email/resend',
  '/account/password',
  '/account/sessions/revoke',
  '/account/delete',
]

/** What acts by a token alone, or for anybody, takes `Origin: null` from browsers without `Sec-Fetch-Site`. */
const BY_TOKEN = [
  '/auth/verify-email',
  '/reset-password',
  '/disown',
  '/undo-email-change',
  '/resend',
]

describe('every form', () => {
  it('is on the list below', async () => {
    const h = await createHarness()
    const { browser } = await settled(h)
    const inbox = await waiting(h)
    const pages = [
      ...['/account'].map((path) => browser.open(path)),
      ...['/', '/correct-address', '/account'].map((path) => inbox.browser.open(path)),
      ...['/', '/login', '/forgot-password', '/resend'].map((path) => h.browser().open(path)),
    ]
    for (const { text } of await Promise.all(pages)) {
      for (const [form, action] of text.matchAll(/<form[^>]*action="([^"]*)"[^>]*>/g)) {
        expect(form).toContain('method="post"')
        expect(POSTS).toContain(action)
      }
    }
  })

  it.each(POSTS)('CSRF: %s refuses forms of another site, and changes nothing', async (path) => {
    const h = await createHarness()
    const { browser, email } = await settled(h)
    const before = await h.rows('select * from users')
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
      { 'Sec-Fetch-Site': 'same-site', Origin: 'https://sibling.testproof.dev' },
      { 'Sec-Fetch-Site': 'cross-site', Origin: 'null' },
      { 'Sec-Fetch-Site': '', Origin: 'https://evil.example' },
      ...(BY_TOKEN.includes(path) ? [] : [{ 'Sec-Fetch-Site': '', Origin: 'null' }]),
    ]) {
      const form = { email, new_email: 'next@mail.example', password: PASSWORD, token: 'x' }
      const answer = await browser.send('POST', path, { form, headers })
      expect([answer.status, answer.body.error]).toEqual([403, 'cross_site'])
    }
    expect(await h.rows('select * from users')).toEqual(before)
    expect((await browser.session()).status).toBe(200)
  })

  it.each(POSTS)('a malformed multipart body at %s is a page of 400, never a 500', async (path) => {
    const h = await createHarness()
    const { browser } = await settled(h)
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    for (const [type, body] of [
      ['multipart/form-data', 'no boundary'],
      ['multipart/form-data; boundary=x', 'no part'],
      [
        'multipart/form-data; boundary=x',
        '--x\r\nContent-Disposition: form-data; name="email"\r\n',
      ],
    ] as const) {
      const response = await h.fetch(path, {
        method: 'POST',
        headers: {
          'Content-Type': type,
          'Sec-Fetch-Site': 'same-origin',
          Accept: 'text/html',
          Cookie: cookie,
        },
        body,
        redirect: 'manual',
      })
      expect(response.status).toBeLessThan(500)
      expect(await response.text()).not.toContain('Something went wrong')
      const readsNoForm = ['/logout', '/account/email/cancel', '/account/email/resend']
      if (!readsNoForm.includes(path)) expect(response.status).toBe(400)
    }
  })

  it.each(POSTS)(
    'fields that come twice, as files or not at all break nothing at %s',
    async (path) => {
      const h = await createHarness()
      const { browser } = await settled(h)
      const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const twice = new FormData()
      const files = new FormData()
      for (const name of ['email', 'new_email', 'password', 'token', 'id', 'redirect_to']) {
        twice.append(name, 'a')
        twice.append(name, 'b')
        files.append(name, new File(['x'], 'x.txt'))
      }
      for (const body of [twice, files, new FormData()]) {
        const response = await h.fetch(path, {
          method: 'POST',
          headers: { 'Sec-Fetch-Site': 'same-origin', Accept: 'text/html', Cookie: cookie },
          body,
          redirect: 'manual',
        })
        expect(response.status).toBeLessThan(500)
      }
    },
  )

  it('limits answer with a page', async () => {
    const h = await createHarness({ MAIL_LIMIT_PER_IP: '1/1h', LOGIN_LIMIT_PER_IP: '1/1h' })
    for (const path of ['/register', '/login', '/forgot-password', '/resend']) {
      const ada = h.browser()
      const form = { email: 'ada@mail.example', password: PASSWORD }
      await ada.submit(path, form)
      const answer = await ada.submit(path, form)
      expect(answer.status).toBe(429)
      expect(answer.text).toContain('Too many attempts')
      expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
    }
  })

  it('an outage of D1 is a page that says so', async () => {
    const h = await createHarness()
    const { browser } = await settled(h)
    h.bindings.fault = (binding) => (binding === 'd1' ? 'throw' : undefined)
    for (const path of ['/', '/account']) {
      const page = await browser.open(path)
      expect(page.status).toBe(503)
      expect(page.text).toContain('Nothing of what you did is lost')
    }
  })
})

describe('the brand', () => {
  it('shows name, logo and support address, and lets the logo through', async () => {
    const h = await createHarness({
      LOGO_URL: 'https://cdn.example.com/logo.svg',
      SUPPORT_EMAIL: 'help@example.com',
      APP_NAME: 'Ärger & Söhne <x>',
    })
    const page = await h.browser().open('/login')
    expect(page.text).toContain(
      '<img src="https://cdn.example.com/logo.svg" alt="Ärger &amp; Söhne',
    )
    expect(page.text).toContain('href="mailto:help@example.com"')
    expect(page.text).not.toContain('<x>')
    const policy = page.headers.get('Content-Security-Policy') ?? ''
    expect(policy).toContain("img-src 'self' https://cdn.example.com;")
    expect((await h.browser().open('/no/such/page')).text).toContain('help@example.com')
  })

  it('colours the buttons, and stays readable whatever the colour', async () => {
    const h = await createHarness({ BRAND_COLOR: '#ffe600' })
    const css = (await h.browser().open('/assets/style.css')).text
    expect(css).toContain('--button: #ffe600; --on-button: #000000')
    const [light, dark] = [
      ['#f3f4f7', '#ffffff'],
      ['#0f1216', '#181c22'],
    ] as const
    for (const color of [
      '#ffe600',
      '#000000',
      '#ffffff',
      '#1f5fbf',
      '#808080',
      '#ff0000',
      '#00ff7f',
    ]) {
      const colors = brandColors(color, light, dark)
      expect(contrast(colors.button, colors.onButton)).toBeGreaterThanOrEqual(4.5)
      for (const on of light) expect(contrast(colors.light, on)).toBeGreaterThanOrEqual(4.5)
      for (const on of dark) expect(contrast(colors.dark, on)).toBeGreaterThanOrEqual(4.5)
    }
  })

  it('scripts run on no page but the inbox', async () => {
    const h = await createHarness()
    const { browser } = await settled(h)
    for (const path of ['/account', '/login', '/forgot-password', '/disown?token=x', '/nowhere']) {
      const page = await browser.open(path)
      expect(page.text).not.toContain('<script')
      expect(page.headers.get('Content-Security-Policy')).not.toContain('script-src')
      expect(page.headers.get('Cache-Control')).toBe('no-store')
    }
  })
})

describe('devices by their User-Agent', () => {
  it.each([
    [null, 'Unknown device'],
    ['', 'Unknown device'],
    ['curl/8.5.0', 'curl/8.5.0'],
    ['x'.repeat(100), `${'x'.repeat(59)}…`],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
      'Chrome on Android',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
      'Safari on a Mac',
    ],
  ])('%s', (userAgent, words) => {
    expect(describeUserAgent(userAgent)).toBe(words)
  })
})

describe('an older browser, which says only Origin', () => {
  it('can use the pages under no-referrer, whose forms come with Origin: null', async () => {
    const h = await createHarness()
    const headers = { Origin: 'null', 'Sec-Fetch-Site': '' }
    for (const path of BY_TOKEN) {
      const answer = await h.browser().send('POST', path, { form: { token: 'x' }, headers })
      expect(answer.text).not.toContain('another site')
      expect(answer.status).not.toBe(403)
    }
    const own = { Origin: ORIGIN, 'Sec-Fetch-Site': '' }
    const form = { email: 'ada@mail.example' }
    const asked = await h.browser().send('POST', '/forgot-password', { form, headers: own })
    expect(asked.status).toBe(202)
  })
})
