// The mail API of a development Worker against SendGrid's published reference, so that what production would
// refuse is refused on the developer's machine.
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors
import { beforeEach, describe, expect, it } from 'vitest'
import { createHarness, freshAddress, type Harness, type ReceivedMail } from '../support/harness.ts'

const PATH = '/dev/v3/mail/send'
const KEY = 'Bearer SG.a-key-for-tests'

let h: Harness
beforeEach(async () => {
  h = await createHarness()
})

function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return h.fetch(PATH, {
    method: 'POST',
    headers: { Authorization: KEY, 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

const plain = (value = 'Hello') => ({ type: 'text/plain', value })
const html = (value = '<p>Hello</p>') => ({ type: 'text/html', value })

function mailTo(email: string, more: Record<string, unknown> = {}) {
  return {
    personalizations: [{ to: [{ email }] }],
    from: { email: 'noreply@testproof.dev', name: 'Testproof' },
    subject: 'A subject',
    content: [plain(), html()],
    ...more,
  }
}

describe('S2: a mail that is accepted', () => {
  it('is answered with 202, an empty body and X-Message-Id, and lies in the mailbox', async () => {
    const email = freshAddress()
    const response = await post(mailTo(email))
    expect(response.status).toBe(202)
    expect(await response.text()).toBe('')
    expect(response.headers.get('X-Message-Id')).toMatch(/^[\w-]{20,}$/)
    expect(await h.mails(email)).toEqual([
      {
        id: expect.any(String),
        to: email,
        from: 'noreply@testproof.dev',
        subject: 'A subject',
        text: 'Hello',
        html: '<p>Hello</p>',
        received_at: new Date(h.now).toISOString(),
      },
    ])
  })

  it('has an id of its own each time', async () => {
    const ids = new Set<string | null>()
    for (let i = 0; i < 3; i++) {
      ids.add((await post(mailTo(freshAddress()))).headers.get('X-Message-Id'))
    }
    expect(ids.size).toBe(3)
  })

  it('goes to every recipient of every personalization, each with its own words', async () => {
    const [ada, bob, cy, dee] = ['ada', 'bob', 'cy', 'dee'].map(freshAddress)
    const response = await post(
      mailTo('', {
        subject: 'For -name-',
        content: [plain('Dear -name-, -greeting-'), html('<p>-name-</p>')],
        personalizations: [
          { to: [{ email: ada }], substitutions: { '-name-': 'Ada', '-greeting-': "$& and $'" } },
          {
            to: [{ email: bob, name: 'Bob' }],
            cc: [{ email: cy }],
            bcc: [{ email: dee }],
            subject: 'Another one for -name-',
            substitutions: { '-name-': 'Bob' },
          },
        ],
      }),
    )
    expect(response.status).toBe(202)
    const of = async (email = '') => {
      const [{ subject, text, html } = {} as ReceivedMail, ...more] = await h.mails(email)
      expect(more).toEqual([])
      return { subject, text, html }
    }
    expect(await of(ada)).toEqual({
      subject: 'For Ada',
      text: "Dear Ada, $& and $'",
      html: '<p>Ada</p>',
    })
    const bobs = {
      subject: 'Another one for Bob',
      text: 'Dear Bob, -greeting-',
      html: '<p>Bob</p>',
    }
    expect(await of(bob)).toEqual(bobs)
    expect(await of(cy)).toEqual(bobs)
    expect(await of(dee)).toEqual(bobs)
  })

  it.each([
    ['only text', { content: [plain()] }],
    ['only HTML', { content: [html()] }],
    ['a subject in the personalization alone', { subject: undefined, personalizations: 'subject' }],
    ['other members that SendGrid knows', { categories: ['verification'], send_at: 1 }],
    ['a charset after the type', { charset: true }],
  ])('may have %s', async (_what, more) => {
    const email = freshAddress()
    const body: Record<string, unknown> = { ...mailTo(email), ...more }
    if (body.personalizations === 'subject') {
      body.personalizations = [{ to: [{ email }], subject: 'Its own' }]
    }
    const type = 'charset' in more ? 'application/json; charset=utf-8' : 'application/json'
    expect((await post(body, { 'Content-Type': type })).status).toBe(202)
    expect(await h.mails(email)).toHaveLength(1)
  })
})

describe('substitutions', () => {
  it('may have 10,000 bytes in each of up to 1000 personalizations', async () => {
    const email = freshAddress()
    const full = 'x'.repeat(9_994)
    const response = await post(
      mailTo('', {
        content: [plain('-link-')],
        personalizations: [
          ...Array.from({ length: 999 }, (_, i) => ({
            to: [{ email: `crowd-${i}@mail.example` }],
            substitutions: { '-link-': `https://auth.testproof.dev/${i}` },
          })),
          { to: [{ email }], substitutions: { '-link-': full } },
        ],
      }),
    )
    expect(response.status).toBe(202)
    expect((await h.mails(email))[0]?.text === full).toBe(true)
    expect((await h.mails('crowd-998@mail.example'))[0]?.text).toMatch(/\/998$/)
  })
})

describe('a request that is turned away before it is read', () => {
  it.each([
    ['no key', { Authorization: '' }],
    ['another key', { Authorization: 'Bearer SG.another-key' }],
    ['the key and something after it', { Authorization: `${KEY}x` }],
    ['the key without “Bearer”', { Authorization: 'SG.a-key-for-tests' }],
  ])('401 with %s', async (_what, headers) => {
    const email = freshAddress()
    const response = await post(mailTo(email), headers)
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({
      errors: [
        {
          message: 'The provided authorization grant is invalid, expired, or revoked',
          field: null,
          help: null,
        },
      ],
    })
    expect(await h.mails(email)).toEqual([])
  })

  it.each(['Bearer ', 'Bearer', 'Bearer undefined', ''])(
    '401 where no key is configured, also with “%s”',
    async (authorization) => {
      h = await createHarness({
        MAIL_PROVIDERS: 'resend',
        RESEND_API_KEY: 're_key',
        SENDGRID_API_KEY: '',
      })
      const email = freshAddress()
      expect((await post(mailTo(email), { Authorization: authorization })).status).toBe(401)
      expect((await post(mailTo(email))).status).toBe(401)
      expect(await h.mails(email)).toEqual([])
    },
  )

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])(
    '415 for the content type "%s"',
    async (type) => {
      const email = freshAddress()
      const response = await post(mailTo(email), { 'Content-Type': type })
      expect(response.status).toBe(415)
      expect(await response.json()).toEqual({
        errors: [{ message: 'Content-Type should be application/json.', field: null, help: null }],
      })
      expect(await h.mails(email)).toEqual([])
    },
  )

  it('401 comes before 415 and 400: a stranger learns nothing of the rest', async () => {
    const response = await post('{', { Authorization: '', 'Content-Type': 'text/plain' })
    expect(response.status).toBe(401)
  })
})

const ada = { email: 'ada@mail.example' }
const to = [ada]
const many = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ email: `a${i}@mail.example` }))

/** What is wrong, and the field that SendGrid names for it. */
const REFUSED: [string, string | null, unknown][] = [
  ['no JSON', null, '{'],
  ['an empty body', null, ''],
  ['JSON that is no object', null, []],
  ['no personalizations', 'personalizations', mailTo('', { personalizations: undefined })],
  ['an empty list of them', 'personalizations', mailTo('', { personalizations: [] })],
  [
    'more than 1000 of them',
    'personalizations',
    mailTo('', { personalizations: Array(1001).fill({ to: [] }) }),
  ],
  ['one that is no object', 'personalizations.0', mailTo('', { personalizations: ['x'] })],
  ['no recipients', 'personalizations.0.to', mailTo('', { personalizations: [{}] })],
  [
    'an empty list of them',
    'personalizations.0.to',
    mailTo('', { personalizations: [{ to: [] }] }),
  ],
  [
    'a recipient without an address',
    'personalizations.0.to.0.email',
    mailTo('', { personalizations: [{ to: [{ name: 'Ada' }] }] }),
  ],
  ['an address that is none', 'personalizations.0.to.0.email', mailTo('ada@mail')],
  ['an address beyond ASCII', 'personalizations.0.to.0.email', mailTo('gräte@mail.example')],
  [
    'an address of more than 254 characters',
    'personalizations.0.to.0.email',
    mailTo(`ada@${'a'.repeat(250)}.example`),
  ],
  [
    'a wrong address in the second personalization’s cc',
    'personalizations.1.cc.0.email',
    mailTo('', { personalizations: [{ to }, { to, cc: [{ email: 'x' }] }] }),
  ],
  [
    'the same address twice in one personalization, in whatever case',
    'personalizations.0',
    mailTo('', { personalizations: [{ to, bcc: [{ email: 'Ada@mail.example' }] }] }),
  ],
  [
    'more than 1000 recipients',
    'personalizations',
    mailTo('', { personalizations: [{ to: many(600) }, { to: many(401) }] }),
  ],
  ['no sender', 'from', mailTo(ada.email, { from: undefined })],
  ['a sender that is a string', 'from', mailTo(ada.email, { from: 'noreply@testproof.dev' })],
  ['a sender that is no address', 'from.email', mailTo(ada.email, { from: { email: 'nobody' } })],
  ['a wrong reply-to', 'reply_to.email', mailTo(ada.email, { reply_to: { email: 'nobody' } })],
  ['no subject', 'subject', mailTo(ada.email, { subject: undefined })],
  ['an empty subject', 'subject', mailTo(ada.email, { subject: '' })],
  ['a subject of two lines', 'subject', mailTo(ada.email, { subject: 'one\r\nBcc: x@y.example' })],
  [
    'a personalization’s subject of two lines',
    'personalizations.0.subject',
    mailTo('', { personalizations: [{ to, subject: 'one\ntwo' }] }),
  ],
  [
    'no subject in one of two personalizations',
    'subject',
    mailTo('', { subject: undefined, personalizations: [{ to, subject: 'x' }, { to }] }),
  ],
  ['no content', 'content', mailTo(ada.email, { content: undefined })],
  ['an empty list of contents', 'content', mailTo(ada.email, { content: [] })],
  ['an empty text', 'content.0.value', mailTo(ada.email, { content: [plain('')] })],
  ['an empty type', 'content.0.type', mailTo(ada.email, { content: [{ type: '', value: 'x' }] })],
  [
    'a type with parameters',
    'content.0.type',
    mailTo(ada.email, { content: [{ type: 'text/plain; charset=utf-8', value: 'x' }] }),
  ],
  ['HTML before the text', 'content', mailTo(ada.email, { content: [html(), plain()] })],
  ['two texts', 'content', mailTo(ada.email, { content: [plain(), plain()] })],
  [
    'HTML after something else',
    'content',
    mailTo(ada.email, { content: [plain(), { type: 'text/calendar', value: 'x' }, html()] }),
  ],
  ['a reserved header', 'headers.Reply-To', mailTo(ada.email, { headers: { 'Reply-To': 'x' } })],
  [
    'a reserved header in a personalization',
    'personalizations.0.headers.DKIM-Signature',
    mailTo('', { personalizations: [{ to, headers: { 'DKIM-Signature': 'x' } }] }),
  ],
  ['a header name that is none', 'headers.X Y', mailTo(ada.email, { headers: { 'X Y': 'x' } })],
  [
    'a header that is no string',
    'headers.X-Count',
    mailTo(ada.email, { headers: { 'X-Count': 1 } }),
  ],
  ['a custom arg that is no string', 'custom_args.n', mailTo(ada.email, { custom_args: { n: 1 } })],
  [
    'a substitution that is no string',
    'personalizations.0.substitutions.-n-',
    mailTo('', { personalizations: [{ to, substitutions: { '-n-': 1 } }] }),
  ],
  [
    'more than 10,000 bytes of substitutions in one personalization, tags and values together',
    'personalizations.0.substitutions',
    mailTo('', {
      // In characters they are fewer.
      personalizations: [
        { to, substitutions: { '-link-': 'ü'.repeat(4_990), '-name-': 'Adalbert9' } },
      ],
    }),
  ],
  [
    'tracking settings that are no object',
    'tracking_settings',
    mailTo(ada.email, { tracking_settings: 'off' }),
  ],
]

describe('400: a mail that SendGrid refuses', () => {
  it.each(REFUSED)('%s: the field is %s', async (_what, field, body) => {
    await h.browser().submit('/dev/mailbox', {})
    const response = await post(body)
    expect(response.status).toBe(400)
    const { errors } = await response.json<{
      errors: { message: string; field: string | null }[]
    }>()
    expect(errors.map((error) => error.field)).toContain(field)
    for (const error of errors) {
      expect(error).toEqual({
        message: expect.stringMatching(/^\S.+/),
        field: error.field,
        help: null,
      })
    }
    expect(await (await h.fetch('/dev/mailbox.json')).json()).toEqual([])
  })

  it('names every field that is wrong at once', async () => {
    const response = await post({
      personalizations: [{ to: [{ email: 'x' }] }],
      content: [html('')],
    })
    const { errors } = await response.json<{ errors: { field: string }[] }>()
    expect(errors.map(({ field }) => field)).toEqual([
      'personalizations.0.to.0.email',
      'from',
      'content.0.value',
      'subject',
    ])
  })
})
