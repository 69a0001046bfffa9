// F5: what is not signed as it must be changes nothing, costs no D1 call and is logged once, without its contents.
import { EventWebhook } from '@sendgrid/eventwebhook'
import { Webhook } from 'svix'
import { beforeAll, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from '../../support/harness.ts'
import {
  createSigner,
  dump,
  type Headers,
  mailRow,
  post,
  SIGNATURE,
  type Signer,
  sendGridEvent,
  sentMail,
  signed,
  TIMESTAMP,
} from './support.ts'

let signer: Signer
let stranger: Signer
let next: Signer
beforeAll(async () => {
  signer = await createSigner()
  stranger = await createSigner()
  next = await createSigner()
})

const RESEND = `whsec_${btoa('a secret of thirty-two bytes now')}`
const RESEND_NEXT = `whsec_${btoa('another secret of the same size.')}`
const POSTMARK = 'a-password-for-postmark-of-32-characters'
const POSTMARK_NEXT = 'the-next-password-for-postmark-after-it'

const harness = () =>
  createHarness({
    SENDGRID_WEBHOOK_KEYS: `${next.publicKey},${signer.publicKey}`,
    RESEND_WEBHOOK_SECRETS: `${RESEND_NEXT},${RESEND}`,
    POSTMARK_WEBHOOK_SECRETS: `${POSTMARK_NEXT},${POSTMARK}`,
  })

interface Call {
  readonly body: string | Uint8Array
  readonly headers: Headers
}

/** Sends a call that must be refused, and holds everything against how it was before. */
async function expectRefusal(h: Harness, provider: string, { body, headers }: Call) {
  const before = await dump(h)
  h.bindings.resetCounts()
  // What repeats within a second is counted before it is written: let that second pass, for the log alone.
  h.now += 1000
  h.deps.log('sweep')
  h.now -= 1000
  h.logs.length = 0
  const response = await post(h, provider, body, headers)
  expect(response.status).toBe(401)
  expect(response.headers.get('Content-Type')).toBe('application/problem+json')
  expect(await response.json()).toMatchObject({ ok: false, error: 'invalid_signature' })
  expect(h.bindings.counts).toMatchObject({ d1: 0, kvReads: 0, kvWrites: 0, queueSends: 0 })
  expect(h.logs).toEqual([
    { event: 'webhook_refused', at: expect.any(String), provider, reason: expect.any(String) },
  ])
  expect(await dump(h)).toEqual(before)
  return h.logs[0]?.reason
}

const flip = (text: string, at: number, bit = 1) => {
  const bytes = new TextEncoder().encode(text)
  bytes[at] = (bytes[at] ?? 0) ^ bit
  return bytes
}

describe('F5: SendGrid', () => {
  async function genuine(h: Harness) {
    const { id } = await sentMail(h)
    const body = JSON.stringify([sendGridEvent(h, id, 'bounce', { type: 'bounce' })])
    return { id, body, headers: await signed(h, signer, body) }
  }

  it('vectors that SendGrid publishes with its library are accepted in their own minute', async () => {
    const key =
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=='
    const signature =
      'MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM='
    const body = `${JSON.stringify([
      {
        email: 'hello@world.com',
        event: 'dropped',
        reason: 'Bounced Address',
        sg_event_id: 'ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA',
        sg_message_id: 'LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0',
        'smtp-id': '<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>',
        timestamp: 1600112492,
      },
    ])}\r\n`
    const headers = { [SIGNATURE]: signature, [TIMESTAMP]: '1600112502' }
    const theirs = new EventWebhook()
    expect(
      theirs.verifySignature(
        theirs.convertPublicKeyToECDSA(key),
        body,
        signature,
        headers[TIMESTAMP] ?? '',
      ),
    ).toBe(true)
    const h = await createHarness({ SENDGRID_WEBHOOK_KEYS: key })
    h.now = 1600112502_000
    expect((await post(h, 'sendgrid', body, headers)).status).toBe(204)
    // Without its last line break it is not what was signed.
    expect(await expectRefusal(h, 'sendgrid', { body: body.trimEnd(), headers })).toBe(
      'wrong_signature',
    )
  })

  it('what SendGrid’s own library verifies is accepted, signed by any configured key', async () => {
    const h = await harness()
    const theirs = new EventWebhook()
    for (const one of [signer, next]) {
      const { id } = await sentMail(h)
      const body = JSON.stringify([sendGridEvent(h, id, 'delivered')])
      const headers = await signed(h, one, body)
      const key = theirs.convertPublicKeyToECDSA(one.publicKey)
      const [signature = '', timestamp = ''] = [headers[SIGNATURE], headers[TIMESTAMP]]
      expect(theirs.verifySignature(key, body, signature, timestamp)).toBe(true)
      expect((await post(h, 'sendgrid', body, headers)).status).toBe(204)
      expect((await mailRow(h, id)).state).toBe('delivered')
    }
  })

  it('many signatures, of every length that DER gives them, are accepted', async () => {
    const h = await harness()
    const lengths = new Set<number>()
    for (let i = 0; i < 200; i++) {
      const body = `[${i}]`
      const headers = await signed(h, signer, body)
      lengths.add(Uint8Array.fromBase64(headers[SIGNATURE] ?? '').length)
      expect((await post(h, 'sendgrid', body, headers)).status).toBe(204)
    }
    expect(lengths.size).toBeGreaterThanOrEqual(3)
  }, 30_000)

  it('a stranger’s key is refused', async () => {
    const h = await harness()
    const { body } = await genuine(h)
    const headers = await signed(h, stranger, body)
    expect(await expectRefusal(h, 'sendgrid', { body, headers })).toBe('wrong_signature')
  })

  it('one bit of the body, anywhere, is refused; and the genuine one is accepted after all that', async () => {
    const h = await harness()
    const { id, body, headers } = await genuine(h)
    for (let at = 0; at < body.length; at += 7) {
      const altered = flip(body, at, 1 << (at % 8))
      expect(await expectRefusal(h, 'sendgrid', { body: altered, headers })).toBe('wrong_signature')
    }
    expect((await post(h, 'sendgrid', body, headers)).status).toBe(204)
    expect((await mailRow(h, id)).state).toBe('bounced')
  }, 30_000)

  it('one bit of the signature, anywhere, is refused', async () => {
    const h = await harness()
    const { body, headers } = await genuine(h)
    const signature = Uint8Array.fromBase64(headers[SIGNATURE] ?? '')
    for (const [i, byte] of signature.entries()) {
      const altered = signature.slice()
      altered[i] = byte ^ (1 << (i % 8))
      const forged = { ...headers, [SIGNATURE]: altered.toBase64() }
      await expectRefusal(h, 'sendgrid', { body, headers: forged })
    }
  }, 30_000)

  it.each<[string, (headers: Headers) => Headers]>([
    ['no headers', () => ({})],
    ['no signature', ({ [SIGNATURE]: _, ...rest }) => rest],
    ['no timestamp', ({ [TIMESTAMP]: _, ...rest }) => rest],
    ['an empty signature', (headers) => ({ ...headers, [SIGNATURE]: '' })],
    ['a signature that is no base64', (headers) => ({ ...headers, [SIGNATURE]: '%%%' })],
    ['an empty timestamp', (headers) => ({ ...headers, [TIMESTAMP]: '' })],
    ['a timestamp in words', (headers) => ({ ...headers, [TIMESTAMP]: 'now' })],
    [
      'another timestamp',
      (headers) => ({ ...headers, [TIMESTAMP]: String(Number(headers[TIMESTAMP]) + 1) }),
    ],
    [
      'a timestamp spelt otherwise',
      (headers) => ({ ...headers, [TIMESTAMP]: `0${headers[TIMESTAMP]}` }),
    ],
    [
      'a truncated signature',
      (headers) => ({ ...headers, [SIGNATURE]: (headers[SIGNATURE] ?? '').slice(0, 80) }),
    ],
    [
      // ECDSA takes r = s = 0 for genuine where nobody looks.
      'r and s of nought',
      (headers) => ({ ...headers, [SIGNATURE]: Uint8Array.of(48, 6, 2, 1, 0, 2, 1, 0).toBase64() }),
    ],
  ])('%s: refused', async (_name, forge) => {
    const h = await harness()
    const { body, headers } = await genuine(h)
    await expectRefusal(h, 'sendgrid', { body, headers: forge(headers) })
  })

  it.each([
    ['truncated', (body: string) => body.slice(0, -1)],
    ['empty', () => ''],
    ['longer by a space', (body: string) => `${body} `],
    ['written anew', (body: string) => JSON.stringify(JSON.parse(body), null, 1)],
  ])('a body that is %s is refused', async (_name, alter) => {
    const h = await harness()
    const { body, headers } = await genuine(h)
    expect(await expectRefusal(h, 'sendgrid', { body: alter(body), headers })).toBe(
      'wrong_signature',
    )
  })

  it.each([
    [-301, 401],
    [-300, 204],
    [300, 204],
    [301, 401],
  ])('signed %i seconds from now: %i', async (offset, status) => {
    const h = await harness()
    const { body } = await genuine(h)
    const headers = await signed(h, signer, body, offset)
    if (status === 204) expect((await post(h, 'sendgrid', body, headers)).status).toBe(204)
    else expect(await expectRefusal(h, 'sendgrid', { body, headers })).toBe('stale')
  })

  it('a recorded call replayed after five minutes is refused, before that it changes nothing', async () => {
    const h = await harness()
    const { body, headers } = await genuine(h)
    expect((await post(h, 'sendgrid', body, headers)).status).toBe(204)
    const after = await dump(h)
    h.now += 299_000
    expect((await post(h, 'sendgrid', body, headers)).status).toBe(204)
    expect(await dump(h)).toEqual(after)
    h.now += 2_000
    expect(await expectRefusal(h, 'sendgrid', { body, headers })).toBe('stale')
  })

  it('an unsigned flood costs no D1, KV or Queue call, whatever the size of the bodies', async () => {
    const h = await harness()
    h.bindings.resetCounts()
    const body = 'x'.repeat(500_000)
    for (let i = 0; i < 50; i++) {
      expect((await post(h, 'sendgrid', body, {})).status).toBe(401)
    }
    expect(h.bindings.counts).toMatchObject({ d1: 0, kvReads: 0, kvWrites: 0, queueSends: 0 })
  })

  it('a body over 2 MiB is 413, one just under it is read', async () => {
    const h = await harness()
    const empty = (size: number) => `[${' '.repeat(size - 2)}]`
    const large = empty(2 * 1024 * 1024)
    expect((await post(h, 'sendgrid', large, await signed(h, signer, large))).status).toBe(204)
    const larger = `${large} `
    const response = await post(h, 'sendgrid', larger, await signed(h, signer, larger))
    expect(response.status).toBe(413)
  })

  it('a key that is no key of P-256 is logged once and does not take the others with it', async () => {
    const h = await createHarness({
      SENDGRID_WEBHOOK_KEYS: `${'A'.repeat(124)},${signer.publicKey}`,
    })
    for (let i = 0; i < 2; i++) {
      expect((await post(h, 'sendgrid', '[]', await signed(h, signer, '[]'))).status).toBe(204)
    }
    expect(h.logs.filter(({ event }) => event === 'error')).toEqual([
      expect.objectContaining({ reason: 'SENDGRID_WEBHOOK_KEYS: key 1 is unusable' }),
    ])
  })

  it.each(['not json', '{"event":"delivered"}', '', '"[]"', 'null'])(
    'signed, but not a list of events: %j is 400 and logged',
    async (body) => {
      const h = await harness()
      h.bindings.resetCounts()
      const response = await post(h, 'sendgrid', body, await signed(h, signer, body))
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: 'invalid_json' })
      expect(h.bindings.counts.d1).toBe(0)
      expect(h.logs).toEqual([
        expect.objectContaining({ event: 'webhook_refused', reason: 'unreadable_body' }),
      ])
    },
  )
})

describe('F5: Resend', () => {
  const event = (id: string, type = 'email.delivered') =>
    JSON.stringify({
      type,
      created_at: '2026-11-02T12:00:00.500Z',
      data: { email_id: 're_1', to: ['x@y.example'], tags: { message_id: id } },
    })

  /** Signed by the library that Resend tells its customers to verify with. */
  function signedBySvix(h: Harness, body: string, { secret = RESEND, offsetSeconds = 0 } = {}) {
    const at = Math.floor(h.now / 1000) + offsetSeconds
    const id = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W'
    return {
      'svix-id': id,
      'svix-timestamp': String(at),
      'svix-signature': new Webhook(secret).sign(id, new Date(at * 1000), body),
    }
  }

  async function genuine(h: Harness) {
    const { id } = await sentMail(h, 'resend')
    const body = event(id)
    return { id, body, headers: signedBySvix(h, body) }
  }

  it('what Svix signs is accepted, by either secret and under either name of the headers', async () => {
    const h = await harness()
    for (const secret of [RESEND, RESEND_NEXT]) {
      const { id } = await sentMail(h, 'resend')
      const body = event(id)
      const headers = signedBySvix(h, body, { secret })
      expect((await post(h, 'resend', body, headers)).status).toBe(204)
      expect((await mailRow(h, id)).state).toBe('delivered')
    }
    const { id } = await sentMail(h, 'resend')
    const body = event(id)
    const standard = Object.fromEntries(
      Object.entries(signedBySvix(h, body)).map(([name, value]) => [
        name.replace('svix-', 'webhook-'),
        value,
      ]),
    )
    expect((await post(h, 'resend', body, standard)).status).toBe(204)
    expect((await mailRow(h, id)).state).toBe('delivered')
  })

  it('one genuine signature among several is enough', async () => {
    const h = await harness()
    const { body, headers } = await genuine(h)
    const others = signedBySvix(h, body, {
      secret: `whsec_${btoa('a stranger’s secret'.replace('’', ''))}`,
    })
    const several = `v2,abc ${others['svix-signature']} ${headers['svix-signature']}`
    expect((await post(h, 'resend', body, { ...headers, 'svix-signature': several })).status).toBe(
      204,
    )
  })

  it.each<[string, (call: Call & { headers: Headers }, h: Harness) => Call]>([
    ['no headers', ({ body }) => ({ body, headers: {} })],
    ['no id', ({ body, headers: { 'svix-id': _, ...headers } }) => ({ body, headers })],
    [
      'no timestamp',
      ({ body, headers: { 'svix-timestamp': _, ...headers } }) => ({ body, headers }),
    ],
    [
      'no signature',
      ({ body, headers: { 'svix-signature': _, ...headers } }) => ({ body, headers }),
    ],
    ['another id', ({ body, headers }) => ({ body, headers: { ...headers, 'svix-id': 'msg_2' } })],
    [
      'another timestamp',
      ({ body, headers }) => ({
        body,
        headers: { ...headers, 'svix-timestamp': String(Number(headers['svix-timestamp']) - 1) },
      }),
    ],
    [
      'another version',
      ({ body, headers }) => ({
        body,
        headers: { ...headers, 'svix-signature': `v2${headers['svix-signature']?.slice(2)}` },
      }),
    ],
    [
      'a stranger’s secret',
      ({ body }, h) => ({
        body,
        headers: signedBySvix(h, String(body), { secret: `whsec_${btoa('some other secret')}` }),
      }),
    ],
    ['a truncated body', ({ body, headers }) => ({ body: body.slice(0, -1), headers })],
    [
      'a body written anew',
      ({ body, headers }) => ({ body: JSON.stringify(JSON.parse(String(body)), null, 2), headers }),
    ],
    ['one bit of the body', ({ body, headers }) => ({ body: flip(String(body), 40), headers })],
    [
      'one bit of the signature',
      ({ body, headers }) => {
        const mac = Uint8Array.fromBase64((headers['svix-signature'] ?? '').slice(3))
        mac[7] = (mac[7] ?? 0) ^ 4
        return { body, headers: { ...headers, 'svix-signature': `v1,${mac.toBase64()}` } }
      },
    ],
    [
      'too old',
      ({ body }, h) => ({ body, headers: signedBySvix(h, String(body), { offsetSeconds: -301 }) }),
    ],
    [
      'of the future',
      ({ body }, h) => ({ body, headers: signedBySvix(h, String(body), { offsetSeconds: 301 }) }),
    ],
  ])('%s: refused', async (_name, forge) => {
    const h = await harness()
    const call = await genuine(h)
    await expectRefusal(h, 'resend', forge(call, h))
  })

  it('a genuine call repeated changes nothing', async () => {
    const h = await harness()
    const { body, headers } = await genuine(h)
    await post(h, 'resend', body, headers)
    const after = await dump(h)
    h.now += 200_000
    expect((await post(h, 'resend', body, headers)).status).toBe(204)
    expect(await dump(h)).toEqual(after)
  })
})

describe('F5: Postmark', () => {
  const basic = (password: string, user = 'postmark') => ({
    Authorization: `Basic ${btoa(`${user}:${password}`)}`,
  })
  const event = (id: string) =>
    JSON.stringify({
      RecordType: 'Delivery',
      MessageID: 'pm-1',
      Recipient: 'x@y.example',
      DeliveredAt: '2026-11-02T12:00:00Z',
      Metadata: { message_id: id },
    })

  it('either password opens it, under any user name', async () => {
    const h = await harness()
    for (const headers of [
      basic(POSTMARK),
      basic(POSTMARK_NEXT, ''),
      basic(POSTMARK, 'Jürgen'.normalize('NFC').replace('ü', 'u')),
    ]) {
      const { id } = await sentMail(h, 'postmark')
      expect((await post(h, 'postmark', event(id), headers)).status).toBe(204)
      expect((await mailRow(h, id)).state).toBe('delivered')
    }
  })

  it.each<[string, Headers]>([
    ['no header', {}],
    ['a wrong password', basic('a-password-for-postmark-of-32-characterS')],
    ['the password with more after it', basic(`${POSTMARK}x`)],
    ['the beginning of the password', basic(POSTMARK.slice(0, -1))],
    ['an empty password', basic('')],
    ['both passwords as they stand in the setting', basic(`${POSTMARK_NEXT},${POSTMARK}`)],
    ['the password as the user', basic('', POSTMARK)],
    ['a bearer token', { Authorization: `Bearer ${POSTMARK}` }],
    ['no base64', { Authorization: 'Basic %%%' }],
    ['no colon', { Authorization: `Basic ${btoa(POSTMARK)}` }],
  ])('%s: refused', async (_name, headers) => {
    const h = await harness()
    const { id } = await sentMail(h, 'postmark')
    await expectRefusal(h, 'postmark', { body: event(id), headers })
  })
})

describe('a route exists only where its secret does', () => {
  it.each(['sendgrid', 'resend', 'postmark', 'cloudflare', 'mailgun'])('%s', async (provider) => {
    const h = await createHarness()
    const response = await post(h, provider, '[]', {})
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: 'not_found' })
  })

  it('nobody can GET it', async () => {
    const h = await harness()
    expect((await h.fetch('/webhooks/sendgrid')).status).toBe(405)
  })
})
