import { describe, expect, it } from 'vitest'
import { createHarness, freshAddress, linkIn } from '../support/harness.ts'

describe('promise 1: nothing lost', () => {
  it('a queue lost in a restart is mended by the sweeper, a minute later and not before', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    h.bindings.queued.length = 0 // the restart
    h.now += 59_999
    expect((await h.sweep()).enqueued).toBe(0)
    h.now += 1
    expect((await h.sweep()).enqueued).toBe(1)
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1)
    h.now += 60 * 60_000
    expect((await h.sweep()).enqueued).toBe(0)
  })

  it('a mail swept once is left to the Queue for five minutes, then swept again', async () => {
    const h = await createHarness()
    await h.browser().register(freshAddress())
    h.now += 60_000
    expect((await h.sweep()).enqueued).toBe(1)
    h.now += 60_000
    expect((await h.sweep()).enqueued).toBe(0)
    h.now += 4 * 60_000
    expect((await h.sweep()).enqueued).toBe(1)
  })

  it('a mail that waits for its backoff is not swept', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    h.network = async () => new Response(null, { status: 429, headers: { 'Retry-After': '3600' } })
    await h.deliver()
    h.now += 30 * 60_000
    expect((await h.sweep()).enqueued).toBe(0)
    h.now += 31 * 60_000
    expect((await h.sweep()).enqueued).toBe(1)
    h.network = (request, pass) => pass(request)
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1)
  })

  it('a mail whose attempts are used up when its lease runs out becomes a failure that somebody can see', async () => {
    const h = await createHarness({ MAIL_MAX_ATTEMPTS: '2' })
    const email = freshAddress()
    const browser = h.browser()
    await browser.register(email)
    // Each time the consumer claims the mail, sends it, and dies before it can record anything.
    const dies = async () => {
      let calls = 0
      h.bindings.fault = (binding) => (binding === 'd1' && ++calls > 1 ? 'throw' : undefined)
      await h.deliver()
      h.bindings.fault = () => undefined
      h.now += 15 * 60_000
    }
    const row = async () =>
      (await h.rows('select state, attempts, error, settled_at from messages'))[0]

    await dies()
    expect(await row()).toMatchObject({ state: 'sending', attempts: 1 })
    expect((await h.sweep()).enqueued).toBe(1)
    await dies()
    expect(await row()).toMatchObject({ state: 'sending', attempts: 2 })
    expect((await h.sweep()).enqueued).toBe(0)
    expect(await row()).toEqual({
      state: 'failed',
      attempts: 2,
      error: 'the last attempt was never finished',
      settled_at: h.now,
    })
    expect((await browser.session()).body.mail.state).toBe('failed')
    expect((await browser.get('/healthz')).body.checks.dead_letters.count).toBe(1)
    h.now += 60 * 60_000
    expect((await h.sweep()).enqueued).toBe(0)
  })

  it('a mail under its last lease is left to whoever holds it', async () => {
    const h = await createHarness({ MAIL_MAX_ATTEMPTS: '1' })
    await h.browser().register(freshAddress())
    let calls = 0
    h.bindings.fault = (binding) => (binding === 'd1' && ++calls > 1 ? 'throw' : undefined)
    await h.deliver()
    h.bindings.fault = () => undefined
    const [{ lease_until } = { lease_until: 0 }] = await h.rows<{ lease_until: number }>(
      'select lease_until from messages',
    )
    h.now = lease_until - 1
    await h.sweep()
    expect(await h.rows('select state from messages')).toEqual([{ state: 'sending' }])
    h.now += 1
    await h.sweep()
    expect(await h.rows('select state from messages')).toEqual([{ state: 'failed' }])
  })

  it('dead letters become failures that /healthz counts, unless they were sent after all', async () => {
    const h = await createHarness()
    const [lost, fine] = [freshAddress(), freshAddress()]
    const browser = h.browser()
    await browser.register(lost)
    const [lostId = ''] = h.bindings.queued.splice(0)
    await h.browser().register(fine)
    const [fineId = ''] = h.bindings.queued
    await h.deliver()
    const before = (await browser.get('/healthz')).body.checks.dead_letters.count

    const dead = [lostId, fineId, 'nonsense']
    expect(await h.deliverDead(dead)).toEqual({ acked: dead, retried: [] })
    const states = await h.rows(
      'select to_email, state from messages where id in (?, ?)',
      lostId,
      fineId,
    )
    expect(states).toContainEqual({ to_email: lost, state: 'failed' })
    expect(states).toContainEqual({ to_email: fine, state: 'sent' })
    expect((await browser.get('/healthz')).body.checks.dead_letters).toEqual({
      ok: false,
      count: before + 1,
    })
    expect((await browser.session()).body.mail.state).toBe('failed')
    expect(await h.deliverDead(dead)).toEqual({ acked: dead, retried: [] })
    expect((await browser.get('/healthz')).body.checks.dead_letters.count).toBe(before + 1)
  })

  it('dead letters come back while D1 is out', async () => {
    const h = await createHarness()
    h.bindings.fault = () => 'throw'
    expect((await h.deliverDead(['some-id'])).retried).toEqual(['some-id'])
  })
})

describe('F10: what is stale is pruned', () => {
  it('claims after CLAIM_TTL, sessions at their end, the ledger after LEDGER_TTL; owners stay', async () => {
    const h = await createHarness({ SESSION_TTL: '1h' })
    const [claimant, owner] = [freshAddress(), freshAddress()]
    await h.browser().register(claimant)
    const ada = h.browser()
    await ada.register(owner)
    await h.deliver()
    await ada.confirm(linkIn((await h.mails(owner))[0]).token)
    const count = async (query: string, ...params: unknown[]) =>
      (await h.rows(query, ...params)).length

    h.now += 3_600_000
    await h.sweep()
    expect(await count('select id from sessions where expires_at <= ?', h.now)).toBe(0)
    expect(await count('select id from users where email = ?', claimant)).toBe(1)

    h.now += 7 * 86_400_000 - 3_600_000
    await h.sweep()
    expect(await count('select id from users where email = ?', claimant)).toBe(1)
    h.now += 1
    expect((await h.sweep()).pruned.claims).toBeGreaterThan(0)
    expect(await count('select id from users where email = ?', claimant)).toBe(0)
    expect(await count('select id from messages where to_email = ?', claimant)).toBe(1)
    expect(await count('select id from users where email = ?', owner)).toBe(1)

    h.now += 24 * 86_400_000
    await h.sweep()
    expect(await count('select id from messages where to_email = ?', claimant)).toBe(0)
  })

  it('mail that is not settled never goes, however old', async () => {
    const h = await createHarness()
    const [waiting, leased] = [freshAddress(), freshAddress()]
    await h.browser().register(leased)
    h.network = async () => new Response(null, { status: 429, headers: { 'Retry-After': '3600' } })
    await h.deliver()
    await h.rows("update messages set state = 'sending', lease_until = ?", 2 * h.now)
    await h.browser().register(waiting)
    const states = () => h.rows('select to_email, state from messages order by state')
    const unsettled = [
      { to_email: waiting, state: 'queued' },
      { to_email: leased, state: 'sending' },
    ]
    h.now += 366 * 86_400_000
    expect((await h.sweep()).pruned).toMatchObject({ claims: 2, messages: 0 })
    expect(await states()).toEqual(unsettled)
    expect((await h.sweep()).pruned.messages).toBe(0)

    // Settled at last, and as old as it is, the next run takes it.
    await h.deliver()
    expect(await h.rows('select state, error from messages where to_email = ?', waiting)).toEqual([
      { state: 'expired', error: 'the claim is gone' },
    ])
    expect((await h.sweep()).pruned.messages).toBe(1)
    expect(await states()).toEqual(unsettled.slice(1))
  })

  it('F3, F8: deleting rivals or the account does not reset the limit on the address', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email, 'a rival’s password')
    const ada = h.browser()
    await ada.register(email)
    await ada.post('/auth/resend-verification')
    expect(h.bindings.queued).toHaveLength(3)
    await h.deliver()
    await ada.confirm(linkIn((await h.mails(email))[0]).token)
    expect(await h.rows('select id from users')).toHaveLength(1)
    await ada.send('DELETE', '/auth/account', { json: { password: 'correct horse battery' } })
    expect(await h.rows('select id from users')).toEqual([])
    await h.browser().register(email)
    expect(h.bindings.queued).toEqual([])
    h.now += 15 * 60_000
    await h.browser().register(email)
    expect(h.bindings.queued).toHaveLength(1)
  })
})
