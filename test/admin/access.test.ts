// Who gets to the desk, and who does not.
import { describe, expect, it } from 'vitest'
import { signDeskSession } from '../../src/admin/desk-session.ts'
import { createHarness } from '../support/harness.ts'
import { ADMIN_TOKEN, claim, deskHarness, HTML, Program, personAtDesk } from './desk.ts'

const PATHS = ['/admin', '/admin/mails/failed', '/admin/users/x', '/admin/no/such/path']
const cookieOf = (value: string) => ({ Cookie: `__Secure-desk=${value}` })

describe('without ADMIN_TOKEN', () => {
  it.each([...PATHS, '/admin/assets/desk.css'])('%s is not there', async (path) => {
    const h = await createHarness()
    const json = await new Program(h).get(path)
    expect([json.status, json.body.error]).toEqual([404, 'not_found'])
    expect((await h.browser().open(path)).status).toBe(404)
    expect((await h.browser().submit('/admin/sign-in', { name: 'x', token: 'y' })).status).toBe(404)
  })
})

describe('the token', () => {
  it('opens; the wrong one, none and half of it do not, and nobody learns what there is', async () => {
    const h = await deskHarness()
    const { id } = await claim(h)
    expect((await new Program(h).get(`/admin/users/${id}`)).status).toBe(200)
    for (const token of ['wrong', ADMIN_TOKEN.slice(1), `${ADMIN_TOKEN}x`, '', 'é']) {
      for (const path of [...PATHS, `/admin/users/${id}`]) {
        const answer = await new Program(h, { token: encodeURI(token) }).get(path)
        expect([path, answer.status, answer.body.error]).toEqual([path, 401, 'not_signed_in'])
        expect(answer.headers.get('WWW-Authenticate')).toMatch(/^Bearer/)
      }
    }
    for (const path of PATHS) expect((await h.browser().get(path)).status).toBe(401)
  })

  it('is not looked for in D1, and does not stand in a log', async () => {
    const h = await deskHarness()
    h.bindings.resetCounts()
    await new Program(h, { token: 'a-wrong-guess' }).get('/admin/mails/failed')
    await h.browser().submit('/admin/sign-in', { name: 'Eve', token: 'a-wrong-guess' })
    await personAtDesk(h)
    expect(h.bindings.counts.d1).toBe(0)
    const logs = JSON.stringify(h.logs)
    expect(logs).not.toContain('a-wrong-guess')
    expect(logs).not.toContain(ADMIN_TOKEN)
    expect(h.logs.map(({ event }) => event)).toEqual([
      'desk_refused',
      'desk_refused',
      'desk_signed_in',
    ])
  })

  it('guessed at many paths: one line a second in the log, and no path that the guesser made up', async () => {
    const h = await deskHarness({ ADMIN_LIMIT_PER_IP: '3/15m' })
    for (let nth = 0; nth < 40; nth++) {
      const path = `/admin/users/ada@example.com/${'x'.repeat(500)}${nth}`
      await h.browser('10.99.0.9').get(path, { Authorization: 'Bearer wrong' })
    }
    const limited = h.logs.filter(({ event }) => event === 'request_limited')
    expect(limited).toHaveLength(1)
    expect(JSON.stringify(h.logs)).not.toMatch(/ada@example|xxx/)
  })

  it('guesses one after the other: 429 from the limit on; the right token still passes, and so do others', async () => {
    const h = await deskHarness({ ADMIN_LIMIT_PER_IP: '3/15m' })
    const guess = (token: string, ip = '10.99.0.1') =>
      h.browser(ip).get('/admin/mails/failed', { Authorization: `Bearer ${token}` })
    const statuses = []
    for (const token of ['a', 'b', 'c', 'd', ADMIN_TOKEN])
      statuses.push((await guess(token)).status)
    expect(statuses).toEqual([401, 401, 401, 429, 200])
    const refused = await guess('f')
    expect(refused.headers.get('Retry-After')).toBe('900')
    expect(refused.headers.get('RateLimit-Policy')).toBe('"admin-ip";q=3;w=900')
    const page = await h.browser('10.99.0.1').submit('/admin/sign-in', { name: 'Eve', token: 'e' })
    expect([page.status, page.headers.get('Retry-After')]).toEqual([429, '900'])
    expect(page.text).toContain('Too many attempts')
    expect((await guess(ADMIN_TOKEN, '10.99.0.2')).status).toBe(200)
    h.now += 900_000
    expect((await guess(ADMIN_TOKEN)).status).toBe(200)
  })

  it('what shows nothing is no guess: another site’s images cannot lock an operator out', async () => {
    const h = await deskHarness({ ADMIN_LIMIT_PER_IP: '2/15m' })
    const browser = h.browser()
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await browser.get('/admin/users/x')).status)
    expect(statuses).toEqual([401, 401, 401])
    const program = new Program(h)
    for (let i = 0; i < 5; i++) expect((await program.get('/admin/mails/failed')).status).toBe(200)
  })

  it('a burst of guesses is held back at the gate, the right one is not', async () => {
    const h = await deskHarness()
    const tokens = [...Array.from({ length: 45 }, (_, i) => `guess-${i}`), ADMIN_TOKEN]
    const answers = await Promise.all(
      tokens.map((token) =>
        h.browser('10.99.1.1').get('/admin/mails/failed', { Authorization: `Bearer ${token}` }),
      ),
    )
    const count = (status: number) => answers.filter((answer) => answer.status === status).length
    expect(count(429)).toBeGreaterThanOrEqual(15)
    expect(count(401)).toBeLessThanOrEqual(30)
    expect(count(200)).toBe(1)
  })
})

describe('the session', () => {
  it('is a cookie for the desk alone, without the token, for twelve hours', async () => {
    const h = await deskHarness()
    const form = { name: ' Ida Rhodes ', token: ADMIN_TOKEN, to: '/admin/mails/failed' }
    const response = await h.fetch('/admin/sign-in', {
      method: 'POST',
      headers: { 'Sec-Fetch-Site': 'same-origin' },
      body: new URLSearchParams(form),
      redirect: 'manual',
    })
    expect(response.headers.get('Location')).toBe('/admin/mails/failed')
    const cookie = response.headers.get('Set-Cookie') ?? ''
    expect(cookie).toMatch(/^__Secure-desk=/)
    for (const part of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/admin']) {
      expect(cookie).toContain(part)
    }
    expect(cookie).not.toContain(ADMIN_TOKEN)
    expect(atob(cookie.split(/[=.]/)[1] ?? '')).not.toContain(ADMIN_TOKEN)

    const browser = await personAtDesk(h)
    h.now += 12 * 3_600_000 - 1
    expect((await browser.open('/admin')).status).toBe(200)
    h.now += 1
    const expired = await browser.open('/admin/mails/failed')
    expect(expired.status).toBe(401)
    expect(expired.text).toContain('name="to" value="/admin/mails/failed"')
  })

  it('where it is forged, or signed by a token that was replaced, it opens nothing, and counts', async () => {
    const h = await deskHarness({ ADMIN_LIMIT_PER_IP: '4/15m' })
    const browser = h.browser()
    const good = await signDeskSession(ADMIN_TOKEN, { name: 'Eve', expiresAt: h.now + 1000 })
    const rotated = await signDeskSession(`${ADMIN_TOKEN}-new`, {
      name: 'Eve',
      expiresAt: h.now + 1000,
    })
    const [payload = '', mac = ''] = good.split('.')
    const longer = btoa(JSON.stringify({ n: 'Eve', x: h.now * 2 })).replace(/=+$/, '')
    expect((await browser.get('/admin/mails/failed', cookieOf(good))).status).toBe(200)
    for (const value of [
      rotated,
      `${longer}.${mac}`,
      `${payload}.${'A'.repeat(43)}`,
      `${good}.x`,
    ]) {
      const answer = await browser.get('/admin/mails/failed', { ...HTML, ...cookieOf(value) })
      expect([value, answer.status]).toEqual([value, 401])
      expect(answer.headers.get('Set-Cookie')).toMatch(/^__Secure-desk=;.*Max-Age=0/)
    }
    const limited = await browser.get('/admin/mails/failed', { ...HTML, ...cookieOf('x') })
    expect(limited.status).toBe(429)
    // Whoever has signed in works on, whatever a neighbour behind the same address tries.
    expect((await browser.get('/admin/mails/failed', cookieOf(good))).status).toBe(200)
  })

  it('ends by signing out', async () => {
    const h = await deskHarness()
    const browser = await personAtDesk(h)
    expect((await browser.submit('/admin/sign-out', {})).headers.get('Location')).toBe('/admin')
    expect(browser.cookies.size).toBe(0)
    expect((await browser.open('/admin')).status).toBe(401)
  })

  it('does not begin without a name, nor by a link to elsewhere', async () => {
    const h = await deskHarness()
    const nameless = await h.browser().submit('/admin/sign-in', { name: ' ', token: ADMIN_TOKEN })
    expect(nameless.status).toBe(422)
    expect(nameless.text).toContain('This is required.')
    expect(nameless.text).not.toContain(ADMIN_TOKEN)
    for (const to of ['https://evil.example', '//evil.example', '/login', '/admin?x=1']) {
      const form = { name: 'Ida', token: ADMIN_TOKEN, to }
      const answer = await h.browser().submit('/admin/sign-in', form)
      expect(answer.headers.get('Location')).toBe('/admin')
    }
  })

  it('whoever only opens a page is asked to sign in, uncounted, and led back to it', async () => {
    const h = await deskHarness({ ADMIN_LIMIT_PER_IP: '1/15m' })
    const browser = h.browser()
    for (let i = 0; i < 3; i++) {
      const page = await browser.open('/admin/users/some-id')
      expect(page.status).toBe(401)
      expect(page.text).toContain('name="to" value="/admin/users/some-id"')
      expect(page.text).not.toContain('action="/admin/sign-out"')
    }
    expect(h.bindings.counts.kvWrites).toBe(0)
  })
})

describe('other sites', () => {
  const ACTIONS = ['resend', 'link', 'verify', 'lift-suppression']

  it('S8, F6: no form of theirs acts here, whatever cookie came along', async () => {
    const h = await deskHarness()
    const { id } = await claim(h)
    const browser = await personAtDesk(h)
    const form = { reason: 'because', purpose: 'reset', token: ADMIN_TOKEN, name: 'Eve' }
    const paths = [
      ...ACTIONS.map((action) => `/admin/users/${id}/${action}`),
      '/admin/users/find',
      '/admin/lift-suppression',
      '/admin/mails/failed/retry',
      `/admin/mails/${id}/retry`,
      '/admin/sign-in',
      '/admin/sign-out',
    ]
    for (const path of paths) {
      for (const headers of [
        { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
        { 'Sec-Fetch-Site': 'same-site', Origin: 'https://other.testproof.dev' },
        { 'Sec-Fetch-Site': '', Origin: 'null' },
      ]) {
        const answer = await browser.send('POST', path, { form, headers })
        expect([path, answer.status]).toEqual([path, 403])
      }
      if (path.includes('sign-')) continue
      const plain = await browser.send('POST', path, {
        headers: { 'Content-Type': 'text/plain', Accept: '*/*' },
      })
      expect([path, plain.status]).toEqual([path, 415])
    }
    expect(await h.rows("select 1 from events where type like 'support_%'")).toEqual([])
  })

  it('pages of the desk run nothing, are framed nowhere and kept by no cache', async () => {
    const h = await deskHarness()
    const browser = await personAtDesk(h)
    for (const path of ['/admin', '/admin/mails/failed', '/admin/users/none']) {
      const { headers } = await browser.open(path)
      expect(headers.get('Content-Security-Policy')).toContain("default-src 'none'")
      expect(headers.get('Content-Security-Policy')).not.toContain('script-src')
      expect(headers.get('X-Frame-Options')).toBe('DENY')
      expect(headers.get('Cache-Control')).toBe('no-store')
    }
    const css = await h.browser().get('/admin/assets/desk.css')
    expect([css.status, css.headers.get('Content-Type')]).toEqual([200, 'text/css; charset=utf-8'])
  })
})
