// F5: the events of Cloudflare's Email Service, which come through a Queue and name the service's own id.
import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import worker from '../../../src/index.ts'
import { consumeDeliveryEvents } from '../../../src/mail/webhooks/consume-delivery-events.ts'
import type { Fault } from '../../support/faulty-bindings.ts'
import { createHarness, type Harness } from '../../support/harness.ts'
import { dump, mailRow, sentMail } from './support.ts'

const QUEUE = 'mailproof-mail-events'
const AT = '2026-11-02T12:00:00.132Z'

/** As the documentation of event subscriptions shows it. */
function event(messageId: string, type: string, payload: object = {}) {
  return {
    type: `cf.email.sending.message.${type}`,
    source: { type: 'email.sending', zoneId: '023e105f4ecef8ad', domain: 'example.com' },
    payload: {
      eventId: crypto.randomUUID(),
      messageId,
      sender: 'noreply@example.com',
      recipient: 'user@example.net',
      subject: 'Welcome',
      terminal: type !== 'deferred',
      delivery: { status: type },
      ...payload,
    },
    metadata: {
      accountId: 'f9f79265f388666de8122cfb508d7776',
      eventSubscriptionId: '1830c4bb612e43c3af7f4cada31fbf3f',
      eventSchemaVersion: 1,
      eventTimestamp: AT,
    },
  }
}

async function consume(h: Harness, bodies: unknown[], attempts = 1) {
  const messages = bodies.map((body, i) => ({
    id: String(i),
    timestamp: new Date(),
    attempts,
    body,
  }))
  const batch = createMessageBatch(QUEUE, messages)
  await consumeDeliveryEvents(h.deps, batch)
  const result = await getQueueResult(batch, createExecutionContext())
  return {
    acked: result.explicitAcks.map(Number),
    retried: result.retryMessages.map(({ msgId }) => Number(msgId)),
  }
}

async function mailByCloudflare(h: Harness) {
  const mail = await sentMail(h)
  const cloudflareId = `0101018f7d0c4d9a-${crypto.randomUUID()}`
  await h.rows(
    "update messages set provider = 'cloudflare', provider_message_id = ? where id = ?",
    cloudflareId,
    mail.id,
  )
  return { ...mail, cloudflareId }
}

const smtp = (smtpResponse: string) => ({ delivery: { status: 'x', smtpResponse } })
const bounce = (type: string, reason: string) => ({ bounce: { type, classification: 'x', reason } })

describe('F5: events of Cloudflare’s Email Service', () => {
  it.each<[string, object, string, number, string | null, string | null]>([
    ['delivered', smtp('250 2.0.0 OK'), 'delivered', 3, null, null],
    ['deferred', bounce('soft', '451 4.2.0 busy'), 'deferred', 2, null, null],
    [
      'bounced',
      bounce('hard', '550 5.1.1 User unknown'),
      'bounced',
      5,
      'hard: 550 5.1.1 User unknown',
      'hard_bounce',
    ],
    ['bounced', bounce('soft', '452 4.2.2 full'), 'bounced', 4, 'soft: 452 4.2.2 full', null],
    [
      'failed',
      { failure: { reason: 'delivery_failed' } },
      'bounced',
      4,
      'soft: delivery_failed',
      null,
    ],
    [
      'rejected',
      {
        rejection: { reason: 'suppressed', party: 'recipient', detail: 'Recipient is suppressed' },
      },
      'bounced',
      5,
      'hard: Recipient is suppressed',
      'hard_bounce',
    ],
    ['rejected', { rejection: { reason: 'spam' } }, 'bounced', 4, 'soft: spam', null],
    ['complained', { complaint: { type: 'abuse' } }, 'complained', 6, null, 'complaint'],
  ])('%s %j', async (type, payload, state, rank, error, suppression) => {
    const h = await createHarness()
    const { id, email, cloudflareId } = await mailByCloudflare(h)
    h.bindings.resetCounts()
    expect(await consume(h, [event(cloudflareId, type, payload)])).toEqual({
      acked: [0],
      retried: [],
    })
    expect(h.bindings.counts.d1).toBe(1)
    expect(await mailRow(h, id)).toMatchObject({ state, delivery_rank: rank, error })
    expect(await h.rows('select email, reason from suppressions')).toEqual(
      suppression === null ? [] : [{ email, reason: suppression }],
    )
    expect(
      await h.rows("select at from events where provider = 'cloudflare' and message_id = ?", id),
    ).toEqual([{ at: Date.parse(AT) }])
    // The same again, later, changes nothing.
    const after = await dump(h)
    h.now += 60_000
    await consume(h, [event(cloudflareId, type, payload)])
    expect(await dump(h)).toEqual(after)
  })

  it('the id of another provider’s mail is not looked at', async () => {
    const h = await createHarness()
    const { id, cloudflareId } = await mailByCloudflare(h)
    await h.rows("update messages set provider = 'resend' where id = ?", id)
    const before = await dump(h)
    await consume(h, [event(cloudflareId, 'bounced', bounce('hard', 'x')), event(id, 'delivered')])
    expect(await dump(h)).toEqual(before)
  })

  it('acknowledges what it cannot read, beside what it can', async () => {
    const h = await createHarness()
    const { id, cloudflareId } = await mailByCloudflare(h)
    const bodies = [
      'text',
      null,
      {},
      { type: 'cf.email.sending.message.delivered' },
      event(cloudflareId, 'something_new'),
      event(cloudflareId, 'delivered'),
    ]
    h.logs.length = 0
    expect(await consume(h, bodies)).toEqual({ acked: [0, 1, 2, 3, 4, 5], retried: [] })
    expect((await mailRow(h, id)).state).toBe('delivered')
    expect(h.logs[0]).toMatchObject({ event: 'webhook_refused', provider: 'cloudflare', count: 4 })
    expect(JSON.stringify(h.logs)).not.toContain('example.net')
  })

  it('an event that overtakes the record of its sending is looked for again, and then let go', async () => {
    const h = await createHarness()
    const early = event('not-recorded-yet', 'delivered')
    expect(await consume(h, [early])).toEqual({ acked: [], retried: [0] })
    const { id } = await sentMail(h)
    await h.rows(
      "update messages set provider = 'cloudflare', provider_message_id = 'not-recorded-yet' where id = ?",
      id,
    )
    expect(await consume(h, [early], 2)).toEqual({ acked: [0], retried: [] })
    expect((await mailRow(h, id)).state).toBe('delivered')
    expect(await consume(h, [event('nobody’s', 'delivered')], 3)).toEqual({
      acked: [0],
      retried: [],
    })
  })

  it.each<Fault>(['throw', 'hang', 'lost'])(
    'D1 that fails by %s sends the batch back; the next time it is applied once',
    async (fault) => {
      const h = await createHarness({ D1_TIMEOUT_MS: '60' })
      const { id, cloudflareId } = await mailByCloudflare(h)
      const bodies = [event(cloudflareId, 'bounced', bounce('hard', '550')), 'unreadable']
      h.bindings.fault = (binding) => (binding === 'd1' ? fault : undefined)
      expect(await consume(h, bodies)).toEqual({ acked: [], retried: [0, 1] })
      h.bindings.fault = () => undefined
      expect(await consume(h, bodies, 2)).toEqual({ acked: [0, 1], retried: [] })
      expect(await mailRow(h, id)).toMatchObject({ state: 'bounced', delivery_rank: 5 })
      expect(await h.rows("select 1 from events where type = 'mail_bounced'")).toHaveLength(1)
      expect(await h.rows('select 1 from suppressions')).toHaveLength(1)
    },
  )

  it('the Worker hands a Queue whose name ends in -events to this consumer', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const h = await createHarness()
    const { id, cloudflareId } = await mailByCloudflare(h)
    const batch = createMessageBatch(QUEUE, [
      { id: '1', timestamp: new Date(), attempts: 1, body: event(cloudflareId, 'delivered') },
    ])
    await worker.queue(batch, env)
    expect((await getQueueResult(batch, createExecutionContext())).explicitAcks).toEqual(['1'])
    expect((await mailRow(h, id)).state).toBe('delivered')
    vi.restoreAllMocks()
  })
})
