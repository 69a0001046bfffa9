// Promise 3 against somebody who registers on the address himself and watches his own claim: what others, or
// the owner, have there must not show.
import { describe, expect, it } from 'vitest'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'

const KINDS = ['unknown', 'claimed', 'verified'] as const

async function prepared(h: Harness, kind: (typeof KINDS)[number]) {
  const email = freshAddress()
  if (kind === 'unknown') return email
  const owner = h.browser()
  await owner.register(email)
  await h.deliver()
  if (kind === 'verified') await owner.confirm(linkIn((await h.mails(email))[0]).token)
  // Long ago, so that the owner's own mails no longer count.
  h.now += 3_600_000
  return email
}

describe('promise 3: watching one’s own claim', () => {
  it('public resends before it, and after it, look the same for every kind of address', async () => {
    const seen: unknown[] = []
    for (const kind of KINDS) {
      const h = await createHarness()
      const email = await prepared(h, kind)
      for (let i = 0; i < 3; i++) await h.browser().post('/auth/resend-verification', { email })
      await h.deliver()
      h.now += 1000
      const mallory = h.browser()
      const start = h.now
      const look = async () => {
        const { mail } = (await mallory.session()).body
        return mail === null ? null : [mail.state, Date.parse(mail.at) > start]
      }
      await mallory.register(email)
      const steps: unknown[] = [await look()]
      h.now += 3000
      await h.deliver()
      steps.push(await look())
      h.now += 3000
      for (let i = 0; i < 2; i++) await h.browser().post('/auth/resend-verification', { email })
      h.now += 3000
      await h.deliver()
      steps.push(await look())
      for (let i = 0; i < 3; i++) {
        const resend = await mallory.post('/auth/resend-verification')
        steps.push([resend.status, resend.body.status ?? resend.body.error])
      }
      seen.push(steps)
    }
    expect(seen[1]).toEqual(seen[0])
    expect(seen[2]).toEqual(seen[0])
    expect(seen[0]).toContainEqual(['sent', true])
  })

  it('beyond the limit nothing is sent, whatever the claim is shown', async () => {
    const h = await createHarness()
    const email = freshAddress()
    for (let i = 0; i < 6; i++) {
      const browser = h.browser()
      await browser.register(email)
      h.now += 3000
      await h.deliver()
      expect((await browser.session()).body.mail.state).toBe('sent')
    }
    expect(await h.mails(email)).toHaveLength(3)
    h.now += 3_600_000
    await h.sweep()
    expect(h.bindings.queued).toEqual([])
    expect((await h.browser().get('/healthz')).body.checks.dead_letters.count).toBe(0)
  })
})

describe('a link outlives its mail, but not the account it made', () => {
  it('is dead once the account was deleted: who kept it cannot take the freed address', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const ada = h.browser()
    await ada.register(email)
    await h.deliver()
    const kept = linkIn((await h.mails(email))[0])
    await ada.confirm(kept.token)
    h.now += 60_000
    const password = 'correct horse battery'
    expect((await ada.send('DELETE', '/auth/account', { json: { password } })).status).toBe(204)

    h.now += 60_000
    const mallory = h.browser()
    await mallory.register(email, 'his own password')
    expect((await mallory.get(kept.url)).body.error).toBe('not_found')
    expect((await mallory.confirm(kept.token)).status).toBe(404)
    expect((await mallory.confirm(kept.token, 'his own password')).status).toBe(404)
    expect(await h.rows('select id from users where is_email_verified = 1')).toEqual([])

    // A link mailed since then works as ever.
    await h.deliver()
    const fresh = linkIn((await h.mails(email))[0])
    expect((await mallory.confirm(fresh.token)).body.status).toBe('verified')
  })

  it('is dead once the account has moved to another address', async () => {
    const h = await createHarness()
    const email = freshAddress()
    const ada = h.browser()
    await ada.register(email)
    await h.deliver()
    const kept = linkIn((await h.mails(email))[0])
    await ada.confirm(kept.token)
    h.now += 60_000
    const next = freshAddress('next')
    const password = 'correct horse battery'
    await ada.post('/auth/change-email', { new_email: next, password })
    await h.deliver()
    await ada.confirm(linkIn((await h.mails(next))[0]).token)
    h.now += 60_000
    const mallory = h.browser()
    await mallory.register(email, 'his own password')
    expect((await mallory.confirm(kept.token)).status).toBe(404)
  })
})

describe('doors that must fail closed', () => {
  it('/auth/check demands a verified address whatever is written after verified=, but 0 and false', async () => {
    const h = await createHarness()
    const ada = h.browser()
    await ada.register(freshAddress())
    for (const query of ['verified=1', 'verified=TRUE', 'verified=yes', 'verified=', 'verified']) {
      expect((await ada.get(`/auth/check?${query}`)).status).toBe(403)
    }
    for (const query of ['', 'verified=0', 'verified=false']) {
      expect((await ada.get(`/auth/check?${query}`)).status).toBe(200)
    }
  })

  it('another site’s form signs nobody out, and a bearer’s sign-out leaves the cookie alone', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    const headers = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
    const forged = await ada.send('POST', '/auth/logout', { form: { x: '1' }, headers })
    expect([forged.status, forged.headers.get('Set-Cookie')]).toEqual([415, null])
    const json = { email, password: 'correct horse battery', transport: 'bearer' }
    const other = await h.browser().post('/auth/login', json)
    const bearer = { Authorization: `Bearer ${other.body.session.token}` }
    await ada.send('POST', '/auth/logout', { headers: bearer })
    expect((await ada.session()).status).toBe(200)
  })

  it('another site’s form spends nobody’s limits at the older door', async () => {
    const h = await createHarness()
    const answer = await h.browser().send('POST', '/resend-verification-email', {
      json: { data: { email: freshAddress() } },
      headers: { 'Sec-Fetch-Site': 'cross-site' },
    })
    expect(answer.body.error).toBe('cross_site')
  })

  it('F2: in click mode a browser that holds a claim verifies its own, whose ever link it opens', async () => {
    const h = await createHarness({ VERIFY_MODE: 'click' })
    const email = freshAddress()
    const [mallory, ada] = [h.browser(), h.browser()]
    await mallory.register(email, 'his password here')
    await h.deliver()
    const his = linkIn((await h.mails(email))[0])
    h.now += 1000
    await ada.register(email, 'her password here')
    expect((await ada.get(his.url)).body.status).toBe('verified')
    expect((await ada.session()).body.user.is_email_verified).toBe(true)
    expect((await mallory.session()).status).toBe(401)
  })
})

describe('bursts', () => {
  it('150 password guesses at once are not 150 guesses', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, i) => h.browser().login(email, `guess number ${i}`)),
    )
    const guessed = answers.filter(({ status }) => status === 401)
    expect(guessed.length).toBeLessThanOrEqual(30)
    const refused = answers.find(({ status }) => status === 429)
    // A minute by the exact gate; a quarter of an hour by what this isolate counted.
    expect(['60', '900']).toContain(refused?.headers.get('Retry-After'))
  })

  it('more passwords to hash than the isolate can are answered with 503, not with a long wait', async () => {
    const h = await createHarness()
    const gates = Array.from({ length: 80 }, () => h.deps.hashPassword('some password', 'a@b.co'))
    const settled = await Promise.allSettled(gates)
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(16)
    expect(await h.deps.hashPassword('some password', 'a@b.co')).toMatch(/^\$scrypt\$/)
  })
})
