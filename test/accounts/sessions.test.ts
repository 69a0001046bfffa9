// A session token says whose it is: what it opens, what it does not, and what is stored of it.
import { describe, expect, it } from 'vitest'
import { sessionKeyOf } from '../../src/accounts/session-token.ts'
import { decodeBase64Url, encodeBase64Url } from '../../src/signing/base64url.ts'
import { type Browser, PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'

const COOKIE = '__Host-session'
const tokenIn = (browser: Browser) => browser.cookies.get(COOKIE) ?? ''
const ownerOf = async (browser: Browser) => (await sessionKeyOf(tokenIn(browser))).userId

async function registered(h: Harness) {
  const browser = h.browser()
  const email = freshAddress()
  const { user } = (await browser.register(email)).body
  await h.deliver()
  const link = linkIn((await h.mails(email))[0])
  return { browser, email, link, id: String(user.id) }
}

/** The secret of one token under the name of another's user. */
function crossed(named: string, secret: string): string {
  const bytes = decodeBase64Url(secret) ?? new Uint8Array()
  bytes.set((decodeBase64Url(named) ?? bytes).subarray(0, 16))
  return encodeBase64Url(bytes)
}

const GARBAGE = ['garbage', 'a'.repeat(63), 'a'.repeat(65), `${'a'.repeat(63)}.`, 'x'.repeat(129)]

describe('whose a session token is', () => {
  it('it names its user, however the session came about', async () => {
    const h = await createHarness()
    const { browser, email, link, id } = await registered(h)
    const seen = new Set<string>()
    const names = async (who: Browser) => {
      const token = tokenIn(who)
      expect([seen.has(token), await ownerOf(who)]).toEqual([false, id])
      expect((await who.session()).body.user.id).toBe(id)
      seen.add(token)
    }
    await names(browser)
    await browser.register(email) // renews the claim
    await names(browser)
    await browser.confirm(link.token)
    await names(browser)
    await browser.confirm(link.token)
    await names(browser)
    const phone = h.browser()
    await phone.confirm(link.token, PASSWORD)
    await names(phone)
    const tablet = h.browser()
    await tablet.login(email)
    await names(tablet)
    const passwords = { current_password: PASSWORD, new_password: `${PASSWORD} anew` }
    expect((await browser.post('/auth/change-password', passwords)).status).toBe(200)
    await names(browser)
  })

  it('of a program it is the same, in the body', async () => {
    const h = await createHarness()
    const json = { email: freshAddress(), password: PASSWORD, transport: 'bearer' }
    const { user, session } = (await h.browser().post('/auth/register', json)).body
    expect((await sessionKeyOf(session.token)).userId).toBe(user.id)
    const check = { Authorization: `Bearer ${session.token}` }
    expect((await h.browser().get('/auth/check', check)).headers.get('X-Auth-User-Id')).toBe(
      user.id,
    )
  })

  it('from a browser with a session of another address it names the new claim, and the old session ends', async () => {
    const h = await createHarness()
    const { browser, id } = await registered(h)
    const old = tokenIn(browser)
    const second = await browser.register(freshAddress())
    expect(second.body.user.id).not.toBe(id)
    expect(await ownerOf(browser)).toBe(second.body.user.id)
    const stale = await h.browser().get('/auth/session', { Cookie: `${COOKIE}=${old}` })
    expect(stale.status).toBe(401)
    expect(await h.rows('select user_id from sessions')).toEqual([{ user_id: second.body.user.id }])
  })
})

describe('a session of somebody else', () => {
  it.each(['confirm', 'click'])('is left alone by a link, in VERIFY_MODE=%s', async (mode) => {
    const h = await createHarness({ VERIFY_MODE: mode })
    const ada = await registered(h)
    const bob = await registered(h)
    const token = tokenIn(bob.browser)
    const use = () =>
      mode === 'click' ? bob.browser.get(ada.link.url) : bob.browser.confirm(ada.link.token)
    const first = await use()
    expect(first.body.error ?? first.body.status).toBe(
      mode === 'click' ? 'verified' : 'proof_required',
    )
    await ada.browser.confirm(ada.link.token)
    const second = await use()
    expect(second.body.status).toBe('already_verified')
    for (const { headers } of [first, second]) expect(headers.get('Set-Cookie')).toBeNull()
    expect(tokenIn(bob.browser)).toBe(token)
    expect((await bob.browser.session()).body.user.id).toBe(bob.id)
  })
})

describe('a token with another user’s name and a good secret', () => {
  it('opens nothing, proves nothing, renews nothing and ends nothing', async () => {
    const h = await createHarness()
    const ada = await registered(h)
    const mallory = await registered(h)
    const tables = async () => [
      await h.rows('select * from sessions order by id'),
      await h.rows('select id, email_verified_at, generation from users order by id'),
    ]
    const before = await tables()
    const tokens = [
      crossed(tokenIn(ada.browser), tokenIn(mallory.browser)),
      crossed(tokenIn(mallory.browser), tokenIn(ada.browser)),
    ]
    for (const token of tokens) {
      const forger = h.browser()
      forger.cookies.set(COOKIE, token)
      for (const path of ['/auth/session', '/auth/check', '/auth/sessions']) {
        expect([path, (await forger.get(path)).status]).toEqual([path, 401])
      }
      expect((await forger.open('/account')).headers.get('Location')).toBe('/login')
      const preview = await forger.get(`/auth/verify-email?token=${ada.link.token}`)
      expect(preview.body.password_required).toBe(true)
      expect((await forger.confirm(ada.link.token)).body.error).toBe('proof_required')
      expect((await forger.post('/auth/resend-verification')).status).toBe(401)
      expect((await forger.send('DELETE', '/auth/change-email')).status).toBe(401)
      for (const { id } of await h.rows<{ id: string }>('select id from sessions')) {
        expect((await forger.send('DELETE', `/auth/sessions/${id}`)).status).toBe(401)
      }
      await forger.send('POST', '/auth/logout')
      expect(await tables()).toEqual(before)

      // Registering with it adds a claim of its own, and leaves everybody else's alone.
      forger.cookies.set(COOKIE, token)
      const own = await forger.register(ada.email, 'a password of a stranger')
      expect([ada.id, mallory.id]).not.toContain(own.body.user.id)
      expect(await ownerOf(forger)).toBe(own.body.user.id)
      await h.rows('delete from users where id = ?', own.body.user.id)
      expect(await tables()).toEqual(before)
    }
    expect((await ada.browser.session()).body.user.id).toBe(ada.id)
    expect((await ada.browser.confirm(ada.link.token)).body.status).toBe('verified')
  })
})

describe('promise 6: what is no token of ours', () => {
  it.each(GARBAGE)('is answered as none, and asks D1 nothing: %j', async (garbage) => {
    const h = await createHarness()
    const asks: ((browser: Browser) => Promise<unknown>)[] = [
      (browser) => browser.get('/auth/session'),
      (browser) => browser.get('/auth/check?verified=1'),
      (browser) => browser.get('/auth/sessions'),
      (browser) => browser.send('DELETE', '/auth/sessions/some-id'),
      (browser) => browser.send('DELETE', '/auth/change-email'),
      (browser) => browser.send('POST', '/auth/logout'),
      (browser) => browser.post('/auth/resend-verification'),
      (browser) => browser.post('/auth/change-email', { new_email: 'a@b.example', password: 'p' }),
      (browser) => browser.open('/'),
      (browser) => browser.open('/account'),
    ]
    const answers = async (cookie: string | null) => {
      const seen: unknown[] = []
      for (const ask of asks) {
        const browser = h.browser()
        if (cookie !== null) browser.cookies.set(COOKIE, cookie)
        const { status, headers, text } = (await ask(browser)) as Awaited<
          ReturnType<Browser['get']>
        >
        seen.push([status, [...headers], text.replace(/name="csrf" value="[^"]+"/g, '')])
      }
      return seen
    }
    h.bindings.resetCounts()
    expect(await answers(garbage)).toEqual(await answers(null))
    expect(h.bindings.counts.d1).toBe(0)
  })

  it('proves no claim: told as without a session, in the one statement that it takes', async () => {
    const h = await createHarness()
    const { browser, link } = await registered(h)
    const own = tokenIn(browser)
    const seen: unknown[] = []
    for (const cookie of [null, ...GARBAGE]) {
      const stranger = h.browser()
      if (cookie !== null) stranger.cookies.set(COOKIE, cookie)
      h.bindings.resetCounts()
      const { status, text } = await stranger.confirm(link.token)
      const { d1, statements, rowsWritten } = h.bindings.counts
      seen.push([status, JSON.parse(text).error, { d1, statements, rowsWritten }])
    }
    expect(new Set(seen.map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify([403, 'proof_required', { d1: 1, statements: 1, rowsWritten: 0 }])]),
    )
    browser.cookies.set(COOKIE, own)
    expect((await browser.confirm(link.token)).body.status).toBe('verified')
    const late = await h.browser().confirm(link.token)
    expect([late.body.status, late.headers.get('Set-Cookie')]).toEqual(['already_verified', null])
  })

  it('signs in and registers like a browser without one', async () => {
    const h = await createHarness()
    const { email, id } = await registered(h)
    for (const garbage of GARBAGE) {
      const browser = h.browser()
      browser.cookies.set(COOKIE, garbage)
      expect((await browser.login(email)).status).toBe(200)
      expect(await ownerOf(browser)).toBe(id)
      const other = h.browser()
      other.cookies.set(COOKIE, garbage)
      expect((await other.register(freshAddress())).status).toBe(201)
      expect((await other.session()).status).toBe(200)
    }
  })
})

describe('promise 6: what a session costs', () => {
  it('is one row written: to begin it, to rotate it, to end it, to prune it', async () => {
    const h = await createHarness()
    const { browser, email, link } = await registered(h)
    await browser.confirm(link.token)
    const written = async (act: () => Promise<unknown>) => {
      h.now += 1000
      h.bindings.resetCounts()
      await act()
      return h.bindings.counts.rowsWritten
    }
    const phone = h.browser()
    expect(await written(() => phone.login(email))).toBe(2) // and one of the timeline
    expect(await written(() => phone.login(email))).toBe(3) // and the one that it replaces
    expect(await written(() => browser.confirm(link.token))).toBe(1)
    expect(await written(() => phone.send('POST', '/auth/logout'))).toBe(1)
    await h.sweep()
    const idle = await written(() => h.sweep())
    await h.rows('update sessions set expires_at = 0')
    expect(await written(() => h.sweep())).toBe(idle + 1)
  })
})

describe('promise 7: what is stored of a session', () => {
  it('F12: no table holds a token, or its secret, in any spelling', async () => {
    const h = await createHarness()
    const { browser, link, email } = await registered(h)
    const tokens = [tokenIn(browser)]
    await browser.confirm(link.token)
    tokens.push(tokenIn(browser))
    await browser.login(email)
    tokens.push(tokenIn(browser))
    const dump = JSON.stringify([
      await h.rows('select * from sessions'),
      await h.rows('select * from users'),
      await h.rows('select * from events'),
      await h.rows('select * from messages'),
      h.logs,
      h.bindings.queueBodies,
    ])
    for (const token of tokens) {
      const secret = (decodeBase64Url(token) ?? new Uint8Array()).subarray(16)
      expect(secret).toHaveLength(32)
      const spellings = [token, encodeBase64Url(secret), secret.toBase64(), secret.toHex()]
      for (const spelling of spellings) expect(dump).not.toContain(spelling)
    }
    expect(dump).toContain((await sessionKeyOf(tokenIn(browser))).id)
  })
})
