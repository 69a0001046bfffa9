// What SendGrid's v3 mail/send endpoint accepts, so that a mail it would refuse is refused here too, on
// the developer's machine and not in production.
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors

import * as z from 'zod/mini'
import { orElse } from '../or-else.ts'

/** One error as SendGrid reports it. `field` is a dotted path such as `personalizations.0.to.0.email`. */
export interface SendGridError {
  readonly message: string
  readonly field: string | null
  readonly help: null
}

export type MailSendResult =
  | { readonly ok: true; readonly body: MailSendBody }
  | { readonly ok: false; readonly errors: readonly SendGridError[] }

/** The part of a request that makes up the mails. */
export type MailSendBody = z.output<typeof mailSendBody>

const MAX_PERSONALIZATIONS = 1000
const MAX_RECIPIENTS = 1000
/** https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, at `substitutions` */
const MAX_SUBSTITUTION_BYTES = 10_000

/** The headers that SendGrid writes itself. */
const RESERVED_HEADERS = new Set([
  'x-sg-id',
  'x-sg-eid',
  'received',
  'dkim-signature',
  'content-type',
  'content-transfer-encoding',
  'to',
  'from',
  'subject',
  'reply-to',
  'cc',
  'bcc',
])

/** ASCII alone: SendGrid takes no RFC 6531 addresses. */
const ADDRESS =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9-]+\.)+[a-z0-9-]{2,}$/i

const address = z
  .string('The email parameter is required and must be a string.')
  .check(
    z.regex(ADDRESS, 'Does not contain a valid address.'),
    z.maxLength(254, 'Does not contain a valid address.'),
  )

const recipient = z.object(
  { email: address, name: z.optional(z.string('Invalid type. Expected: string.')) },
  'Each recipient must be an object with an email parameter.',
)

const sender = z.object(
  { email: address, name: z.optional(z.string('Invalid type. Expected: string.')) },
  'The from object must be provided for every email send. It is an object that requires the email parameter, but may also contain a name parameter.',
)

const NO_RECIPIENT =
  'The to array is required for all personalization objects, and must have at least one email object with a valid email address.'

const headerFields = z
  .record(z.string(), z.string('Header values must be strings.'), 'Headers must be an object.')
  .check(
    z.superRefine((headers, ctx) => {
      for (const name of Object.keys(headers)) {
        if (RESERVED_HEADERS.has(name.toLowerCase())) {
          ctx.addIssue({ code: 'custom', path: [name], message: `${name} is a reserved header.` })
        } else if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) {
          // RFC 5322 §2.2: printable ASCII without the colon.
          ctx.addIssue({ code: 'custom', path: [name], message: 'This is not a header name.' })
        }
      }
    }),
  )

const customArgs = z.record(
  z.string(),
  z.string('Custom arg values must be strings.'),
  'custom_args must be an object of strings.',
)

const substitutions = z
  .record(
    z.string(),
    z.string('Substitution values must be strings.'),
    'substitutions must be an object of strings.',
  )
  .check(
    z.refine(
      (record) => bytesOf(record) <= MAX_SUBSTITUTION_BYTES,
      `Substitutions are limited to ${MAX_SUBSTITUTION_BYTES} bytes per personalization.`,
    ),
  )

/** The reference speaks of their collective size: tags and values together. */
function bytesOf(record: Readonly<Record<string, string>>): number {
  return new TextEncoder().encode(Object.entries(record).flat().join('')).length
}

const NO_SUBJECT =
  'The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.'

const subject = z
  .string('The subject must be a string.')
  // An empty one is reported by the rule that knows all personalizations.
  .check(z.regex(/^[^\r\n]*$/, 'The subject must not contain line breaks.'))

const personalization = z.object(
  {
    to: z.array(recipient, NO_RECIPIENT).check(z.minLength(1, NO_RECIPIENT)),
    cc: z.optional(z.array(recipient, 'The cc parameter must be an array.')),
    bcc: z.optional(z.array(recipient, 'The bcc parameter must be an array.')),
    subject: z.optional(subject),
    headers: z.optional(headerFields),
    substitutions: z.optional(substitutions),
    custom_args: z.optional(customArgs),
  },
  'Each personalization must be an object.',
)

const NO_CONTENT_TYPE = 'The content type must be a string at least one character in length.'
const NO_CONTENT_VALUE = 'The content value must be a string at least one character in length.'

const contentBlock = z.object(
  {
    type: z
      .string(NO_CONTENT_TYPE)
      .check(
        z.minLength(1, NO_CONTENT_TYPE),
        z.regex(/^[^\r\n;,]*$/, 'The content type cannot contain ;, , or CRLF characters.'),
      ),
    value: z.string(NO_CONTENT_VALUE).check(z.minLength(1, NO_CONTENT_VALUE)),
  },
  'Each content block must be an object with a type and a value.',
)

const NO_CONTENT =
  'Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content block.'

const NO_PERSONALIZATION =
  'The personalizations field is required and must have at least one personalization.'

/** Unknown members are left alone: SendGrid has many that make no difference to a mailbox. */
const mailSendBody = z.object(
  {
    personalizations: z
      .array(personalization, NO_PERSONALIZATION)
      .check(
        z.minLength(1, NO_PERSONALIZATION),
        z.maxLength(
          MAX_PERSONALIZATIONS,
          `The personalization block is limited to ${MAX_PERSONALIZATIONS} personalizations per API request.`,
        ),
      ),
    from: sender,
    reply_to: z.optional(recipient),
    subject: z.optional(subject),
    content: z.array(contentBlock, NO_CONTENT).check(z.minLength(1, NO_CONTENT)),
    headers: z.optional(headerFields),
    custom_args: z.optional(customArgs),
    tracking_settings: z.optional(z.record(z.string(), z.json(), 'Must be an object.')),
  },
  'Bad Request',
)

/** The same body read leniently, so that the rules across fields speak even where a field is wrong. */
const textOutline = orElse(z.string(), '')
const recipientsOutline = orElse(
  z.array(orElse(z.object({ email: z.string() }), { email: '' })),
  [],
)
const personalizationOutline = orElse(
  z.object({
    to: recipientsOutline,
    cc: recipientsOutline,
    bcc: recipientsOutline,
    subject: textOutline,
  }),
  { to: [], cc: [], bcc: [], subject: '' },
)
const contentOutline = orElse(z.object({ type: textOutline }), { type: '' })
const outlineSchema = orElse(
  z.object({
    subject: textOutline,
    personalizations: orElse(z.array(personalizationOutline), []),
    content: orElse(z.array(contentOutline), []),
  }),
  { subject: '', personalizations: [], content: [] },
)

type Outline = z.output<typeof outlineSchema>

/**
 * Judges a request body.
 * @param body parsed JSON
 * @returns the body, or every error that SendGrid would find in it
 */
export function parseMailSend(body: unknown): MailSendResult {
  const result = mailSendBody.safeParse(body)
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  if (!isObject) return { ok: false, errors: [error('Bad Request', '')] }
  const outline = outlineSchema.parse(body)
  const errors = [
    ...(result.error?.issues ?? []).map(({ message, path }) => error(message, path.join('.'))),
    ...subjectErrors(outline),
    ...recipientErrors(outline),
    ...contentErrors(outline),
  ]
  return result.success && errors.length === 0
    ? { ok: true, body: result.data }
    : { ok: false, errors }
}

function error(message: string, field: string): SendGridError {
  return { message, field: field === '' ? null : field, help: null }
}

function subjectErrors({ subject, personalizations }: Outline): SendGridError[] {
  const isGivenEverywhere =
    personalizations.length > 0 && personalizations.every((one) => one.subject !== '')
  return subject !== '' || isGivenEverywhere ? [] : [error(NO_SUBJECT, 'subject')]
}

function recipientErrors({ personalizations }: Outline): SendGridError[] {
  const errors: SendGridError[] = []
  let total = 0
  for (const [index, { to, cc, bcc }] of personalizations.entries()) {
    const seen = new Set<string>()
    for (const [list, recipients] of Object.entries({ to, cc, bcc })) {
      total += recipients.length
      const duplicate = recipients.find(({ email }) => {
        const key = email.toLowerCase()
        if (key === '' || !seen.has(key)) {
          seen.add(key)
          return false
        }
        return true
      })
      if (duplicate !== undefined) {
        const field = `personalizations.${index}`
        errors.push(
          error(
            `Each email address in the personalization block should be unique between to, cc, and bcc. We found the first duplicate instance of [${duplicate.email}] in the ${field}.${list} field.`,
            field,
          ),
        )
      }
    }
  }
  if (total > MAX_RECIPIENTS) {
    errors.push(
      error(
        `There is a limit of ${MAX_RECIPIENTS} total recipients (to + cc + bcc) per request.`,
        'personalizations',
      ),
    )
  }
  return errors
}

function contentErrors({ content }: Outline): SendGridError[] {
  const types = content.map(({ type }) => type.toLowerCase())
  const count = (type: string) => types.filter((one) => one === type).length
  const errors: SendGridError[] = []
  if (count('text/plain') > 1 || count('text/html') > 1) {
    errors.push(error('If present, text/plain and text/html may only be provided once.', 'content'))
  }
  const html = types.indexOf('text/html')
  const isTextLate = types.indexOf('text/plain') > 0
  const isHtmlLate = html > (types[0] === 'text/plain' ? 1 : 0)
  if (isTextLate || isHtmlLate) {
    errors.push(
      error(
        'If present, text/plain must be first, followed by text/html, followed by any other content.',
        'content',
      ),
    )
  }
  return errors
}
