// Promise 6, counted against workerd's own D1 and KV. Numbers here are a budget: raising one is a decision.
import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'

async function counted(h: Harness, act: () => Promise<unknown>) {
  h.bindings.resetCounts()
  h.hashes = 0
  await act()
  const { d1, kvReads, kvWrites, queueSends } = h.bindings.counts
  return { d1, kvReads, kvWrites, queueSends, hashes: h.hashes }
}

describe('promise 6: one round trip', () => {
  it('register 1, session 1, check 1, resend 1, login 2, logout 1', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    expect(await counted(h, () => ada.register(email))).toEqual({
      d1: 1,
      kvReads: 1, // of the address; the first of an IP stays in the isolate
      kvWrites: 0,
      queueSends: 1,
      hashes: 1,
    })
    expect((await counted(h, () => ada.session())).d1).toBe(1)
    expect((await counted(h, () => ada.get('/auth/check?verified=1'))).d1).toBe(1)
    expect((await counted(h, () => ada.open('/'))).d1).toBe(1)
    expect(await counted(h, () => ada.post('/auth/resend-verification'))).toEqual({
      d1: 1,
      kvReads: 1,
      kvWrites: 1,
      queueSends: 1,
      hashes: 0,
    })
    expect((await counted(h, () => ada.post('/auth/resend-verification', { email }))).d1).toBe(1)
    expect(await counted(h, () => ada.login(email))).toEqual({
      d1: 2,
      kvReads: 1,
      kvWrites: 0,
      queueSends: 0,
      hashes: 1,
    })
    expect((await counted(h, () => ada.login(email, 'wrong password'))).d1).toBe(1)
    expect((await counted(h, () => ada.send('POST', '/auth/logout'))).d1).toBe(1)
    expect((await counted(h, () => ada.session())).d1).toBe(0)
  })

  it('opening a link 1, confirming with the session 1, with the password 2; no KV write when it holds', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    await h.deliver()
    const { url, token } = linkIn((await h.mails(email))[0])
    expect(await counted(h, () => ada.get(url))).toMatchObject({ d1: 1, kvReads: 0, kvWrites: 0 })
    expect(await counted(h, () => ada.confirm(token))).toEqual({
      d1: 1,
      kvReads: 0,
      kvWrites: 0,
      queueSends: 0,
      hashes: 0,
    })
    const phone = h.browser()
    expect(await counted(h, () => phone.confirm(token, PASSWORD))).toMatchObject({
      d1: 2,
      hashes: 1,
    })
  })

  it('a forged token costs nothing: no D1, no KV, no hash', async () => {
    const h = await createHarness()
    const browser = h.browser()
    const nothing = { d1: 0, kvReads: 0, kvWrites: 0, queueSends: 0, hashes: 0 }
    for (const token of ['', 'x', 'e30.AAAA', `${'a'.repeat(160)}.${'b'.repeat(43)}`]) {
      const path = `/auth/verify-email?token=${token}`
      expect(await counted(h, () => browser.get(path))).toEqual(nothing)
      expect(await counted(h, () => browser.open(path))).toEqual(nothing)
      expect(await counted(h, () => browser.confirm(token || 'x', PASSWORD))).toEqual(nothing)
    }
  })

  it('a request turned away by its limit reaches D1 not at all and writes nothing to KV', async () => {
    const h = await createHarness({ MAIL_LIMIT_PER_IP: '1/1h' })
    const ada = h.browser()
    await ada.register(freshAddress())
    const refused = await counted(h, () => ada.register(freshAddress()))
    expect(refused).toEqual({ d1: 0, kvReads: 2, kvWrites: 0, queueSends: 0, hashes: 0 })
  })

  it('a consumer batch of 100 takes 2 round trips', async () => {
    const h = await createHarness()
    const all = Array.from({ length: 100 }, () => freshAddress())
    for (const email of all) await h.browser().register(email)
    expect(h.bindings.queued).toHaveLength(100)
    const counts = await counted(h, () => h.deliver())
    expect(counts.d1).toBe(2)
    const [{ sent } = { sent: 0 }] = await h.rows<{ sent: number }>(
      "select count(*) as sent from messages where state = 'sent'",
    )
    expect(sent).toBe(100)
  })
})
