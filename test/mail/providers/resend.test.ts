// The adapter against Resend's published reference; answers are those of its pages:
// https://resend.com/docs/api-reference/emails/send-batch-emails
// https://resend.com/docs/api-reference/emails/send-email
// https://resend.com/docs/api-reference/errors
// https://resend.com/changelog/batch-validation-modes

import { describe, expect, it } from 'vitest'
import { fillIn } from '../../../src/mail/messages/form-letter.ts'
import type { OutgoingMail } from '../../../src/mail/providers/provider.ts'
import { createResend } from '../../../src/mail/providers/resend.ts'
import {
  accepted,
  answer,
  BAD_BODIES,
  FROM,
  LOST,
  mails,
  type Network,
  NOW,
  never,
  pushback,
  refused,
  SECONDS_LEFT_TODAY,
  SILENT,
  streaming,
  TIMEOUT_MS,
  watch,
} from './networks.ts'

const API_KEY = 're_the_key'
const KEY = '0198c0de-1111-7000-8000-000000000001'

async function send(network: Network, batch: readonly OutgoingMail[], from = FROM) {
  const { seen, fetch } = watch(network)
  const provider = createResend({
    baseUrl: 'https://api.resend.com',
    apiKey: API_KEY,
    from,
    timeoutMs: TIMEOUT_MS,
    fetch,
    now: () => NOW,
  })
  const outcomes = await provider.send(batch, KEY)
  return { outcomes, ...seen }
}

const FIRST = 'ae2014de-c168-4c61-8267-70d2662a1ce1'
const SECOND = 'faccb7a5-8a28-4e9a-ac64-8da1cc3bc1cb'
const SENT = { data: [{ id: FIRST }, { id: SECOND }] }
const error = (statusCode: number, name: string, message: string, headers = {}) =>
  answer(statusCode, { statusCode, name, message }, headers)

describe('S2: the request', () => {
  it('is a POST of a JSON array to /emails/batch, under the key of the call, permissive', async () => {
    const { requests } = await send(answer(200, SENT), mails(2))
    expect(requests).toHaveLength(1)
    const [request] = requests
    expect(request?.url).toBe('https://api.resend.com/emails/batch')
    expect(request?.method).toBe('POST')
    expect(Object.fromEntries(request?.headers ?? [])).toEqual({
      authorization: 'Bearer re_the_key',
      'content-type': 'application/json',
      'idempotency-key': KEY,
      'x-batch-validation': 'permissive',
    })
    expect(await request?.json()).toEqual(
      mails(2).map((mail) => ({
        from: 'Example <noreply@example.com>',
        to: [mail.to],
        ...fillIn(mail),
        headers: { 'Auto-Submitted': 'auto-generated' },
        tags: [{ name: 'message_id', value: mail.id }],
      })),
    )
  })

  it('has a tag of the characters that a tag may have, by which reports find their mail', async () => {
    const { requests } = await send(answer(200, SENT), mails(2))
    const body = await requests[0]?.json<{ tags: { name: string; value: string }[] }[]>()
    for (const { tags } of body ?? []) {
      for (const { name, value } of tags)
        expect(`${name}${value}`).toMatch(/^[A-Za-z0-9_-]{1,256}$/)
    }
  })

  it('F8: is the same endpoint for what is left of a call, even if that is one mail: the key must meet itself', async () => {
    const { requests, outcomes } = await send(answer(200, { data: [{ id: FIRST }] }), mails(1))
    expect(requests[0]?.url).toBe('https://api.resend.com/emails/batch')
    expect(requests[0]?.headers.get('Idempotency-Key')).toBe(KEY)
    expect(outcomes).toEqual([accepted(FIRST)])
  })

  it.each([
    ['Ada & Söhne', 'Ada & Söhne <noreply@example.com>'],
    ['Acme, Inc. <evil@example.net>', '"Acme, Inc. <evil@example.net>" <noreply@example.com>'],
    ['The "A\\B"', '"The \\"A\\\\B\\"" <noreply@example.com>'],
  ])('names the sender %j so that it stays one address', async (name, expected) => {
    const { requests } = await send(answer(200, SENT), mails(2), { ...FROM, name })
    const [first] = (await requests[0]?.json<{ from: string }[]>()) ?? []
    expect(first?.from).toBe(expected)
  })

  it('F12: does not follow redirects', async () => {
    const { requests, outcomes } = await send(
      answer(308, null, { Location: 'https://elsewhere.example/' }),
      mails(2),
    )
    expect(requests.map(({ redirect }) => redirect)).toEqual(['manual'])
    expect(outcomes).toEqual([refused('308'), refused('308')])
  })

  it('is not made for no mail', async () => {
    expect(await send(answer(200, SENT), [])).toMatchObject({ outcomes: [], requests: [] })
  })
})

describe('S8: acceptance', () => {
  it('gives the ids in the order of the mails', async () => {
    const { outcomes } = await send(answer(200, SENT), mails(2))
    expect(outcomes).toEqual([accepted(FIRST), accepted(SECOND)])
  })

  it('of all but one: the ids are those of the others', async () => {
    const body = { ...SENT, errors: [{ index: 1, message: 'The `to` field is missing.' }] }
    const { outcomes, requests } = await send(answer(200, body), mails(3))
    expect(requests).toHaveLength(1)
    expect(outcomes).toEqual([
      accepted(FIRST),
      refused('The `to` field is missing.'),
      accepted(SECOND),
    ])
  })

  it('is not doubted where ids are missing, and no id is given to the wrong mail', async () => {
    const { outcomes } = await send(answer(200, SENT), mails(3))
    expect(outcomes).toEqual([accepted(null), accepted(null), accepted(null)])
  })

  it.each([
    ['no JSON', 'OK'],
    ['nothing', null],
    ['of another shape', { id: FIRST }],
    ['a list', [FIRST]],
    ['ids that are no text', { data: [{ id: 1 }, { id: 2 }] }],
  ])('holds where the body is %s', async (_, body) => {
    const { outcomes } = await send(answer(200, body), mails(2))
    expect(outcomes).toEqual([accepted(null), accepted(null)])
  })

  it.each(BAD_BODIES)('holds where the body %s', async (_, body) => {
    const { outcomes } = await send(streaming(200, body), mails(2))
    expect(outcomes).toEqual([accepted(null), accepted(null)])
  })

  it('F8: is what "used before with another payload" means: links are minted anew each time', async () => {
    const network = error(
      409,
      'invalid_idempotent_request',
      'Same idempotency key used with a different request payload.',
    )
    const { outcomes } = await send(network, mails(2))
    expect(outcomes).toEqual([accepted(null), accepted(null)])
  })
})

describe('S3: a failure', () => {
  it("F8: is nobody's while the first call under the key is still at work", async () => {
    const message = 'Same idempotency key used while original request is still in progress.'
    const { outcomes } = await send(error(409, 'concurrent_idempotent_requests', message), mails(1))
    expect(outcomes).toEqual([
      {
        kind: 'retry',
        reason: `409: concurrent_idempotent_requests: ${message}`,
        afterSeconds: null,
        isProviderDown: false,
        mayBeAccepted: true,
      },
    ])
  })

  it.each([
    [{ 'retry-after': '3', 'ratelimit-reset': '1' }, 3],
    [{ 'ratelimit-reset': '2' }, 2],
    [{ 'ratelimit-reset': 'soon' }, null],
    [{}, null],
  ])('S20: of too many requests waits as long as %j says', async (headers, seconds) => {
    const { outcomes } = await send(
      error(429, 'rate_limit_exceeded', 'Too many requests.', headers),
      mails(1),
    )
    expect(outcomes).toEqual([pushback('429: rate_limit_exceeded: Too many requests.', seconds)])
  })

  it.each([
    ['daily_quota_exceeded', 'You have reached your daily email quota.'],
    ['monthly_quota_exceeded', 'You have reached your monthly email quota.'],
  ])(
    'S20: of a used-up quota (%s) waits for the next day, whatever the headers say',
    async (name, message) => {
      const { outcomes } = await send(
        error(429, name, message, { 'retry-after': '1', 'ratelimit-reset': '1' }),
        mails(1),
      )
      expect(outcomes).toEqual([pushback(`429: ${name}: ${message}`, SECONDS_LEFT_TODAY)])
    },
  )

  it.each([
    [401, 'missing_api_key', 'Missing API key in the authorization header.'],
    [401, 'restricted_api_key', 'This API key is restricted to only send emails.'],
    [403, 'invalid_api_key', 'API key is invalid.'],
    [403, 'validation_error', 'The `domain.com` domain is not verified.'],
    [422, 'invalid_from_address', 'Invalid `from` field.'],
  ])(
    'of the account (%i %s) is told as one, and is not repeated',
    async (status, name, message) => {
      const { outcomes, requests } = await send(error(status, name, message), mails(3))
      expect(requests).toHaveLength(1)
      expect(outcomes).toEqual(Array(3).fill(refused(`${status}: ${name}: ${message}`, true)))
    },
  )

  it.each([
    [500, 'application_error'],
    [500, 'internal_server_error'],
  ])('of the provider (%i %s) may be an acceptance', async (status, name) => {
    const { outcomes } = await send(error(status, name, 'An unexpected error occurred.'), mails(1))
    expect(outcomes).toEqual([
      { ...LOST, reason: `${status}: ${name}: An unexpected error occurred.` },
    ])
  })

  it.each([400, 410, 422, 451])('of a mail is a refusal: %i', async (status) => {
    const { outcomes } = await send(answer(status, 'no JSON'), mails(1))
    expect(outcomes).toEqual([refused(String(status))])
  })

  it('F12: is told without addresses and without the key', async () => {
    const { outcomes } = await send(
      error(403, 'invalid_api_key', `${API_KEY} is not for ada@example.com`),
      mails(1),
    )
    expect(outcomes).toEqual([refused('403: invalid_api_key: <key> is not for <address>', true)])
    const inside = { data: [], errors: [{ index: 0, message: 'Invalid `to`: ada@example.com' }] }
    expect((await send(answer(200, inside), mails(1))).outcomes).toEqual([
      refused('Invalid `to`: <address>'),
    ])
  })

  it('is worth another try where nobody answers, or nobody in time', async () => {
    const broken = await send(() => Promise.reject(new Error('ada@example.com')), mails(2))
    expect(broken.outcomes).toEqual([LOST, LOST])
    expect((await send(never, mails(2))).outcomes).toEqual([SILENT, SILENT])
  })

  it.each(BAD_BODIES)('is bounded where the body %s', async (_, body) => {
    const { outcomes } = await send(streaming(502, body), mails(1))
    expect(outcomes).toEqual([{ ...LOST, reason: '502' }])
  })
})

describe('a call of several that is refused whole', () => {
  const BAD = 'person1@example.com'
  const network: Network = async (request) => {
    if (request.url.endsWith('/batch')) return new Response(null, { status: 422 })
    const { to, tags } = await request.json<{ to: string[]; tags: { value: string }[] }>()
    return to[0] === BAD
      ? Response.json({ name: 'validation_error', message: 'Invalid `to` field.' }, { status: 422 })
      : Response.json({ id: `resend-${tags[0]?.value}` })
  }

  it('is taken apart, each mail to /emails with an outcome of its own', async () => {
    const batch = mails(4)
    const { outcomes, requests, most } = await send(network, batch)
    expect(requests.slice(1).map(({ url }) => url)).toEqual(
      Array(4).fill('https://api.resend.com/emails'),
    )
    expect(most).toBeLessThanOrEqual(4)
    expect(outcomes).toEqual(
      batch.map(({ id, to }) =>
        to === BAD
          ? refused('422: validation_error: Invalid `to` field.')
          : accepted(`resend-${id}`),
      ),
    )
  })

  it('F8: under keys that are the same when it is repeated, each for one mail', async () => {
    const keysOf = (requests: readonly Request[]) =>
      requests.map(({ headers }) => headers.get('Idempotency-Key'))
    const first = keysOf((await send(network, mails(4))).requests)
    expect(new Set(first).size).toBe(5)
    for (const key of first) expect(key?.length).toBeLessThanOrEqual(256)
    expect(keysOf((await send(network, mails(4))).requests)).toEqual(first)
    expect(first).toEqual(expect.arrayContaining(keysOf((await send(network, mails(2))).requests)))
  })

  it('stops at pushback', async () => {
    const { outcomes, requests } = await send(
      (_, nth) => new Response(null, { status: nth === 1 ? 400 : 429 }),
      mails(60),
    )
    expect(requests.length).toBeLessThanOrEqual(5)
    expect(outcomes).toEqual(Array(60).fill(pushback('429')))
  })

  it('is accepted where its single mail has an answer that cannot be read', async () => {
    const { outcomes } = await send(
      (_, nth) => new Response('OK', { status: nth === 1 ? 413 : 200 }),
      mails(2),
    )
    expect(outcomes).toEqual([accepted(null), accepted(null)])
  })
})
