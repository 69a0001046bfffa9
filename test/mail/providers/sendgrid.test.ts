// The adapter against SendGrid's published reference:
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors
// and, for several mails, against the development mailbox, which fills in substitutions as the reference says.

import { describe, expect, it } from 'vitest'
import { mailsOf } from '../../../src/dev/mail-send-api.ts'
import { parseMailSend } from '../../../src/dev/mail-send-schema.ts'
import {
  blankFor,
  type FormLetter,
  fillIn,
  renderForm,
} from '../../../src/mail/messages/form-letter.ts'
import type { MailContent } from '../../../src/mail/messages/render-message.ts'
import type { OutgoingMail } from '../../../src/mail/providers/provider.ts'
import { createSendGrid } from '../../../src/mail/providers/sendgrid.ts'
import {
  accepted,
  answer,
  BAD_BODIES,
  FORM,
  FROM,
  LOST,
  mails,
  mailTo,
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

const KEY = 'SG.the-key'
const mail = mailTo('ada@example.com')

async function sendAll(network: Network, batch: readonly OutgoingMail[]) {
  const { seen, fetch } = watch(network)
  const provider = createSendGrid({
    baseUrl: 'https://api.sendgrid.com',
    apiKey: KEY,
    from: FROM,
    timeoutMs: TIMEOUT_MS,
    fetch,
    now: () => NOW,
  })
  const started = Date.now()
  const outcomes = await provider.send(batch, 'unused')
  return { outcomes, ...seen, elapsed: Date.now() - started }
}

async function send(network: Network) {
  const sent = await sendAll(network, [mail])
  expect(sent.outcomes).toHaveLength(1)
  return { ...sent, outcome: sent.outcomes[0] }
}

interface Body {
  readonly personalizations: {
    readonly to: { readonly email: string }[]
    readonly custom_args: Record<string, string>
    readonly substitutions?: Record<string, string>
  }[]
}

const bodyOf = (request: Request | undefined): Promise<Body> =>
  request === undefined ? Promise.reject(new Error('no request')) : request.clone().json()

const errors = (...list: unknown[]) => ({ errors: list })

/** What would arrive, if SendGrid does as its reference says. */
async function arriving(requests: readonly Request[]) {
  const bodies = await Promise.all(requests.map((request) => request.clone().json()))
  return bodies.flatMap((body) => {
    const parsed = parseMailSend(body)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors))
    return mailsOf(parsed.body, 'id', NOW)
  })
}

describe('S2: the request of one mail', () => {
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
      subject: 'Confirm your e-mail address for Example',
      content: [
        { type: 'text/plain', value: fillIn(mail).text },
        { type: 'text/html', value: fillIn(mail).html },
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
    const { content, ...around } = JSON.parse((await requests[0]?.text()) ?? '')
    expect(content[0].value).toContain(mail.values.url)
    expect(JSON.stringify(around).split(mail.to)).toHaveLength(2)
    expect(around.personalizations[0].custom_args).toEqual({ message_id: mail.id })
    expect(around).not.toHaveProperty('custom_args')
    expect(around.tracking_settings.click_tracking).toEqual({ enable: false, enable_text: false })
  })

  it('F12: does not follow redirects: they would carry the key and the link to another host', async () => {
    const { outcome, requests } = await send(
      answer(307, null, { Location: 'https://elsewhere.example/v3/mail/send' }),
    )
    expect(requests).toHaveLength(1)
    expect(requests[0]?.redirect).toBe('manual')
    expect(outcome).toEqual(refused('307'))
  })
})

describe('S2: the request of several mails', () => {
  it('is one, with the form once and a personalization for each', async () => {
    const batch = mails(2)
    const { requests, outcomes } = await sendAll(
      answer(202, null, { 'X-Message-Id': 'sg-1' }),
      batch,
    )
    expect(outcomes).toEqual([accepted('sg-1'), accepted('sg-1')])
    expect(requests).toHaveLength(1)
    expect(await requests[0]?.json()).toEqual({
      personalizations: batch.map((one) => ({
        to: [{ email: one.to }],
        custom_args: { message_id: one.id },
        substitutions: expect.any(Object),
      })),
      from: { email: 'noreply@example.com', name: 'Example' },
      subject: FORM.subject,
      content: [
        { type: 'text/plain', value: FORM.text },
        { type: 'text/html', value: FORM.html },
      ],
      headers: { 'Auto-Submitted': 'auto-generated' },
      tracking_settings: {
        click_tracking: { enable: false, enable_text: false },
        open_tracking: { enable: false },
        subscription_tracking: { enable: false },
      },
    })
  })

  it('gives each its own text and HTML, to the last character', async () => {
    const values = { address: `$& $1 \\ "ü" 🎉`, url: '$`&<a>', disownUrl: "'$'" }
    const odd = { ...mailTo('odd@example.com', 100), values }
    const batch = [...mails(99), odd]
    const { requests } = await sendAll(answer(202), batch)
    expect(requests).toHaveLength(1)
    const arrived = await arriving(requests)
    expect(
      arrived.map(({ to, subject, text, html, customArgs }) => ({
        id: customArgs.message_id,
        to: to.email,
        subject,
        text,
        html,
      })),
    ).toEqual(batch.map((one) => ({ id: one.id, to: one.to, ...fillIn(one) })))
  })

  it('leaves out what might exceed 10,000 bytes: that goes by itself, plain', async () => {
    const [small, other] = mails(2)
    if (small === undefined || other === undefined) throw new Error('two mails')
    const long = {
      ...mailTo('long@example.com', 9),
      values: { ...small.values, url: 'é'.repeat(2500) },
    }
    const { requests } = await sendAll(answer(202), [small, long, other])
    const bodies = await Promise.all(requests.map(bodyOf))
    expect(bodies.map((body) => body.personalizations.map(({ to }) => to[0]?.email))).toEqual([
      [small.to, other.to],
      [long.to],
    ])
    expect(bodies[1]?.personalizations[0]).not.toHaveProperty('substitutions')
    expect(await arriving(requests)).toHaveLength(3)
  })

  it.each(['en', 'de'] as const)(
    'is one for each kind of mail, also of the longest that we send (%s)',
    async (locale) => {
      const brand = { appName: 'A'.repeat(100), color: '#1f5fbf', supportEmail: 'help@example.com' }
      const [url, disownUrl, newAddress] = [
        blankFor('url'),
        blankFor('disownUrl'),
        blankFor('newAddress'),
      ]
      const ttlMs = 86_400_000
      const contents: MailContent[] = [
        { kind: 'verify_email', url, ttlMs, disownUrl },
        { kind: 'account_exists', signInUrl: url, forgotUrl: url },
        { kind: 'reset_after_undo', url, ttlMs },
        { kind: 'change_email', url, ttlMs },
        { kind: 'email_change_notice', newAddress, undoUrl: url, ttlMs },
        { kind: 'password_changed_notice', forgotUrl: url },
      ]
      const link = `https://accounts.some-long-name.example.com/auth/verify-email?token=${'x'.repeat(400)}`
      const forms = contents.map((content) => renderForm(brand, locale, content))
      const batch = [0, 1].flatMap((n) =>
        forms.map((form, i) => {
          const address = `${'a'.repeat(60)}${n}${i}@example.com`
          const values = { address, newAddress: `b${n}@example.com`, url: link, disownUrl: link }
          return { ...mailTo(address, n * 10 + i, form), values }
        }),
      )
      const { requests, outcomes } = await sendAll(answer(202), batch)
      expect(outcomes).toEqual(batch.map(() => accepted(null)))
      expect(requests).toHaveLength(contents.length)
      const arrived = await arriving(requests)
      expect(new Map(arrived.map(({ to, text, html }) => [to.email, { text, html }]))).toEqual(
        new Map(
          batch.map((one) => {
            const { text, html } = fillIn(one)
            return [one.to, { text, html }]
          }),
        ),
      )
    },
  )

  it('never has substitutions of more than 10,000 bytes', async () => {
    const form: FormLetter = { ...FORM, text: blankFor('url'), html: 'x', blanks: ['url'] }
    const sized = (n: number) => ({
      ...mailTo(`p${n}@example.com`, n, form),
      values: { url: '☃'.repeat(n) },
    })
    const batch = Array.from({ length: 40 }, (_, i) => sized(1400 + i * 10))
    const { requests } = await sendAll(answer(202), batch)
    const bodies = await Promise.all(requests.map(bodyOf))
    const used = bodies.flatMap(({ personalizations }) =>
      personalizations.flatMap(({ substitutions }) => (substitutions ? [substitutions] : [])),
    )
    const sizes = used.map(
      (one) => new TextEncoder().encode(Object.entries(one).flat().join('')).length,
    )
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10_000)
    expect(Math.max(...sizes)).toBeGreaterThan(9_500)
    expect(await arriving(requests)).toHaveLength(40)
  })

  it('has each address once: the reference forbids it twice', async () => {
    const batch = ['a@example.com', 'b@example.com', 'A@example.com'].map((to, i) => mailTo(to, i))
    const { requests } = await sendAll(answer(202), batch)
    const bodies = await Promise.all(requests.map(bodyOf))
    expect(bodies.map((body) => body.personalizations.map(({ to }) => to[0]?.email))).toEqual([
      ['a@example.com', 'b@example.com'],
      ['A@example.com'],
    ])
  })

  it('does without tags in a mail that is filled with one: its address could be any', async () => {
    const [first, second] = mails(2)
    if (first === undefined || second === undefined) throw new Error('two mails')
    const address = `${blankFor('url')}@example.com`
    const sly = { ...mailTo(address, 5), values: { ...first.values, address } }
    const { requests } = await sendAll(answer(202), [first, sly, second])
    expect(requests).toHaveLength(2)
    expect((await arriving(requests)).map(({ text, html }) => ({ text, html }))).toEqual(
      [first, second, sly].map((one) => {
        const { text, html } = fillIn(one)
        return { text, html }
      }),
    )
    expect(fillIn(sly).text).toContain(address)
  })

  it('is not made for no mail', async () => {
    expect(await sendAll(answer(202), [])).toMatchObject({ outcomes: [], requests: [] })
  })
})

describe('a call of several that is refused', () => {
  /** Refuses whatever has this recipient in it. */
  const refusing =
    (to: string, status = 400): Network =>
    async (request) => {
      const { personalizations } = await bodyOf(request)
      const place = personalizations.findIndex((one) => one.to[0]?.email === to)
      return place === -1
        ? new Response(null, { status: 202, headers: { 'X-Message-Id': 'sg-1' } })
        : Response.json(
            errors({
              message: 'Does not contain a valid address.',
              field: `personalizations.${place}.to.0.email`,
            }),
            { status },
          )
    }

  it.each([400, 413])('for one of them (%i) is taken apart, at most 4 at once', async (status) => {
    const batch = mails(20)
    const network = refusing('person7@example.com', status)
    const { outcomes, requests, most } = await sendAll(async (request, nth) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      return network(request, nth)
    }, batch)
    expect(requests).toHaveLength(21)
    expect(most).toBeLessThanOrEqual(4)
    const reason = `${status}: Does not contain a valid address. (personalizations.0.to.0.email)`
    expect(outcomes).toEqual(batch.map((_, i) => (i === 7 ? refused(reason) : accepted('sg-1'))))
  })

  it.each([
    [401, refused('401', true)],
    [403, refused('403', true)],
    [404, refused('404', true)],
    [503, pushback('503')],
  ])('for all of them (%i) is not repeated', async (status, outcome) => {
    const { outcomes, requests } = await sendAll(answer(status), mails(5))
    expect(requests).toHaveLength(1)
    expect(outcomes).toEqual(Array(5).fill(outcome))
  })

  it('stops being taken apart when the provider pushes back: the rest was not accepted', async () => {
    const { outcomes, requests } = await sendAll(
      (_, nth) => new Response(null, { status: nth === 1 ? 400 : nth === 2 ? 202 : 500 }),
      mails(50),
    )
    expect(requests.length).toBeLessThanOrEqual(6)
    expect(outcomes).toHaveLength(50)
    expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(1)
    expect(outcomes[49]).toEqual(pushback('500'))
    expect(outcomes[1]).toMatchObject({ kind: 'retry', mayBeAccepted: true })
  })

  it('is one outcome for all where the answer is lost', async () => {
    const { outcomes, requests } = await sendAll(never, mails(3))
    expect(requests).toHaveLength(1)
    expect(outcomes).toEqual([SILENT, SILENT, SILENT])
  })
})

describe('S8: acceptance', () => {
  it.each([200, 201, 202, 204])('is any 2xx, with its message id: %i', async (status) => {
    const { outcome } = await send(answer(status, null, { 'X-Message-Id': 'sg-1' }))
    expect(outcome).toEqual(accepted('sg-1'))
  })

  it.each([200, 202])('does not need a message id: %i', async (status) => {
    const { outcome } = await send(answer(status, 'ok'))
    expect(outcome).toEqual(accepted(null))
  })

  it.each(BAD_BODIES)(
    'holds where the body %s: to send again would be a second copy',
    async (_, body) => {
      const { outcome } = await send(
        () => new Response(body(), { status: 202, headers: { 'X-Message-Id': 'sg-1' } }),
      )
      expect(outcome).toEqual(accepted('sg-1'))
    },
  )
})

describe('S3: a failure', () => {
  it('keeps what the provider said, with the field', async () => {
    const body = errors({ message: 'Invalid type.', field: 'custom_args', help: 'https://…' })
    const { outcome } = await send(answer(400, body))
    expect(outcome).toEqual(refused('400: Invalid type. (custom_args)'))
  })

  it.each([{}, { field: null }])('keeps it without a field: %j', async (extra) => {
    const { outcome } = await send(
      answer(401, errors({ message: 'authorization required', ...extra })),
    )
    expect(outcome).toEqual(refused('401: authorization required', true))
  })

  it('F12: keeps it without addresses and without the key', async () => {
    const message = `The address ada@example.com is on a list. Ask <support@sendgrid.com>. Your ${KEY}!`
    const { outcome } = await send(answer(400, errors({ message, field: 'to ada@example.com' })))
    expect(JSON.stringify(outcome)).not.toMatch(/ada|support@|the-key/)
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
    expect(outcome).toEqual({ ...LOST, reason: '502' })
  })

  it('S20: of too many requests waits as long as the provider says', async () => {
    const body = errors({ message: 'too many requests', field: null })
    const reset = String(NOW / 1000 + 90)
    const { outcome } = await send(answer(429, body, { 'X-RateLimit-Reset': reset }))
    expect(outcome).toEqual(pushback('429: too many requests', 90))
  })

  it('S20: of used-up credits is no refusal of the key: the next day brings new ones', async () => {
    // As in https://github.com/sendgrid/sendgrid-nodejs/issues/1032
    const body = errors({ message: 'Maximum credits exceeded', field: null, help: null })
    const { outcomes } = await sendAll(answer(401, body), mails(2))
    const outcome = pushback('401: Maximum credits exceeded', SECONDS_LEFT_TODAY)
    expect(outcomes).toEqual([outcome, outcome])
  })

  it('is worth another try where the network fails, and does not repeat its words', async () => {
    const { outcome } = await send(() =>
      Promise.reject(new TypeError('no route to ada@example.com with SG.the-key')),
    )
    expect(outcome).toEqual(LOST)
  })

  it('is an outcome and no exception where the network throws at once', async () => {
    const { outcome } = await send(() => {
      throw new Error('no network at all')
    })
    expect(outcome).toEqual(LOST)
  })

  it('is worth another try where the network is silent, after the time it has and no more', async () => {
    const { outcome, elapsed } = await send(never)
    expect(outcome).toEqual(SILENT)
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

  it.each(BAD_BODIES)('is bounded where the body %s', async (_, body) => {
    const { outcome, elapsed } = await send(streaming(500, body))
    expect(outcome).toEqual({ ...LOST, reason: '500' })
    expect(elapsed).toBeLessThan(TIMEOUT_MS + 1000)
  })
})
