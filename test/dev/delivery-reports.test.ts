// The mailbox plays the provider's whole part: what it accepts it reports on, by SendGrid's signed webhook.
// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { EventWebhook } from '@sendgrid/eventwebhook'
import { Hono } from 'hono'
import { beforeEach, describe, expect, it } from 'vitest'
import { devRoutes } from '../../src/dev/routes.tsx'
import { specialAddresses } from '../../src/dev/special-addresses.ts'
import { createHarness, freshAddress, type Harness, ORIGIN } from '../support/harness.ts'

interface Webhook {
  readonly headers: Headers
  readonly body: string
  readonly events: Record<string, unknown>[]
  readonly at: number
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256' }
const ES256 = { name: 'ECDSA', hash: 'SHA-256' }

let h: Harness
/** The public half, SPKI in base64, as SendGrid shows it. */
let verificationKey: string
/** What the webhook was sent, and what it answers. */
let webhooks: Webhook[]
let answer: () => Response
let paused: number
let dev: Hono

beforeEach(async () => {
  const pair = (await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])) as CryptoKeyPair
  const inBase64 = async (format: 'pkcs8' | 'spki', key: CryptoKey) =>
    new Uint8Array((await crypto.subtle.exportKey(format, key)) as ArrayBuffer).toBase64()
  verificationKey = await inBase64('spki', pair.publicKey)
  await start({
    SENDGRID_WEBHOOK_KEYS: verificationKey,
    DEV_WEBHOOK_SIGNING_KEY: await inBase64('pkcs8', pair.privateKey),
  })
})

/** A mailbox whose pauses move the test's clock and take no time. */
async function start(settings: Record<string, string>): Promise<void> {
  h = await createHarness(settings)
  webhooks = []
  paused = 0
  answer = () => new Response(null, { status: 204 })
  dev = new Hono().route(
    '/dev',
    devRoutes(h.deps, async (ms) => {
      paused += ms
      h.now += ms
    }),
  )
  h.network = async (request) => {
    const body = await request.clone().text()
    if (new URL(request.url).pathname !== '/webhooks/sendgrid') return sendTo(dev, request)
    expect(request.url).toBe(`${ORIGIN}/webhooks/sendgrid`)
    webhooks.push({ headers: request.headers, body, events: JSON.parse(body), at: h.now })
    return answer()
  }
  await h.browser().submit('/dev/mailbox', {})
}

/** Waits for what follows the response as well. */
async function sendTo(app: Hono, request: Request): Promise<Response> {
  const ctx = createExecutionContext()
  const response = await app.fetch(request, env, ctx)
  await waitOnExecutionContext(ctx)
  return response
}

function send(recipients: readonly string[]): Promise<Response> {
  return sendTo(
    dev,
    new Request(`${ORIGIN}/dev/v3/mail/send`, {
      method: 'POST',
      headers: { Authorization: 'Bearer SG.a-key-for-tests', 'Content-Type': 'application/json' },
      body: JSON.stringify({
        personalizations: recipients.map((email, i) => ({
          to: [{ email }],
          custom_args: { message_id: `id-${i}` },
        })),
        from: { email: 'noreply@testproof.dev' },
        subject: 'A subject',
        content: [{ type: 'text/plain', value: 'Hello' }],
      }),
    }),
  )
}

/** What was reported, step by step: `event`, or `event/type`. */
function reported(): string[][] {
  return webhooks.map(({ events }) =>
    events.map(({ event, type }) => (type === undefined ? `${event}` : `${event}/${type}`)),
  )
}

/** X.690: SEQUENCE { INTEGER r, INTEGER s }, read strictly. */
function rawOf(der: Uint8Array): Uint8Array {
  expect([der[0], der[1]]).toEqual([0x30, der.length - 2])
  const numbers: Uint8Array[] = []
  for (let at = 2; at < der.length; ) {
    const length = der[at + 1] ?? 0
    expect(der[at]).toBe(0x02)
    const digits = der.subarray(at + 2, at + 2 + length)
    expect((digits[0] ?? 0) < 0x80).toBe(true)
    if (digits[0] === 0 && length > 1) expect(digits[1]).toBeGreaterThanOrEqual(0x80)
    const number = digits[0] === 0 ? digits.subarray(1) : digits
    numbers.push(Uint8Array.from([...new Uint8Array(32 - number.length), ...number]))
    at += 2 + length
  }
  expect(numbers).toHaveLength(2)
  return Uint8Array.from(numbers.flatMap((number) => [...number]))
}

async function isGenuine({ headers, body }: Webhook, change = ''): Promise<boolean> {
  const key = await crypto.subtle.importKey(
    'spki',
    Uint8Array.fromBase64(verificationKey),
    P256,
    false,
    ['verify'],
  )
  const signature = headers.get('X-Twilio-Email-Event-Webhook-Signature') ?? ''
  const timestamp = headers.get('X-Twilio-Email-Event-Webhook-Timestamp') ?? ''
  const text = new TextEncoder().encode(timestamp + body + change)
  return crypto.subtle.verify(ES256, key, rawOf(Uint8Array.fromBase64(signature)), text)
}

describe('what the mailbox reports', () => {
  it('is signed as SendGrid signs: DER and base64, over the timestamp and the very body', async () => {
    // r and s have leading zeros or high bits once in a while: many signatures meet both.
    for (let i = 0; i < 40; i++) await send([freshAddress()])
    expect(webhooks).toHaveLength(80)
    // SendGrid's own library, of which a few are enough: it computes in plain JavaScript.
    const theirs = new EventWebhook()
    const theirKey = theirs.convertPublicKeyToECDSA(verificationKey)
    for (const { headers, body } of webhooks.slice(0, 4)) {
      const signature = headers.get('X-Twilio-Email-Event-Webhook-Signature') ?? ''
      const timestamp = headers.get('X-Twilio-Email-Event-Webhook-Timestamp') ?? ''
      expect(theirs.verifySignature(theirKey, body, signature, timestamp)).toBe(true)
      expect(theirs.verifySignature(theirKey, `${body} `, signature, timestamp)).toBe(false)
    }
    for (const webhook of webhooks) {
      expect(await isGenuine(webhook)).toBe(true)
      expect(await isGenuine(webhook, ' ')).toBe(false)
      const timestamp = webhook.headers.get('X-Twilio-Email-Event-Webhook-Timestamp')
      expect(timestamp).toBe(String(Math.floor(webhook.at / 1000)))
      expect(webhook.headers.get('Content-Type')).toBe('application/json')
    }
  })

  it('is processed, and a moment later delivered, with what the reference lists', async () => {
    const email = freshAddress()
    const begun = h.now
    const messageId = (await send([email])).headers.get('X-Message-Id')
    expect(reported()).toEqual([['processed'], ['delivered']])
    const [processed, delivered] = webhooks.flatMap(({ events }) => events)
    expect(processed).toEqual({
      email,
      timestamp: Math.floor(begun / 1000),
      event: 'processed',
      'smtp-id': expect.stringMatching(/^<.+@.+>$/),
      sg_event_id: expect.any(String),
      sg_message_id: expect.stringMatching(new RegExp(`^${messageId}\\.recvd`)),
      message_id: 'id-0',
    })
    expect(delivered).toMatchObject({
      email,
      timestamp: Math.floor((begun + 1_500) / 1000),
      event: 'delivered',
      response: expect.stringMatching(/^250 /),
      message_id: 'id-0',
    })
    expect(delivered?.sg_event_id).not.toBe(processed?.sg_event_id)
  })

  it.each<[string, string[][]]>([
    ['deferred', [['processed'], ['deferred'], ['delivered']]],
    ['soft-bounce', [['processed'], ['bounce/blocked']]],
    ['bounce', [['processed'], ['bounce/bounce']]],
    ['complaint', [['processed'], ['delivered'], ['spamreport']]],
    ['silence', []],
  ])('%s@… meets its own course', async (name, course) => {
    expect((await send([freshAddress(name)])).status).toBe(202)
    expect(reported()).toEqual(course)
  })

  it('a refusal for good says so, and so does one for now', async () => {
    await send([freshAddress('bounce')])
    expect(webhooks[1]?.events[0]).toMatchObject({
      reason: expect.stringMatching(/^550 5\.1\.1 /),
      status: '5.1.1',
      bounce_classification: 'Invalid Address',
    })
    await send([freshAddress('soft-bounce')])
    expect(webhooks[3]?.events[0]).toMatchObject({
      reason: expect.stringMatching(/^452 4\.2\.2 /),
      status: '4.2.2',
    })
    await send([freshAddress('deferred')])
    expect(webhooks[5]?.events[0]).toMatchObject({ response: expect.any(String), attempt: '1' })
  })

  it('gathers the events of one call in one webhook a step', async () => {
    const names = ['ada', 'bounce', 'deferred', 'silence', 'complaint']
    await send(names.map(freshAddress))
    expect(reported()).toEqual([
      ['processed', 'processed', 'processed', 'processed'],
      ['delivered', 'bounce/bounce', 'deferred', 'delivered'],
      ['delivered', 'spamreport'],
    ])
    const ids = webhooks.map(({ events }) => events.map(({ message_id }) => message_id))
    expect(ids).toEqual([
      ['id-0', 'id-1', 'id-2', 'id-4'],
      ['id-0', 'id-1', 'id-2', 'id-4'],
      ['id-2', 'id-4'],
    ])
    // What follows a response has 30 seconds.
    expect(paused).toBeLessThan(10_000)
  })

  it('stands on the page of each mail, with how the webhook took it', async () => {
    const [email, bounced, silent] = [
      freshAddress(),
      freshAddress('bounce'),
      freshAddress('silence'),
    ]
    await send([email, bounced, silent])
    const list = await (await h.fetch('/dev/mailbox')).text()
    expect(list.match(/reported: [a-z ]+/g)?.sort()).toEqual([
      'reported: delivered',
      'reported: hard bounce',
    ])
    const pageOf = async (to: string) => {
      const [mail] = await h.mails(to)
      return (await h.fetch(`/dev/mailbox/${mail?.id}`)).text()
    }
    const page = await pageOf(bounced)
    expect(page).toMatch(/<strong>processed<\/strong>[\s\S]*<strong>hard bounce<\/strong>/)
    expect(page.match(/answered 204/g)).toHaveLength(2)
    expect(await pageOf(silent)).toContain('Nothing so far.')

    await h.browser().submit('/dev/mailbox', {})
    const { keys } = await h.deps.kv.list({ prefix: 'dev-' })
    expect(keys).toEqual([])
  })
})

describe('a webhook that does not take it', () => {
  it('is sent the same once more', async () => {
    const answers = [500, 204, 204]
    answer = () => new Response(null, { status: answers.shift() ?? 0 })
    expect((await send([freshAddress()])).status).toBe(202)
    expect(reported()).toEqual([['processed'], ['processed'], ['delivered']])
    expect(webhooks[1]?.body).toBe(webhooks[0]?.body)
  })

  it.each<[string, () => Response]>([
    ['404', () => new Response(null, { status: 404 })],
    [
      'no connection',
      () => {
        throw new Error('refused')
      },
    ],
  ])('fails no send: %s', async (what, fails) => {
    answer = fails
    const email = freshAddress()
    expect((await send([email])).status).toBe(202)
    expect(webhooks).toHaveLength(4)
    const [mail] = await h.mails(email)
    const page = await (await h.fetch(`/dev/mailbox/${mail?.id}`)).text()
    expect(page).toContain(what === '404' ? 'answered 404' : 'did not answer')
  })

  it('nor does a key that is none, of which the log tells', async () => {
    await start({ DEV_WEBHOOK_SIGNING_KEY: 'A'.repeat(120) })
    expect((await send([freshAddress()])).status).toBe(202)
    expect(webhooks).toEqual([])
    expect(h.logs).toContainEqual(
      expect.objectContaining({ event: 'error', path: '/dev/v3/mail/send' }),
    )
  })

  it('without a key there are no reports, and the mail is there all the same', async () => {
    await start({})
    const email = freshAddress()
    expect((await send([email])).status).toBe(202)
    expect(await h.mails(email)).toHaveLength(1)
    expect(webhooks).toEqual([])
  })
})

describe('a call that the mail API turns away', () => {
  it('busy@…: 429, and when to come back', async () => {
    const [ada, busy] = [freshAddress(), freshAddress('busy')]
    const response = await send([ada, busy])
    expect(response.status).toBe(429)
    expect(response.headers.get('X-RateLimit-Reset')).toBe(String(h.now / 1000 + 30))
    expect(await response.json()).toEqual({
      errors: [{ message: expect.any(String), field: null, help: null }],
    })
    // All or nothing.
    expect([await h.mails(ada), await h.mails(busy), webhooks]).toEqual([[], [], []])
  })

  it('outage@…: 500', async () => {
    const [ada, outage] = [freshAddress(), freshAddress('outage')]
    expect((await send([ada, outage])).status).toBe(500)
    expect([await h.mails(ada), await h.mails(outage), webhooks]).toEqual([[], [], []])
  })

  it('a mail to busy@… waits as long as it was asked to, and one to outage@… is tried again', async () => {
    const [busy, outage] = [freshAddress('busy'), freshAddress('outage')]
    for (const email of [busy, outage]) {
      await h.browser().register(email)
      await h.deliver()
      const [row] = await h.rows<{ state: string; not_before: number }>(
        'select state, not_before from messages where to_email = ?',
        email,
      )
      expect(row?.state).toBe('queued')
      expect(row?.not_before).toBeGreaterThanOrEqual(h.now + (email === busy ? 30_000 : 1))
    }
  })
})

describe('special addresses', () => {
  it.each(specialAddresses)(
    '$name begins a local part, and is on the mailbox page',
    async (one) => {
      const page = await (await h.fetch('/dev/mailbox')).text()
      expect(page).toContain(`<code>${one.name}@example.com</code>`)
      expect(page).toContain(one.meets)
    },
  )

  it.each([
    'bounce@x.example',
    'BOUNCE@x.example',
    'bounce-2@x.example',
    'bounce.ada@x.example',
    'bounce+ada@x.example',
    'bounce2@x.example',
  ])('%s is one', async (email) => {
    await send([email])
    expect(reported()[1]).toEqual(['bounce/bounce'])
  })

  it.each([
    'bouncer@x.example',
    'ada-bounce@x.example',
    'ada@bounce.example',
    'bounce_2@x.example',
  ])('%s is none', async (email) => {
    await send([email])
    expect(reported()[1]).toEqual(['delivered'])
  })
})
