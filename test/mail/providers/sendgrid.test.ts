// The adapter against SendGrid's published reference:
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send

import { describe, expect, it } from 'vitest'
import { createSendGrid } from '../../../src/mail/providers/sendgrid.ts'

const NOW = Date.UTC(2026, 10, 2, 12)
const TIMEOUT_MS = 60

const mail = {
  id: '0198c0de-0000-7000-8000-00000000cafe',
  to: 'ada@example.com',
  subject: 'Confirm your e-mail address',
  text: 'Open https://auth.example.com/x?token=abc',
  html: '<p>Open <a href="https://auth.example.com/x?token=abc">it</a></p>',
}

type Network = (request: Request) => Promise<Response>

/** Sends one mail over the given network. */
async function send(network: Network, timeoutMs = TIMEOUT_MS) {
  const requests: Request[] = []
  const provider = createSendGrid({
    baseUrl: 'https://api.sendgrid.com',
    apiKey: 'SG.the-key',
    from: { email: 'noreply@example.com', name: 'Example' },
    timeoutMs,
    fetch: (request) => {
      requests.push(request)
      return network(request)
    },
    now: () => NOW,
  })
  const started = Date.now()
  const [outcome] = await provider.send([mail], mail.id)
  return { outcome, requests, elapsed: Date.now() - started }
}

const answer =
  (status: number, body: BodyInit | null = null, headers: Record<string, string> = {}): Network =>
  async () =>
    new Response(body, { status, headers })

const never = () => new Promise<never>(() => {})

describe('S2: the request', () => {
  it('is a POST of JSON to /v3/mail/send with the key as a bearer token', async () => {
    const { requests } = await send(answer(202))
    expect(requests).toHaveLength(1)
    const [request] = requests
    expect(request?.url).toBe('https://api.sendgrid.com/v3/mail/send')
    expect(request?.method).toBe('POST')
    expect(Object.fromEntries(request?.headers ?? [])).toEqual({
      authorization: 'Bearer SG.the-key',
      'content-type': 'application/json',
    })
  })

  it('says exactly what the reference asks for, text before HTML, every tracking off', async () => {
    const { requests } = await send(answer(202))
    expect(await requests[0]?.json()).toEqual({
      personalizations: [{ to: [{ email: mail.to }], custom_args: { message_id: mail.id } }],
      from: { email: 'noreply@example.com', name: 'Example' },
      subject: mail.subject,
      content: [
        { type: 'text/plain', value: mail.text },
        { type: 'text/html', value: mail.html },
      ],
      headers: { 'Auto-Submitted': 'auto-generated' },
      tracking_settings: {
        click_tracking: { enable: false, enable_text: false },
        open_tracking: { enable: false },
        subscription_tracking: { enable: false },
      },
    })
  })

  it('F12: keeps links as they are and tells the provider nothing of the person but the address', async () => {
    const { requests } = await send(answer(202))
    const body = (await requests[0]?.text()) ?? ''
    expect(body.split(mail.to)).toHaveLength(2)
    expect(JSON.parse(body).personalizations[0].custom_args).toEqual({ message_id: mail.id })
    expect(JSON.parse(body)).not.toHaveProperty('custom_args')
    expect(body).toContain('"click_tracking":{"enable":false,"enable_text":false}')
  })

  it('F12: does not follow redirects: they would carry the key and the link to another host', async () => {
    const { outcome, requests } = await send(
      answer(307, null, { Location: 'https://elsewhere.example/v3/mail/send' }),
    )
    expect(requests).toHaveLength(1)
    expect(requests[0]?.redirect).toBe('manual')
    expect(outcome).toEqual({ kind: 'refused', reason: '307' })
  })
})

describe('S8: acceptance', () => {
  it.each([200, 201, 202, 204])('is any 2xx, with its message id: %i', async (status) => {
    const { outcome } = await send(answer(status, null, { 'X-Message-Id': 'sg-1' }))
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: 'sg-1' })
  })

  it.each([200, 202])('does not need a message id: %i', async (status) => {
    const { outcome } = await send(answer(status, 'ok'))
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: null })
  })

  it.each([
    ['never ends', new ReadableStream()],
    ['cannot be cancelled', new ReadableStream({ cancel: () => Promise.reject(new Error('no')) })],
    ['hangs when it is cancelled', new ReadableStream({ cancel: never })],
    ['breaks off', new ReadableStream({ start: (stream) => stream.error(new Error('reset')) })],
  ])('holds where the body %s: to send again would be a second copy', async (_, body) => {
    const { outcome } = await send(answer(202, body, { 'X-Message-Id': 'sg-1' }))
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: 'sg-1' })
  })
})

describe('S3: a failure', () => {
  const errors = (...list: unknown[]) => JSON.stringify({ errors: list })

  it('keeps what the provider said, with the field', async () => {
    const body = errors({ message: 'Invalid type.', field: 'custom_args', help: 'https://…' })
    const { outcome } = await send(answer(400, body))
    expect(outcome).toEqual({ kind: 'refused', reason: '400: Invalid type. (custom_args)' })
  })

  it.each([{}, { field: null }])('keeps it without a field: %j', async (extra) => {
    const { outcome } = await send(
      answer(401, errors({ message: 'authorization required', ...extra })),
    )
    expect(outcome).toEqual({ kind: 'refused', reason: '401: authorization required' })
  })

  it('F12: keeps it without addresses', async () => {
    const message = 'The address ada@example.com is on a list. Ask <support@sendgrid.com>.'
    const { outcome } = await send(answer(400, errors({ message, field: 'to ada@example.com' })))
    expect(JSON.stringify(outcome)).not.toMatch(/ada|support@/)
    expect(outcome).toMatchObject({ reason: expect.stringContaining('is on a list') })
  })

  it.each([
    ['an HTML page', '<html>502 Bad Gateway ada@example.com</html>'],
    ['nothing', ''],
    ['JSON of another shape', '{"error":"ada@example.com"}'],
    ['an empty list', '{"errors":[]}'],
    ['a message that is no text', '{"errors":[{"message":{"a":1}}]}'],
  ])('is the status alone where the body is %s', async (_, body) => {
    const { outcome } = await send(answer(502, body))
    expect(outcome).toEqual({ kind: 'retry', reason: '502', afterSeconds: null, isPushback: false })
  })

  it('S20: of a full daily or hourly quota waits as long as the provider says', async () => {
    const body = errors({ message: 'too many requests', field: null })
    const reset = String(NOW / 1000 + 90)
    const { outcome } = await send(answer(429, body, { 'X-RateLimit-Reset': reset }))
    expect(outcome).toEqual({
      kind: 'retry',
      reason: '429: too many requests',
      afterSeconds: 90,
      isPushback: true,
    })
  })

  it('is worth another try where the network fails, and does not repeat its words', async () => {
    const { outcome } = await send(() =>
      Promise.reject(new TypeError('no route to ada@example.com with SG.the-key')),
    )
    expect(outcome).toMatchObject({ kind: 'retry', afterSeconds: null, isPushback: false })
    expect(JSON.stringify(outcome)).not.toMatch(/ada|SG\./)
  })

  it('is an outcome and no exception where the network throws at once', async () => {
    const { outcome } = await send(() => {
      throw new Error('no network at all')
    })
    expect(outcome.kind).toBe('retry')
  })

  it('is worth another try where the network is silent, after the time it has and no more', async () => {
    const { outcome, elapsed } = await send(never)
    expect(outcome).toEqual({
      kind: 'retry',
      reason: 'mail_api did not answer in time',
      afterSeconds: null,
      isPushback: false,
    })
    expect(elapsed).toBeGreaterThanOrEqual(TIMEOUT_MS - 5)
    expect(elapsed).toBeLessThan(TIMEOUT_MS + 1000)
  })

  it('frees the connection of a network that is silent', async () => {
    let aborted = false
    await send((request) => {
      request.signal.addEventListener('abort', () => {
        aborted = true
      })
      return never()
    })
    expect(aborted).toBe(true)
  })

  it('is bounded where the headers come and the body does not', async () => {
    const { outcome, elapsed } = await send(answer(500, new ReadableStream()))
    expect(outcome).toMatchObject({ kind: 'retry' })
    expect(elapsed).toBeLessThan(TIMEOUT_MS + 1000)
  })
})
