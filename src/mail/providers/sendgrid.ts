// SendGrid's v3 API: POST /v3/mail/send, Bearer key, any 2xx is acceptance, the id in X-Message-Id.
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors
// It has no idempotency key: a request whose answer is lost may have been accepted, and is sent again.
//
// Several mails of one form letter go in one call: the letter is the body, and what each mail has in its blanks are the
// substitutions of its personalization.
// https://www.twilio.com/docs/sendgrid/for-developers/sending-email/substitution-tags

import * as z from 'zod/mini'
import { type FormLetter, fillIn, hasBlankInside, valueOfBlank } from '../messages/form-letter.ts'
import type { RenderedMail } from '../messages/layout.ts'
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

/** Mails of one form letter, each to another address; or one alone. */
type Call = [Placed, ...Placed[]]

/**
 * The adapter.
 * @param options where, with which key, as whom; the network and the clock
 */
export function createSendGrid(options: SendGridOptions): MailProvider {
  /** `apart` where several were refused, perhaps for one of them: SendGrid takes a call whole or not at all. */
  async function call(together: Call): Promise<SendOutcome | 'apart'> {
    const [{ mail }, ...others] = together
    const body =
      others.length === 0
        ? mailSendBody(mail, options.from)
        : mailSendBatchBody(
            mail.form,
            together.map((placed) => placed.mail),
            options.from,
          )
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
    return isForOne && others.length > 0 ? 'apart' : outcome
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
        const results = await sendEach(calls, call, options)
        const apart: Call[] = []
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

/** Divides mails into calls: one for each form letter, and for what does not fit into substitutions one by itself. */
function callsFor(mails: readonly OutgoingMail[]): Call[] {
  const placed = mails.map((mail, place) => ({ mail, place }))
  const groups = Map.groupBy(placed, (one) => (fitsSubstitutions(one.mail) ? one.mail.form : one))
  return [...groups.values()].flatMap(eachAddressOnce)
}

/** As few calls as may be: "each unique email address in the personalizations array should only be included once". */
function eachAddressOnce(mails: readonly Placed[]): Call[] {
  const calls: Call[] = []
  const times = new Map<string, number>()
  for (const placed of mails) {
    const address = placed.mail.to.toLowerCase()
    const before = times.get(address) ?? 0
    times.set(address, before + 1)
    const call = calls[before]
    if (call === undefined) calls.push([placed])
    else call.push(placed)
  }
  return calls
}

function fitsSubstitutions({ values }: OutgoingMail): boolean {
  // Tags and quotes count as well, and a character takes up to three bytes: ours are far below either way.
  const mostBytes = 3 * JSON.stringify(valueOfBlank(values)).length
  return mostBytes <= MAX_SUBSTITUTION_BYTES && !hasBlankInside(values)
}

/**
 * The request body of one mail. Text comes before HTML, as the API demands.
 * @param mail filled in here
 * @param from the sender
 */
function mailSendBody(mail: OutgoingMail, from: Sender) {
  return {
    personalizations: [{ to: [{ email: mail.to }], custom_args: { message_id: mail.id } }],
    from,
    ...contentOf(fillIn(mail)),
  }
}

/**
 * The request body of several mails. Recipients do not see each other: each personalization is a mail of its own.
 * @param form that they share
 * @param mails each to another address, none with a blank in what it is filled with
 * @param from the sender
 */
function mailSendBatchBody(form: FormLetter, mails: readonly OutgoingMail[], from: Sender) {
  return {
    personalizations: mails.map((mail) => ({
      to: [{ email: mail.to }],
      custom_args: { message_id: mail.id },
      substitutions: valueOfBlank(mail.values),
    })),
    from,
    ...contentOf(form),
  }
}

/** Tracking is off: it would rewrite the link through a redirector, and tell a third party who clicked. */
function contentOf({ subject, text, html }: RenderedMail) {
  return {
    subject,
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
