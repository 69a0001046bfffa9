// SendGrid's v3 API: POST /v3/mail/send, Bearer key, any 2xx is acceptance, the id in X-Message-Id.
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors
// It has no idempotency key: a request whose answer is lost may have been accepted, and is sent again.
//
// Several mails go in one call as personalizations of one body, which is nothing but two tags: the whole text and
// the whole HTML of each mail are its substitutions.
// https://www.twilio.com/docs/sendgrid/for-developers/sending-email/substitution-tags

import * as z from 'zod/mini'
import { outcomeOfError } from './http-outcome.ts'
import { cleanWords, type HttpApi, parseJson, postJson, readBody } from './post-json.ts'
import type { MailProvider, OutgoingMail, SendOutcome } from './provider.ts'
import { quotaUsedUp } from './quota.ts'
import { sendEach } from './send-each.ts'
import type { Sender } from './sender.ts'

export interface SendGridOptions extends HttpApi {
  readonly apiKey: string
  readonly from: Sender
}

/** No text of ours contains them; a mail that does is sent by itself. No spaces, as the reference asks. */
const TEXT_TAG = '-mailproof-text-9c41e7d05ab2-'
const HTML_TAG = '-mailproof-html-9c41e7d05ab2-'
/**
 * "The total collective size of your substitutions may not exceed 10,000 bytes per personalization object", says
 * the reference of mail/send. (The guide to substitution tags says 50,000. Of two limits the lower one is safe.)
 */
const MAX_SUBSTITUTION_BYTES = 10_000

const errorBody = z.object({
  errors: z
    .array(z.object({ message: z.string(), field: z.nullish(z.string()) }))
    .check(z.minLength(1)),
})

/** A mail and its place among those that were handed in. */
interface Placed {
  readonly mail: OutgoingMail
  readonly place: number
}

/**
 * The adapter.
 * @param options where, with which key, as whom; the network and the clock
 */
export function createSendGrid(options: SendGridOptions): MailProvider {
  /** `apart` where several were refused, perhaps for one of them: SendGrid takes a call whole or not at all. */
  async function call(mails: readonly OutgoingMail[]): Promise<SendOutcome | 'apart'> {
    const [only] = mails
    const body =
      mails.length === 1 && only !== undefined
        ? mailSendBody(only, options.from)
        : mailSendBatchBody(mails, options.from)
    const headers = { Authorization: `Bearer ${options.apiKey}` }
    const answer = await postJson(options, '/v3/mail/send', headers, body)
    if (!answer.ok) return answer.outcome
    const { response } = answer
    if (response.ok) {
      // Accepted is accepted, whatever becomes of the body: to send again would be a second copy.
      response.body?.cancel().catch(() => {})
      return { kind: 'accepted', providerMessageId: response.headers.get('X-Message-Id') }
    }
    const words = errorWords(await readBody(response, options.timeoutMs), options.apiKey)
    const outcome = outcomeOfError(response, words, options.now())
    // Not the key is refused, but the day's or the month's mails are used up.
    if (response.status === 401 && /maximum credits exceeded/i.test(words)) {
      return quotaUsedUp(outcome.reason, options.now())
    }
    const isForOne = response.status === 400 || response.status === 413
    return isForOne && mails.length > 1 ? 'apart' : outcome
  }

  return {
    name: 'sendgrid',
    maxBatch: 100,
    maxConcurrentCalls: 1,
    knowsRepeatedCalls: false,
    async send(mails) {
      const outcomes: SendOutcome[] = []
      let calls = callsFor(mails)
      // A second time for those that were refused together, each by itself.
      while (calls.length > 0) {
        const results = await sendEach(calls, (part) => call(part.map(({ mail }) => mail)), options)
        const apart: Placed[][] = []
        for (const [i, part] of calls.entries()) {
          const result = results[i]
          for (const placed of part) {
            if (result === undefined || result === 'apart') apart.push([placed])
            else outcomes[placed.place] = result
          }
        }
        calls = apart
      }
      return outcomes
    },
  }
}

/**
 * Divides mails into calls: as few as may be, each address once a call ("each unique email address in the
 * personalizations array should only be included once"), and what does not fit into substitutions by itself.
 */
function callsFor(mails: readonly OutgoingMail[]): Placed[][] {
  const alone: Placed[][] = []
  const rounds: Placed[][] = []
  const times = new Map<string, number>()
  for (const [place, mail] of mails.entries()) {
    if (!fitsSubstitutions(mail)) {
      alone.push([{ mail, place }])
      continue
    }
    const address = mail.to.toLowerCase()
    const round = times.get(address) ?? 0
    times.set(address, round + 1)
    const part = rounds[round] ?? []
    part.push({ mail, place })
    rounds[round] = part
  }
  return [...rounds, ...alone]
}

function fitsSubstitutions(mail: OutgoingMail): boolean {
  const { subject, text, html } = mail
  if ([TEXT_TAG, HTML_TAG].some((tag) => `${subject}\n${text}\n${html}`.includes(tag))) return false
  // As JSON they are a little longer than they count.
  const bytes = new TextEncoder().encode(JSON.stringify(substitutionsOf(mail))).length
  return bytes <= MAX_SUBSTITUTION_BYTES
}

function substitutionsOf({ text, html }: OutgoingMail) {
  return { [TEXT_TAG]: text, [HTML_TAG]: html }
}

/**
 * The request body of one mail. Text comes before HTML, as the API demands.
 * @param mail rendered
 * @param from the sender
 */
export function mailSendBody(mail: OutgoingMail, from: Sender) {
  return {
    personalizations: [{ to: [{ email: mail.to }], custom_args: { message_id: mail.id } }],
    from,
    subject: mail.subject,
    ...contentOf(mail.text, mail.html),
  }
}

/**
 * The request body of several mails. Recipients do not see each other: each personalization is a mail of its own.
 * @param mails rendered, each to another address, none with the tags in it
 * @param from the sender
 */
export function mailSendBatchBody(mails: readonly OutgoingMail[], from: Sender) {
  return {
    personalizations: mails.map((mail) => ({
      to: [{ email: mail.to }],
      subject: mail.subject,
      custom_args: { message_id: mail.id },
      substitutions: substitutionsOf(mail),
    })),
    from,
    ...contentOf(TEXT_TAG, HTML_TAG),
  }
}

/** Tracking is off: it would rewrite the link through a redirector, and tell a third party who clicked. */
function contentOf(text: string, html: string) {
  return {
    content: [
      { type: 'text/plain', value: text },
      { type: 'text/html', value: html },
    ],
    // RFC 3834 §5: keeps vacation responders quiet.
    headers: { 'Auto-Submitted': 'auto-generated' },
    tracking_settings: {
      click_tracking: { enable: false, enable_text: false },
      open_tracking: { enable: false },
      subscription_tracking: { enable: false },
    },
  }
}

function errorWords(text: string, key: string): string {
  const parsed = errorBody.safeParse(parseJson(text))
  const first = parsed.data?.errors[0]
  if (first === undefined) return '' // a proxy's HTML page says nothing worth keeping
  return cleanWords(first.field ? `${first.message} (${first.field})` : first.message, key)
}
