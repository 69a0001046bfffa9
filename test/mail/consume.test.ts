import { describe, expect, it } from 'vitest'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'
import { typesOf } from '../support/timelines.ts'

async function registered(h: Harness) {
  const email = freshAddress()
  const browser = h.browser()
  await browser.register(email)
  const [id = ''] = h.bindings.queued.splice(0)
  return { email, browser, id }
}

async function message(h: Harness, id: string) {
  const [row] = await h.rows<Record<string, unknown>>('select * from messages where id = ?', id)
  return row
}

describe('the consumer', () => {
  it('S2: sends by SendGrid’s v3 API, from the background, with the configured key', async () => {
    const h = await createHarness()
    const { email, id } = await registered(h)
    let sent: Request | undefined
    h.network = (request, pass) => {
      sent = request.clone() as Request
      return pass(request)
    }
    expect(await h.deliver({ ids: [id] })).toEqual({ acked: [id], retried: [] })
    expect(sent?.url).toBe('https://auth.testproof.dev/dev/v3/mail/send')
    expect(sent?.headers.get('Authorization')).toBe('Bearer SG.a-key-for-tests')
    const body = await sent?.json<Record<string, unknown>>()
    expect(body).toMatchObject({
      personalizations: [{ to: [{ email }], custom_args: { message_id: id } }],
      from: { email: 'noreply@testproof.dev', name: 'Testproof' },
      subject: 'Confirm your e-mail address for Testproof',
      tracking_settings: { click_tracking: { enable: false }, open_tracking: { enable: false } },
    })
  })

  it('F8: the same batch delivered twice sends once', async () => {
    const h = await createHarness()
    const { email, id } = await registered(h)
    await h.deliver({ ids: [id, id] })
    expect(await h.deliver({ ids: [id], attempts: 2 })).toEqual({ acked: [id], retried: [] })
    expect(await h.mails(email)).toHaveLength(1)
    expect((await message(h, id))?.attempts).toBe(1)
  })

  it('F8: the same batch delivered to two consumers at once sends once', async () => {
    const h = await createHarness()
    const { email, id } = await registered(h)
    const results = await Promise.all([h.deliver({ ids: [id] }), h.deliver({ ids: [id] })])
    expect(results.map(({ acked }) => acked)).toEqual([[id], [id]])
    expect(await h.mails(email)).toHaveLength(1)
  })

  it('F8: a consumer stopped between provider and D1 sends at most one copy more', async () => {
    const h = await createHarness()
    const { email, id } = await registered(h)
    // Claiming goes through; everything after the send is lost, as when the isolate dies.
    h.bindings.fault = (binding, nth) => (binding === 'd1' && nth > 2 ? 'throw' : undefined)
    await h.deliver({ ids: [id] })
    h.bindings.fault = () => undefined
    expect(await h.mails(email)).toHaveLength(1)
    expect((await message(h, id))?.state).toBe('sending')

    // The Queue delivers again at once: the lease still holds.
    await h.deliver({ ids: [id], attempts: 2 })
    expect(await h.mails(email)).toHaveLength(1)
    // The sweeper finds the lease run out.
    h.now += 6 * 60_000
    expect((await h.sweep()).enqueued).toBe(1)
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(2)
    expect((await message(h, id))?.state).toBe('sent')
    await h.sweep()
    expect(h.bindings.queued).toEqual([])
  })

  it('F8: a consumer that overslept its lease does not overwrite what the next one recorded', async () => {
    const h = await createHarness({ MAIL_TIMEOUT_MS: '30000' })
    const { email, id } = await registered(h)
    let wake: () => void = () => {}
    let calls = 0
    h.network = async (request, pass) => {
      if (++calls > 1) return pass(request)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      return new Response('{}', { status: 400 })
    }
    const sleeper = h.deliver({ ids: [id] })
    while (calls === 0) await scheduler.wait(1)
    h.now += 20 * 60_000
    await h.sweep()
    await h.deliver()
    expect((await message(h, id))?.state).toBe('sent')
    wake()
    await sleeper
    expect(await message(h, id)).toMatchObject({ state: 'sent', attempts: 2, error: null })
    expect(await h.mails(email)).toHaveLength(1)
  })

  it('S3: a refused mail is a recorded failure, never a success', async () => {
    const h = await createHarness()
    const { browser, id, email } = await registered(h)
    h.network = async () =>
      Response.json(
        {
          errors: [{ message: `Does not contain a valid address: ${email}`, field: 'from.email' }],
        },
        { status: 400 },
      )
    expect(await h.deliver({ ids: [id] })).toEqual({ acked: [id], retried: [] })
    expect(await message(h, id)).toMatchObject({
      state: 'failed',
      provider: 'sendgrid',
      provider_message_id: null,
      sent_at: null,
      settled_at: h.now,
      error: '400: Does not contain a valid address: <address> (from.email)',
    })
    expect((await browser.session()).body.mail).toEqual({
      state: 'failed',
      at: new Date(h.now).toISOString(),
    })
    expect((await browser.get('/healthz')).body.checks.dead_letters.count).toBeGreaterThan(0)
  })

  it.each([408, 429, 500, 502, 503])(
    'a %i is tried again with backoff and then arrives',
    async (status) => {
      const h = await createHarness()
      const { email, id } = await registered(h)
      h.network = async () => new Response(null, { status })
      expect(await h.deliver({ ids: [id] })).toEqual({ acked: [], retried: [id] })
      const row = await message(h, id)
      // The mail's own backoff is 12 s here (15 s, jittered over its upper half), the provider's first pause 30 s:
      // before that nobody would be called.
      expect(row).toMatchObject({ state: 'queued', attempts: 1, not_before: h.now + 30_000 })

      h.network = (request, pass) => pass(request)
      h.now += 29_999
      expect((await h.deliver({ ids: [id], attempts: 2 })).retried).toEqual([id])
      expect(await h.mails(email)).toHaveLength(0)
      h.now += 1
      expect((await h.deliver({ ids: [id], attempts: 3 })).acked).toEqual([id])
      expect(await h.mails(email)).toHaveLength(1)
    },
  )

  it.each([
    ['Retry-After', '120', 120],
    ['X-RateLimit-Reset', String(Date.UTC(2026, 10, 2, 12, 5) / 1000), 300],
  ])('honours a 429 with %s, for all that comes after it too', async (header, value, seconds) => {
    const h = await createHarness()
    const ids: string[] = []
    for (let i = 0; i < 12; i++) ids.push((await registered(h)).id)
    h.network = async () => new Response(null, { status: 429, headers: { [header]: value } })
    const { retried } = await h.deliver({ ids: ids.slice(0, 6) })
    expect(retried.sort()).toEqual(ids.slice(0, 6).sort())
    const calls = h.httpCalls
    const back = h.now + seconds * 1000
    h.now += 1000
    const later = ids.slice(6)
    expect((await h.deliver({ ids: later })).retried.sort()).toEqual([...later].sort())
    expect(h.httpCalls).toBe(calls)
    for (const id of ids) expect((await message(h, id))?.not_before).toBe(back)
    // A mail that was never tried has lost no attempt.
    for (const id of later) expect((await message(h, id))?.attempts).toBe(0)
  })

  it('S3: gives up after MAIL_MAX_ATTEMPTS and records the failure', async () => {
    const h = await createHarness({ MAIL_MAX_ATTEMPTS: '3' })
    const { id } = await registered(h)
    h.network = async () => new Response(null, { status: 500 })
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect((await h.deliver({ ids: [id], attempts: attempt })).retried).toEqual([id])
      h.now += 3_600_000
    }
    expect((await h.deliver({ ids: [id], attempts: 3 })).acked).toEqual([id])
    expect(await message(h, id)).toMatchObject({
      state: 'failed',
      error: 'gave up after 3 attempts: 500',
    })
  })

  it('F6: a suppressed address is not mailed', async () => {
    const h = await createHarness()
    const { email, id } = await registered(h)
    await h.rows(
      'insert into suppressions (email, reason, created_at) values (?, ?, ?)',
      email,
      'bounce',
      h.now,
    )
    await h.deliver({ ids: [id] })
    expect(h.httpCalls).toBe(0)
    expect((await message(h, id))?.state).toBe('suppressed')
  })

  it('a mail with nothing left to say expires unsent: verified meanwhile, or the claim gone', async () => {
    const h = await createHarness()
    const { email, browser, id } = await registered(h)
    h.now += 1
    await browser.post('/auth/resend-verification')
    const [later = ''] = h.bindings.queued.splice(0)
    const rival = h.browser()
    h.now += 1
    await rival.register(email)
    const [rivals = ''] = h.bindings.queued.splice(0)

    await h.deliver({ ids: [id] })
    await browser.confirm(linkIn((await h.mails(email))[0]).token)
    await h.deliver({ ids: [later, rivals] })
    expect(await message(h, later)).toMatchObject({ state: 'expired', error: 'already verified' })
    expect(await message(h, rivals)).toMatchObject({ state: 'expired', error: 'the claim is gone' })
    expect(await h.mails(email)).toHaveLength(1)
  })

  it('a message that is no id of ours is acknowledged and does not hurt the batch', async () => {
    const h = await createHarness()
    const { email, id } = await registered(h)
    const { acked } = await h.deliver({ ids: ['', 'nonsense', id] })
    expect(acked).toHaveLength(3)
    expect(await h.mails(email)).toHaveLength(1)
  })

  it('F12, promise 7: the Queue carries ids alone; no token and no password is stored, named in KV or logged; KV’s names and the log have no address', async () => {
    const h = await createHarness()
    const { email, browser, id } = await registered(h)
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    await h.deliver({ ids: [id] })
    h.now += 1
    await browser.post('/auth/resend-verification')
    const [resent] = h.bindings.queued
    h.now += 120_000
    await h.sweep()
    // The registration’s, the resend’s, and the sweeper’s copy of the latter.
    expect(h.bindings.queueBodies).toHaveLength(3)
    expect(h.bindings.queueBodies[0]).toEqual({ id })
    expect(h.bindings.queueBodies[1]).toEqual({ id: resent })
    expect(h.bindings.queueBodies[2]).toEqual({ id: resent })
    const { token } = linkIn((await h.mails(email))[0])
    await browser.confirm(token)
    const session = browser.cookies.get('__Host-session') ?? ''

    const logs = JSON.stringify(h.logs)
    const stored = JSON.stringify([
      await h.rows('select * from messages'),
      await h.rows('select * from sessions'),
      await h.rows('select * from events'),
      await h.rows('select * from users'),
    ])
    const keys = (await h.deps.kv.list()).keys.map(({ name }) => name).join(' ')
    for (const secret of [token, token.split('.')[1] ?? '', session, 'correct horse']) {
      expect(logs).not.toContain(secret)
      expect(stored).not.toContain(secret)
      expect(keys).not.toContain(secret)
    }
    expect(logs).not.toContain(email)
    expect(keys).not.toContain(email)
    expect(keys).not.toContain('10.')
    expect(keys).not.toBe('')
  })
})

describe('S14: what is logged', () => {
  it('has one line an event, with the address masked', async () => {
    const h = await createHarness()
    const { email, browser, id } = await registered(h)
    h.now += 1
    h.network = async () => new Response(null, { status: 503 })
    await h.deliver({ ids: [id] })
    h.network = (request, pass) => pass(request)
    h.now += 60_000
    await h.deliver({ ids: [id] })
    const { token } = linkIn((await h.mails(email))[0])
    await browser.get('/auth/verify-email?token=forged')
    for (const _ of [1, 2, 3]) {
      h.now += 1000
      await browser.post('/auth/resend-verification')
    }
    h.now += 1000
    await browser.confirm(token)
    await browser.confirm(token)
    h.now += 25 * 3_600_000
    await browser.get(`/auth/verify-email?token=${token}`)

    const events = h.logs.map(({ event }) => event)
    for (const event of [
      'verification_sent',
      'provider_deferred',
      'provider_down',
      'provider_recovered',
      'provider_accepted',
      'invalid_token',
      'expired_token',
      'already_verified',
      'verified',
      'resend_requested',
      'resend_limited',
    ]) {
      expect(events).toContain(event)
    }
    const accepted = h.logs.find(({ event }) => event === 'provider_accepted')
    expect(accepted).toMatchObject({
      message_id: id,
      provider: 'sendgrid',
      email: `a***@mail.example`,
    })
    const [user] = await h.rows<{ id: string }>('select id from users where email = ?', email)
    expect(await typesOf(h, user?.id ?? '')).toEqual([
      'registered',
      'mail_queued',
      'mail_deferred',
      'mail_accepted',
      'resend_requested',
      'mail_queued',
      'resend_requested',
      'mail_queued',
      'resend_limited',
      'verified',
    ])
  })
})
