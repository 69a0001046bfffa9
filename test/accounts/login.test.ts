import { describe, expect, it } from 'vitest'
import { login } from '../../src/accounts/login.ts'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, linkIn } from '../support/harness.ts'

describe('sign-in', () => {
  it('S11: an unverified user may sign in; the answer says so', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    const phone = h.browser()
    const answer = await phone.login(email)
    expect(answer.body).toMatchObject({ status: 'signed_in', user: { is_email_verified: false } })
    expect((await phone.session()).body.user.email).toBe(email)
  })

  it('S11: LOGIN_REQUIRES_VERIFIED refuses it, mails a fresh link within the limits, and only to who knows the password', async () => {
    const h = await createHarness({ LOGIN_REQUIRES_VERIFIED: 'true' })
    const email = freshAddress()
    const ada = h.browser()
    await ada.register(email)
    await h.deliver()
    h.now += 1000

    expect((await ada.login(email, 'a wrong password')).status).toBe(401)
    expect(h.bindings.queued).toEqual([])
    const refused = await ada.login(email)
    expect([refused.status, refused.body.error]).toEqual([403, 'email_not_verified'])
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(2)
    for (let i = 0; i < 4; i++) expect((await ada.login(email)).status).toBe(403)
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(3)

    const { token } = linkIn((await h.mails(email))[0])
    expect((await h.browser().confirm(token, PASSWORD)).body.status).toBe('verified')
    expect((await ada.login(email)).status).toBe(200)
  })

  it('S10, S11: the mail that such a sign-in sends respects the limit per IP; the answer stays 403', async () => {
    const h = await createHarness({
      LOGIN_REQUIRES_VERIFIED: 'true',
      MAIL_LIMIT_PER_IP: '2/1h',
      MAIL_LIMIT_PER_ADDRESS: '100/15m',
    })
    const email = freshAddress()
    await h.browser().register(email)
    h.bindings.queued.length = 0
    const ada = h.browser()
    const answers = []
    for (let i = 0; i < 4; i++) {
      const { status, body } = await ada.login(email)
      answers.push({ status, error: body.error, mails: h.bindings.queued.splice(0).length })
    }
    const refused = { status: 403, error: 'email_not_verified' }
    expect(answers).toEqual([
      { ...refused, mails: 1 },
      { ...refused, mails: 1 },
      { ...refused, mails: 0 },
      { ...refused, mails: 0 },
    ])
    expect(await h.rows('select id from messages where to_email = ?', email)).toHaveLength(3)
    // It counts with whatever else of this IP sends mail, and another IP is not touched.
    expect((await ada.register(freshAddress())).status).toBe(429)
    await h.browser().login(email)
    expect(h.bindings.queued).toHaveLength(1)
  })

  it('sign-in by form: wrong says so, right goes to the start page', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    const phone = h.browser()
    const wrong = await phone.submit('/login', { email, password: 'a wrong password' })
    expect([wrong.status, wrong.text.includes('do not match')]).toEqual([401, true])
    const right = await phone.submit('/login', { email, password: PASSWORD })
    expect([right.status, right.headers.get('Location')]).toEqual([303, '/'])
  })

  it('finds the owner of an address before any claim of the same password', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const ada = h.browser()
    const registered = await ada.register(email)
    await h.deliver()
    await ada.confirm(linkIn((await h.mails(email))[0]).token)
    h.now += 1000
    await h.browser().register(email) // the same password, a newer claim
    const answer = await h.browser().login(email)
    expect(answer.body.user).toMatchObject({ id: registered.body.user.id, is_email_verified: true })
  })

  it('replaces the session it came with, and only a hash of it is stored', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const ada = h.browser()
    await ada.register(email)
    const old = ada.cookies.get('__Host-session') ?? ''
    await ada.login(email)
    const fresh = ada.cookies.get('__Host-session') ?? ''
    const stored = await h.rows<{ id: string }>('select id from sessions')
    expect(stored).toHaveLength(1)
    expect([old, fresh]).not.toContain(stored[0]?.id)
    const stale = await h.browser().get('/auth/session', { Cookie: `__Host-session=${old}` })
    expect(stale.status).toBe(401)
  })

  it('lets nobody in whose password changed while the old one was checked', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    const hashPassword: typeof h.deps.hashPassword = async (...typed) => {
      await h.rows("update users set password_hash = 'another'")
      return h.deps.hashPassword(...typed)
    }
    const client = { ip: '10.0.0.1', userAgent: null }
    const input = { email, password: PASSWORD, presentedToken: null, client, locale: 'en' } as const
    const result = await login({ ...h.deps, hashPassword }, input)
    expect(result).toEqual({ outcome: 'invalid_credentials' })
    expect(await h.rows('select 1 from sessions')).toHaveLength(1)
    expect(await h.rows("select 1 from events where type = 'signed_in'")).toEqual([])
  })

  it('a session ends at its last millisecond', async () => {
    const h = await createHarness({ SESSION_TTL: '1h' })
    const ada = h.browser()
    await ada.register(freshAddress())
    h.now += 3_600_000 - 1
    expect((await ada.session()).status).toBe(200)
    h.now += 1
    expect((await ada.session()).status).toBe(401)
  })

  it('replaces a hash of other parameters at the next sign-in', async () => {
    const cheap = await createHarness()
    const email = freshAddress()
    await cheap.browser().register(email)
    const [before] = await cheap.rows<{ password_hash: string }>('select password_hash from users')
    const rows = await cheap.rows('select * from users')

    const real = await createHarness({}, { realHash: true })
    for (const row of rows) {
      await real.rows(
        `insert into users (id, email, email_fingerprint, password_hash, generation, created_at)
          values (?, ?, ?, ?, 0, ?)`,
        row.id,
        row.email,
        row.email_fingerprint,
        row.password_hash,
        row.created_at,
      )
    }
    expect((await real.browser().login(email, 'a wrong password')).status).toBe(401)
    expect((await real.browser().login(email)).status).toBe(200)
    const [after] = await real.rows<{ password_hash: string }>('select password_hash from users')
    expect(before?.password_hash).toMatch(/^\$scrypt\$ln=4,/)
    expect(after?.password_hash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/)
    expect((await real.browser().login(email)).status).toBe(200)
  })
})

describe('S10: limits at the front door', () => {
  it('10 requests an hour and IP on what can send mail; 429 carries the standard headers', async () => {
    const h = await createHarness()
    const browser = h.browser()
    for (let i = 0; i < 10; i++) {
      const answer = await browser.post('/auth/resend-verification', { email: freshAddress() })
      expect(answer.status).toBe(202)
    }
    h.now += 1500
    const refused = await browser.register(freshAddress())
    expect([refused.status, refused.body.error]).toEqual([429, 'rate_limited'])
    expect(refused.headers.get('Retry-After')).toBe('3599')
    expect(refused.headers.get('RateLimit-Policy')).toBe('"mail-ip";q=10;w=3600')
    expect(refused.headers.get('RateLimit')).toBe('"mail-ip";r=0;t=3599')
    expect((await browser.submit('/resend', { email: freshAddress() })).status).toBe(429)
    // Reading is not limited, nor is another IP.
    expect((await browser.open('/')).status).toBe(200)
    expect((await h.browser().register(freshAddress())).status).toBe(201)
    h.now += 3_598_500
    expect((await browser.register(freshAddress())).status).toBe(201)
  })

  it('counts IPv6 by its /64, and never believes X-Forwarded-For', async () => {
    const h = await createHarness({ MAIL_LIMIT_PER_IP: '2/1h' })
    const prefix = `2001:db8:${Math.floor(Math.random() * 65536).toString(16)}:1`
    for (let i = 1; i <= 3; i++) {
      const headers = { 'X-Forwarded-For': `203.0.113.${i}` }
      const json = { email: freshAddress() }
      const answer = await h
        .browser(`${prefix}::${i}`)
        .send('POST', '/auth/resend-verification', { json, headers })
      expect(answer.status).toBe(i <= 2 ? 202 : 429)
    }
  })

  it('limits sign-in attempts per IP and per address, right or wrong', async () => {
    const h = await createHarness({ LOGIN_LIMIT_PER_IP: '3/15m', LOGIN_LIMIT_PER_ADDRESS: '4/15m' })
    const email = freshAddress()
    await h.browser().register(email)
    const browser = h.browser()
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await browser.login(email, 'a wrong guess')).status)
    expect(statuses).toEqual([401, 401, 401, 429])
    expect((await h.browser().login(email)).status).toBe(200)
    expect((await h.browser().login(email)).status).toBe(429)
  })

  it('limits guesses of the password with a genuine link, and lets the claim’s own browser through', async () => {
    const h = await createHarness({ CONFIRM_LIMIT_PER_ADDRESS: '3/15m' })
    const email = freshAddress()
    const ada = h.browser()
    await ada.register(email)
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    for (let i = 0; i < 3; i++) {
      expect((await h.browser().confirm(token, `guess number ${i}`)).status).toBe(403)
    }
    expect((await h.browser().confirm(token, PASSWORD)).status).toBe(429)
    expect((await ada.confirm(token)).body.status).toBe('verified')
  })

  it('limits guesses with a link that is still valid after the address is verified: it is no endless oracle', async () => {
    const h = await createHarness({ CONFIRM_LIMIT_PER_ADDRESS: '3/15m' })
    const email = freshAddress()
    const ada = h.browser()
    await ada.register(email)
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    expect((await ada.confirm(token)).body.status).toBe('verified')

    const seen = []
    for (let i = 0; i < 5; i++) {
      const guesser = h.browser()
      const { status, body } = await guesser.confirm(token, `guess number ${i}`)
      seen.push([status, body.error ?? body.status, guesser.cookies.size])
    }
    const wrong = [200, 'already_verified', 0]
    const limited = [429, 'rate_limited', 0]
    expect(seen).toEqual([wrong, wrong, wrong, limited, limited])
    // The right one is turned away like a wrong one, unheard.
    h.hashes = 0
    expect((await h.browser().confirm(token, PASSWORD)).status).toBe(429)
    expect(h.hashes).toBe(0)
    expect((await ada.confirm(token)).body.status).toBe('already_verified')
    h.now += 15 * 60_000
    const phone = h.browser()
    expect((await phone.confirm(token, PASSWORD)).body.status).toBe('already_verified')
    expect((await phone.session()).status).toBe(200)
  })

  it('the signed-in resend says when the next mail may go', async () => {
    const h = await createHarness()
    const ada = h.browser()
    await ada.register(freshAddress())
    h.now += 60_000
    await ada.post('/auth/resend-verification')
    h.now += 60_000
    await ada.post('/auth/resend-verification')
    const limited = await ada.post('/auth/resend-verification')
    expect([limited.status, limited.body.error]).toEqual([429, 'rate_limited'])
    expect(limited.headers.get('Retry-After')).toBe(String(15 * 60 - 120))
    expect(limited.headers.get('RateLimit-Policy')).toBe('"mail-address";q=3;w=900')
    h.now += (15 * 60 - 120) * 1000
    expect((await ada.post('/auth/resend-verification')).body.status).toBe('sent')
  })
})

describe('the doors of the resend', () => {
  it('S10: signed in and verified says so; signed out without an address is 401', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    await h.deliver()
    await ada.confirm(linkIn((await h.mails(email))[0]).token)
    h.now += 1000
    expect((await ada.post('/auth/resend-verification')).body.status).toBe('already_verified')
    expect((await ada.send('POST', '/auth/resend-verification')).body.status).toBe(
      'already_verified',
    )
    expect((await h.browser().post('/auth/resend-verification')).body.error).toBe('not_signed_in')
    await h.browser().post('/auth/resend-verification', { email })
    expect(h.bindings.queued).toEqual([])
  })
})
