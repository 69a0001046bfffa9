// The adapter against Postmark's published reference; answers are those of its pages:
// https://postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails
// https://postmarkapp.com/developer/api/email-api
// https://postmarkapp.com/developer/api/overview#error-codes

import { describe, expect, it } from 'vitest'
import { fillIn } from '../../../src/mail/messages/form-letter.ts'
import { createPostmark } from '../../../src/mail/providers/postmark.ts'
import type { OutgoingMail } from '../../../src/mail/providers/provider.ts'
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

const TOKEN = 'the-server-token'

async function send(network: Network, batch: readonly OutgoingMail[]) {
  const { seen, fetch } = watch(network)
  const provider = createPostmark({
    baseUrl: 'https://api.postmarkapp.com',
    serverToken: TOKEN,
    from: FROM,
    timeoutMs: TIMEOUT_MS,
    fetch,
    now: () => NOW,
  })
  const outcomes = await provider.send(batch, 'unused')
  return { outcomes, ...seen }
}

const OK = {
  ErrorCode: 0,
  Message: 'OK',
  MessageID: 'b7bc2f4a-e38e-4336-af7d-e6c392c2f817',
  SubmittedAt: '2010-11-26T12:01:05.1794748-05:00',
  To: 'receiver1@example.com',
}
const INACTIVE = {
  ErrorCode: 406,
  Message:
    'You tried to send to a recipient that has been marked as inactive. Found inactive addresses: example@example.com. Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression. ',
}

describe('S2: the request', () => {
  it('is a POST of a JSON array to /email/batch with the token in its header', async () => {
    const { requests } = await send(answer(200, [OK, OK]), mails(2))
    expect(requests).toHaveLength(1)
    const [request] = requests
    expect(request?.url).toBe('https://api.postmarkapp.com/email/batch')
    expect(request?.method).toBe('POST')
    expect(request?.redirect).toBe('manual')
    expect(Object.fromEntries(request?.headers ?? [])).toEqual({
      accept: 'application/json',
      'content-type': 'application/json',
      'x-postmark-server-token': TOKEN,
    })
    expect(await request?.json()).toEqual(
      mails(2).map((mail) => ({
        From: 'Example <noreply@example.com>',
        To: mail.to,
        Subject: fillIn(mail).subject,
        TextBody: fillIn(mail).text,
        HtmlBody: fillIn(mail).html,
        MessageStream: 'outbound',
        TrackOpens: false,
        TrackLinks: 'None',
        Headers: [{ Name: 'Auto-Submitted', Value: 'auto-generated' }],
        Metadata: { message_id: mail.id },
      })),
    )
  })

  it('F12: does not follow redirects', async () => {
    const { requests, outcomes } = await send(
      answer(302, null, { Location: 'https://elsewhere.example/' }),
      mails(1),
    )
    expect(requests).toHaveLength(1)
    expect(outcomes).toEqual([refused('302')])
  })

  it('is not made for no mail', async () => {
    expect(await send(answer(200, []), [])).toMatchObject({ outcomes: [], requests: [] })
  })
})

describe('S8: results, one a mail', () => {
  it('are acceptance with an id, or a refusal, though the call is answered with 200', async () => {
    const other = { ...OK, MessageID: 'e2ecbbfc-fe12-463d-b933-9fe22915106d' }
    const { outcomes } = await send(answer(200, [OK, INACTIVE, other]), mails(3))
    expect(outcomes).toEqual([
      accepted(OK.MessageID),
      refused(
        'error 406: You tried to send to a recipient that has been marked as inactive. Found inactive addresses: <address> Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression. ',
      ),
      accepted(other.MessageID),
    ])
  })

  it.each([300, 402, 403, 406, 409, 410, 411, 9999])(
    'are a refusal of the mail: %i',
    async (code) => {
      const { outcomes } = await send(
        answer(200, [OK, { ErrorCode: code, Message: 'No.' }]),
        mails(2),
      )
      expect(outcomes).toEqual([accepted(OK.MessageID), refused(`error ${code}: No.`)])
    },
  )

  it.each([10, 400, 401, 412, 413, 422, 1235, 1236, 1480])(
    'are a refusal of the account: %i',
    async (code) => {
      const { outcomes } = await send(answer(200, [{ ErrorCode: code, Message: 'No.' }]), mails(1))
      expect(outcomes).toEqual([refused(`error ${code}: No.`, true)])
    },
  )

  it.each([
    [100, pushback('error 100: No.')],
    [101, { ...LOST, reason: 'error 101: No.' }],
    [429, pushback('error 429: No.')],
    [405, pushback('error 405: No.', SECONDS_LEFT_TODAY)],
  ])('S20: are trouble of the provider: %i', async (code, outcome) => {
    const { outcomes } = await send(answer(200, [{ ErrorCode: code, Message: 'No.' }]), mails(1))
    expect(outcomes).toEqual([outcome])
  })

  it('are acceptance where one cannot be read, of that one alone', async () => {
    const { outcomes } = await send(answer(200, ['?', INACTIVE, { ErrorCode: 'x' }]), mails(3))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['accepted', 'refused', 'accepted'])
  })

  it.each([
    ['no JSON', 'OK'],
    ['nothing', null],
    ['not a list', OK],
    ['too short', [INACTIVE]],
    ['too long', [INACTIVE, INACTIVE, INACTIVE]],
  ])('are acceptance with unknown ids where the body is %s', async (_, body) => {
    const { outcomes } = await send(answer(200, body), mails(2))
    expect(outcomes).toEqual([accepted(null), accepted(null)])
  })

  it.each(BAD_BODIES)('are acceptance where the body %s', async (_, body) => {
    const { outcomes } = await send(streaming(200, body), mails(2))
    expect(outcomes).toEqual([accepted(null), accepted(null)])
  })
})

describe('S3: a failure of the call', () => {
  it.each([
    [401, { ErrorCode: 10, Message: 'Bad token.' }, refused('401: Bad token.', true)],
    [401, null, refused('401', true)],
    [403, '<html>403 Forbidden</html>', refused('403', true)],
    [422, { ErrorCode: 413, Message: 'No.' }, refused('422: error 413: No.', true)],
    [
      422,
      { ErrorCode: 405, Message: 'details' },
      pushback('422: error 405: details', SECONDS_LEFT_TODAY),
    ],
    [429, null, pushback('429')],
    [503, { ErrorCode: 100, Message: 'Maintenance.' }, pushback('503: Maintenance.')],
    [500, { ErrorCode: 101, Message: 'Sorry.' }, { ...LOST, reason: '500: Sorry.' }],
    [404, null, refused('404', true)],
  ])('%i %j is the same for all mails, and is not repeated', async (status, body, outcome) => {
    const { outcomes, requests } = await send(answer(status, body), mails(3))
    expect(requests).toHaveLength(1)
    expect(outcomes).toEqual([outcome, outcome, outcome])
  })

  it('F12: is told without addresses and without the token', async () => {
    const body = { ErrorCode: 10, Message: `${TOKEN} is not for ada@example.com` }
    const { outcomes } = await send(answer(401, body), mails(1))
    expect(outcomes).toEqual([refused('401: <key> is not for <address>', true)])
  })

  it('is worth another try where nobody answers, or nobody in time', async () => {
    const broken = await send(() => Promise.reject(new Error('ada@example.com')), mails(2))
    expect(broken.outcomes).toEqual([LOST, LOST])
    expect((await send(never, mails(2))).outcomes).toEqual([SILENT, SILENT])
  })

  it.each(BAD_BODIES)('is bounded where the body %s', async (_, body) => {
    const { outcomes } = await send(streaming(500, body), mails(1))
    expect(outcomes).toEqual([{ ...LOST, reason: '500' }])
  })

  it.each([
    [413, null],
    [422, { ErrorCode: 403, Message: 'Invalid request field(s).' }],
  ])('%i that may be for one mail is taken apart, at most 4 at once', async (status, body) => {
    const { outcomes, requests, most } = await send(async (request) => {
      const list = await request.json<{ To: string }[]>()
      await new Promise((resolve) => setTimeout(resolve, 1))
      return list.some(({ To }) => To === 'person2@example.com')
        ? Response.json(body, { status })
        : Response.json(list.map(({ To }) => ({ ...OK, MessageID: `pm-${To}` })))
    }, mails(12))
    expect(requests).toHaveLength(13)
    expect(most).toBeLessThanOrEqual(4)
    expect(outcomes).toEqual(
      mails(12).map(({ to }, i) =>
        i === 2
          ? {
              kind: 'refused',
              reason: expect.stringContaining(`${status}`),
              isAccountRefused: false,
            }
          : accepted(`pm-${to}`),
      ),
    )
  })
})
