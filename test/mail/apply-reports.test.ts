// F5, F6, S8 and promise 5: reports that come late, twice, together or in any order end in one state, which only ever
// moves forward; and one bounce suppresses one address, once.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { applyDeliveryReports } from '../../src/mail/apply-reports.ts'
import {
  DELIVERY_RANKS,
  DELIVERY_STATES,
  type DeliveryKind,
  type DeliveryReport,
} from '../../src/mail/delivery-states.ts'
import type { Fault } from '../support/faulty-bindings.ts'
import { createHarness, freshAddress, type Harness } from '../support/harness.ts'
import { mailTimeline } from '../support/timelines.ts'
import {
  createSigner,
  dump,
  mailRow,
  report,
  type Signer,
  sendGridEvent,
  sentMail,
} from './webhooks/support.ts'

let signer: Signer
beforeAll(async () => {
  signer = await createSigner()
})

const harness = (settings: Record<string, string> = {}) =>
  createHarness({ SENDGRID_WEBHOOK_KEYS: signer.publicKey, ...settings })

const KINDS: DeliveryKind[] = [
  'accepted',
  'deferred',
  'delivered',
  'soft_bounce',
  'hard_bounce',
  'complaint',
]

/** SendGrid's event for each. */
const EVENTS: Record<DeliveryKind, [event: string, more?: object]> = {
  accepted: ['processed'],
  deferred: ['deferred', { response: '421 4.7.0 try later' }],
  delivered: ['delivered', { response: '250 2.0.0 OK' }],
  soft_bounce: ['bounce', { type: 'blocked', reason: '552 5.2.2 mailbox full' }],
  hard_bounce: ['bounce', { type: 'bounce', reason: '550 5.1.1 no such user' }],
  complaint: ['spamreport'],
}

const eventOf = (h: Harness, id: string, kind: DeliveryKind, more: object = {}) =>
  sendGridEvent(h, id, EVENTS[kind][0], { ...EVENTS[kind][1], ...more })

async function send(h: Harness, id: string, kinds: readonly DeliveryKind[], more: object = {}) {
  const response = await report(
    h,
    signer,
    kinds.map((kind) => eventOf(h, id, kind, more)),
  )
  expect(response.status).toBe(204)
}

const eventsOf = (h: Harness, id: string) =>
  h.rows(
    `select type, at, provider, detail from events
     where message_id = ? and type like 'mail_%' and type <> 'mail_accepted' order by at, type`,
    id,
  )

const suppressionOf = async (h: Harness, email: string) =>
  (
    await h.rows('select reason, created_at, expires_at from suppressions where email = ?', email)
  )[0]

describe('S8: what is reported is recorded', () => {
  it.each<[DeliveryKind, object, object | null]>([
    ['accepted', { state: 'sent', settled_at: null, error: null }, null],
    [
      'deferred',
      { state: 'deferred', settled_at: null, error: null },
      { type: 'mail_delivery_deferred', detail: '421 4.7.0 try later' },
    ],
    [
      'delivered',
      { state: 'delivered', error: null },
      { type: 'mail_delivered', detail: '250 2.0.0 OK' },
    ],
    [
      'soft_bounce',
      { state: 'bounced', error: 'soft: 552 5.2.2 mailbox full' },
      { type: 'mail_bounced', detail: 'soft: 552 5.2.2 mailbox full' },
    ],
    [
      'hard_bounce',
      { state: 'bounced', error: 'hard: 550 5.1.1 no such user' },
      { type: 'mail_bounced', detail: 'hard: 550 5.1.1 no such user' },
    ],
    ['complaint', { state: 'complained', error: null }, { type: 'mail_complained', detail: null }],
  ])('%s', async (kind, row, event) => {
    const h = await harness()
    const { id, browser } = await sentMail(h)
    const at = h.now - 500_000
    h.now += 60_000
    h.bindings.resetCounts()
    await send(h, id, [kind], { timestamp: at / 1000 })
    expect(h.bindings.counts.d1).toBe(1)
    const isOpen = kind === 'accepted' || kind === 'deferred'
    expect(await mailRow(h, id)).toMatchObject({
      settled_at: isOpen ? null : at,
      ...row,
      delivery_rank: DELIVERY_RANKS[kind],
      stalled_at: null,
    })
    expect(await eventsOf(h, id)).toEqual(
      event === null ? [] : [{ ...event, at, provider: 'sendgrid' }],
    )
    // What the user sees of it.
    const state = DELIVERY_STATES[kind]
    expect((await browser.session()).body.mail.state).toBe(state)
  })

  it('S14: a bounce and a complaint are logged once, with the address masked', async () => {
    const h = await harness()
    const { id, email } = await sentMail(h)
    h.logs.length = 0
    for (let i = 0; i < 2; i++) await send(h, id, ['hard_bounce'])
    await send(h, id, ['complaint'])
    expect(h.logs.map(({ event }) => event)).toEqual([
      'mail_bounced',
      'delivery_reported',
      'delivery_reported',
      'mail_complained',
      'delivery_reported',
    ])
    expect(h.logs[0]).toMatchObject({
      message_id: id,
      provider: 'sendgrid',
      reason: 'hard: 550 5.1.1 no such user',
      email: `${email[0]}***@mail.example`,
    })
    expect(h.logs[1]).toMatchObject({ count: 1, reported: { hard_bounce: 1 } })
    expect(JSON.stringify(h.logs)).not.toContain(email)
  })

  it('promise 7: addresses in the words of a server are neither stored nor logged', async () => {
    const h = await harness()
    const { id, email } = await sentMail(h)
    h.logs.length = 0
    await send(h, id, ['hard_bounce'], { reason: `550 <${email}>:\r\n  unknown\tuser`, email })
    expect((await mailRow(h, id)).error).toBe('hard: 550 <address> unknown user')
    expect(JSON.stringify([h.logs, await eventsOf(h, id)])).not.toContain(email)
  })

  it('ids that are not ours are acknowledged, and change nothing', async () => {
    const h = await harness()
    const { id } = await sentMail(h)
    const before = await dump(h)
    const events = [
      eventOf(h, crypto.randomUUID(), 'hard_bounce'),
      { ...eventOf(h, id, 'hard_bounce'), message_id: undefined },
      { ...eventOf(h, id, 'hard_bounce'), message_id: '' },
      { ...eventOf(h, id, 'hard_bounce'), message_id: { $ne: 1 } },
      eventOf(h, `${id}' or 1=1 --`, 'complaint'),
      { event: 'open', message_id: id },
      { event: 'something_new', message_id: id },
      'not an event',
      null,
    ]
    expect((await report(h, signer, events)).status).toBe(204)
    expect(await dump(h)).toEqual(before)
    expect(h.logs.at(-1)).toMatchObject({ event: 'delivery_reported', unknown: 2 })
  })

  it('a call with nothing for us costs no D1 call', async () => {
    const h = await harness()
    h.bindings.resetCounts()
    await report(h, signer, [{ event: 'open', message_id: 'x', timestamp: 1 }])
    expect(h.bindings.counts.d1).toBe(0)
  })

  it('a thousand events are one round trip', async () => {
    const h = await harness()
    const mails = [await sentMail(h), await sentMail(h), await sentMail(h)]
    const kinds = ['processed', 'deferred', 'delivered'] as const
    const events = Array.from({ length: 1000 }, (_, i) =>
      sendGridEvent(h, mails[i % 3]?.id ?? '', kinds[Math.floor(i / 3) % 3] ?? 'delivered', {
        timestamp: Math.floor(h.now / 1000) - i,
        response: '250 '.repeat(60),
      }),
    )
    h.bindings.resetCounts()
    expect((await report(h, signer, events)).status).toBe(204)
    expect(h.bindings.counts.d1).toBe(1)
    for (const { id } of mails) expect((await mailRow(h, id)).state).toBe('delivered')
    expect(await h.rows("select 1 from events where type = 'mail_delivered'")).toHaveLength(333)
    // One more is a second one.
    h.bindings.resetCounts()
    expect((await report(h, signer, [...events, ...events.slice(0, 1)])).status).toBe(204)
    expect(h.bindings.counts.d1).toBe(2)
  })

  it('a mail whose user is gone still settles, and its address is still suppressed', async () => {
    const h = await harness()
    const { id, email } = await sentMail(h)
    await h.rows('delete from users where email = ?', email)
    await send(h, id, ['hard_bounce'])
    expect(await mailRow(h, id)).toMatchObject({ state: 'bounced', user_id: expect.any(String) })
    const told = h.logs.filter(({ event }) => event === 'mail_bounced')
    expect(told).toMatchObject([{ message_id: id }])
    expect(told[0]).not.toHaveProperty('user_id')
    expect(await suppressionOf(h, email)).toMatchObject({ reason: 'hard_bounce' })
    expect(await eventsOf(h, id)).toEqual([])
  })

  it.each([
    ['in the future', (now: number) => now / 1000 + 3600],
    ['of the epoch', () => 0],
    ['before time', () => -1e12],
    ['beyond dates', () => 1e300],
  ])('a timestamp %s is taken for now, and repeated it is still one fact', async (_name, at) => {
    const h = await harness()
    const { id } = await sentMail(h)
    const first = h.now
    const timestamp = at(h.now)
    await send(h, id, ['delivered'], { timestamp })
    h.now += 60_000
    await send(h, id, ['delivered'], { timestamp })
    expect(await eventsOf(h, id)).toMatchObject([{ type: 'mail_delivered', at: first }])
    expect((await mailRow(h, id)).settled_at).toBe(first)
  })
})

describe('promise 5: order, repetition and delay do not matter', () => {
  /** What a set of reports comes to, by the rules in words. */
  function model(kinds: readonly DeliveryKind[]) {
    const best = kinds.reduce((a, b) => (DELIVERY_RANKS[b] > DELIVERY_RANKS[a] ? b : a))
    const suppression = kinds.includes('complaint')
      ? 'complaint'
      : kinds.includes('hard_bounce')
        ? 'hard_bounce'
        : null
    return { state: DELIVERY_STATES[best], rank: DELIVERY_RANKS[best], suppression }
  }

  async function outcome(h: Harness, id: string, email: string) {
    const row = await mailRow(h, id)
    const suppression = await suppressionOf(h, email)
    return {
      state: row.state,
      rank: row.delivery_rank,
      suppression: suppression?.reason ?? null,
    }
  }

  const pairs = KINDS.flatMap((first) => KINDS.map((second) => [first, second] as const))
  it.each(pairs)('%s, then %s', async (first, second) => {
    const h = await harness()
    const apart = await sentMail(h)
    await send(h, apart.id, [first])
    h.now += 1000
    await send(h, apart.id, [second])
    expect(await outcome(h, apart.id, apart.email)).toEqual(model([first, second]))
    const together = await sentMail(h)
    await send(h, together.id, [first, second])
    expect(await outcome(h, together.id, together.email)).toEqual(model([first, second]))
  })

  it('any reports, shuffled, repeated, delayed and bundled in any way, end as the model says', async () => {
    const h = await harness()
    const report = fc.record({
      kind: fc.constantFrom(...KINDS),
      mail: fc.nat(2),
      ageSeconds: fc.nat(100_000),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(report, { minLength: 1, maxLength: 12 }).chain((reports) =>
          fc.record({
            // Each at least once, some again, in any order…
            calls: fc
              .tuple(
                fc.shuffledSubarray(reports, { minLength: reports.length }),
                fc.subarray(reports),
              )
              .chain(([all, again]) =>
                fc.shuffledSubarray([...all, ...again], {
                  minLength: all.length + again.length,
                }),
              ),
            // …in calls of any size, with any time between them.
            size: fc.integer({ min: 1, max: 5 }),
            pauseMs: fc.nat(7200_000),
          }),
        ),
        async ({ calls, size, pauseMs }) => {
          const mails = [await sentMail(h), await sentMail(h), await sentMail(h)]
          h.now += 100_000_000
          const start = h.now
          let rank = [0, 0, 0]
          const given = calls.map(({ kind, mail, ageSeconds }): [number, DeliveryReport] => [
            mail,
            {
              messageId: mails[mail]?.id ?? null,
              providerMessageId: null,
              kind,
              at: start - ageSeconds * 1000,
              detail: null,
            },
          ])
          for (let i = 0; i < given.length; i += size) {
            const part = given.slice(i, i + size).map(([, one]) => one)
            await applyDeliveryReports(h.deps, 'sendgrid', part)
            h.now += pauseMs
            const rows = await h.rows<{ id: string; delivery_rank: number }>(
              'select id, delivery_rank from messages',
            )
            const byId = new Map(rows.map((row) => [row.id, row.delivery_rank]))
            const ranks = mails.map(({ id }) => byId.get(id) ?? -1)
            expect(ranks.every((now, m) => now >= (rank[m] ?? 0))).toBe(true)
            rank = ranks
          }
          for (const [m, { id, email }] of mails.entries()) {
            const mine = given.filter(([mail]) => mail === m).map(([, one]) => one)
            const expected =
              mine.length === 0
                ? { state: 'sent', rank: 0, suppression: null }
                : model(mine.map(({ kind }) => kind))
            expect(await outcome(h, id, email)).toEqual(expected)
            // Each fact once, however often it came.
            const facts = new Set(
              mine
                .filter(({ kind }) => kind !== 'accepted')
                .map(({ kind, at }) => `${at} ${kind.replace(/^(soft|hard)_/, '')}`),
            )
            expect(await eventsOf(h, id)).toHaveLength(facts.size)
          }
        },
      ),
      { numRuns: 40 },
    )
  }, 60_000)

  it('the same reports at the same moment, twenty times over', async () => {
    const h = await harness()
    const { id, email } = await sentMail(h)
    const kinds: DeliveryKind[] = ['accepted', 'deferred', 'delivered', 'hard_bounce', 'complaint']
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => send(h, id, [kinds[i % 5] ?? 'accepted'])),
    )
    expect(await outcome(h, id, email)).toEqual(model(kinds))
    expect(await eventsOf(h, id)).toHaveLength(4)
    expect(h.logs.filter(({ event }) => event === 'mail_complained')).toHaveLength(1)
  })
})

describe('F5: the report overtakes the record', () => {
  /** Holds the provider's answer back until the report has arrived. */
  async function overtaken(h: Harness, kinds: readonly DeliveryKind[], answer: number | 'lost') {
    const email = freshAddress()
    const browser = h.browser()
    await browser.register(email)
    const [id = ''] = h.bindings.queued.splice(0)
    const real = h.network
    h.network = async (request, pass) => {
      const response = await pass(request)
      h.now += 1000
      expect((await mailRow(h, id)).state).toBe('sending')
      await send(h, id, kinds)
      if (answer === 'lost') throw new TypeError('connection lost')
      return answer === 202 ? response : new Response(null, { status: answer })
    }
    const result = await h.deliver({ ids: [id] })
    h.network = real
    return { id, email, result }
  }

  it.each<[DeliveryKind[], number | 'lost']>([
    [['delivered'], 202],
    [['delivered'], 'lost'],
    [['delivered'], 500],
    [['accepted'], 'lost'],
    [['accepted', 'delivered'], 202],
    [['deferred'], 'lost'],
    [['hard_bounce'], 202],
    [['hard_bounce'], 'lost'],
  ])('%j before an answer that is %s: settled by the report, sent once', async (kinds, answer) => {
    const h = await harness()
    const { id, email } = await overtaken(h, kinds, answer)
    const last = kinds.at(-1) ?? 'accepted'
    const row = await mailRow(h, id)
    expect(row).toMatchObject({
      state: DELIVERY_STATES[last],
      delivery_rank: DELIVERY_RANKS[last],
      provider: 'sendgrid',
      lease_until: null,
      not_before: null,
    })
    expect(row.sent_at).not.toBeNull()
    expect(row.provider_message_id).not.toBeNull()
    const told = (await mailTimeline(h, id)).filter(({ type }) => type === 'mail_accepted')
    expect(told).toMatchObject([{ at: row.sent_at, provider: 'sendgrid' }])
    // Neither the Queue nor the sweeper sends it once more.
    h.now += 3600_000
    await h.sweep()
    await h.deliver({ ids: [id], attempts: 2 })
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1)
    expect((await mailRow(h, id)).state).toBe(DELIVERY_STATES[last])
  })

  it('a mail that waits for its next attempt is settled by the report on the lost one', async () => {
    const h = await harness()
    const email = freshAddress()
    await h.browser().register(email)
    const [id = ''] = h.bindings.queued.splice(0)
    const real = h.network
    h.network = async (request, pass) => {
      await pass(request)
      throw new TypeError('connection lost')
    }
    await h.deliver({ ids: [id] })
    h.network = real
    expect((await mailRow(h, id)).state).toBe('queued')
    h.now += 5000
    await send(h, id, ['delivered'])
    expect(await mailRow(h, id)).toMatchObject({
      state: 'delivered',
      provider_message_id: 'fromSendGrid',
      error: null,
      not_before: null,
      lease_until: null,
    })
    h.now += 3600_000
    await h.sweep()
    await h.deliver({ ids: [id], attempts: 2 })
    expect(await h.mails(email)).toHaveLength(1)
  })

  it('a mail that was given up is settled by the report that it was delivered', async () => {
    const h = await harness()
    const { id } = await sentMail(h)
    await h.rows(
      "update messages set state = 'failed', error = 'gave up', sent_at = null, settled_at = 1 where id = ?",
      id,
    )
    const at = Math.floor(h.now / 1000) * 1000
    await send(h, id, ['accepted'])
    expect(await mailRow(h, id)).toMatchObject({ state: 'sent', error: null, settled_at: null })
    h.now += 5000
    await send(h, id, ['delivered'])
    expect(await mailRow(h, id)).toMatchObject({ state: 'delivered' })
    expect(await mailTimeline(h, id)).toMatchObject([
      { type: 'mail_accepted', at, provider: 'sendgrid', detail: 'fromSendGrid' },
      { type: 'mail_delivered', at: at + 5000 },
    ])
  })

  it.each(['suppressed', 'expired'])('a mail that was never sent stays %s', async (state) => {
    const h = await harness()
    const { id } = await sentMail(h)
    await h.rows('update messages set state = ? where id = ?', state, id)
    const before = await dump(h)
    for (const kind of KINDS) await send(h, id, [kind])
    expect(await dump(h)).toEqual(before)
  })

  it('a stalled mail that is heard of is stalled no more; that it was accepted says nothing new', async () => {
    const h = await harness()
    const { id } = await sentMail(h)
    await h.rows('update messages set stalled_at = 5, settled_at = 5 where id = ?', id)
    await send(h, id, ['accepted'])
    expect(await mailRow(h, id)).toMatchObject({ state: 'sent', stalled_at: 5, settled_at: 5 })
    await send(h, id, ['deferred'])
    expect(await mailRow(h, id)).toMatchObject({ stalled_at: null, settled_at: null })
    await send(h, id, ['delivered'])
    expect(await mailRow(h, id)).toMatchObject({ state: 'delivered', stalled_at: null })
  })
})

describe('F6: one bounce suppresses one address, once', () => {
  it('the address of our record, not the one in the payload', async () => {
    const h = await harness()
    const { id, email } = await sentMail(h)
    const bystander = await sentMail(h)
    await send(h, id, ['hard_bounce'], { email: bystander.email })
    expect(await h.rows('select email, reason, created_at, expires_at from suppressions')).toEqual([
      { email, reason: 'hard_bounce', created_at: h.now, expires_at: null },
    ])
    // What is suppressed is not mailed.
    await h.browser().register(email)
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1)
    expect(await h.rows("select 1 from messages where state = 'suppressed'")).toHaveLength(1)
  })

  it.each<[DeliveryKind, string | null]>([
    ['accepted', null],
    ['deferred', null],
    ['delivered', null],
    ['soft_bounce', null],
    ['hard_bounce', 'hard_bounce'],
    ['complaint', 'complaint'],
  ])('%s: suppressed as %s', async (kind, reason) => {
    const h = await harness()
    const { id, email } = await sentMail(h)
    await send(h, id, [kind])
    expect((await suppressionOf(h, email))?.reason ?? null).toBe(reason)
  })

  it('a soft bounce after a hard one and the reverse: suppressed either way', async () => {
    const h = await harness()
    for (const kinds of [
      ['soft_bounce', 'hard_bounce'],
      ['hard_bounce', 'soft_bounce'],
    ] as const) {
      const { id, email } = await sentMail(h)
      for (const kind of kinds) await send(h, id, [kind])
      expect(await suppressionOf(h, email)).toMatchObject({ reason: 'hard_bounce' })
      expect((await mailRow(h, id)).error).toBe('hard: 550 5.1.1 no such user')
    }
  })

  it('once support has lifted it, no repetition brings it back; a bounce of another mail does', async () => {
    const h = await harness()
    const { id, email, browser } = await sentMail(h)
    await send(h, id, ['hard_bounce'])
    await h.rows('delete from suppressions where email = ?', email)
    for (const kind of ['hard_bounce', 'soft_bounce', 'complaint'] as const) {
      await send(h, id, [kind])
      expect(await suppressionOf(h, email)).toBeUndefined()
    }
    h.now += 3600_000
    await browser.post('/auth/resend-verification')
    const [again = ''] = h.bindings.queued.splice(0)
    await h.deliver({ ids: [again] })
    await send(h, again, ['hard_bounce'])
    expect(await suppressionOf(h, email)).toMatchObject({ reason: 'hard_bounce' })
  })

  it('one for a time only becomes one for good; one for good keeps its date', async () => {
    const h = await harness()
    const { id, email, browser } = await sentMail(h)
    await h.rows("insert into suppressions values (?, 'disowned', 7, ?)", email, h.now + 1000)
    await send(h, id, ['hard_bounce'])
    const since = h.now
    expect(await suppressionOf(h, email)).toEqual({
      reason: 'hard_bounce',
      created_at: since,
      expires_at: null,
    })
    h.now += 3600_000
    await send(h, id, ['complaint'])
    expect(await suppressionOf(h, email)).toEqual({
      reason: 'complaint',
      created_at: since,
      expires_at: null,
    })
    expect((await browser.session()).status).toBe(200)
  })
})

describe('faults', () => {
  it.each<Fault>(['throw', 'hang', 'lost'])(
    'D1 that fails by %s is 503, and the repetition ends as if nothing had been',
    async (fault) => {
      const h = await harness({ D1_TIMEOUT_MS: '60' })
      const { id, email } = await sentMail(h)
      const events = [eventOf(h, id, 'delivered'), eventOf(h, id, 'hard_bounce')]
      h.bindings.fault = (binding) => (binding === 'd1' ? fault : undefined)
      const response = await report(h, signer, events)
      h.bindings.fault = () => undefined
      expect(response.status).toBe(503)
      expect(response.headers.get('Retry-After')).toBe('5')
      expect(await response.json()).toMatchObject({ error: 'unavailable' })
      expect((await mailRow(h, id)).state).toBe(fault === 'lost' ? 'bounced' : 'sent')
      h.now += 30_000
      expect((await report(h, signer, events)).status).toBe(204)
      expect((await mailRow(h, id)).state).toBe('bounced')
      expect(await eventsOf(h, id)).toHaveLength(2)
      expect(await suppressionOf(h, email)).toMatchObject({ reason: 'hard_bounce' })
    },
  )
})
