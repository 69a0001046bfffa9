// Resend's API: POST /emails/batch, up to 100 mails a call, Bearer key.
// https://resend.com/docs/api-reference/emails/send-batch-emails
// https://resend.com/docs/api-reference/emails/send-email
// https://resend.com/docs/api-reference/errors
//
// It knows a call that is repeated under its key (https://resend.com/docs/dashboard/emails/idempotency-keys), and
// refuses the repetition where the content differs. Ours always does, because links are minted anew. So that
// refusal is the news that the first call was taken.
//
// One mail goes to the batch endpoint as well: what is left of an earlier call may be one mail, and nothing says
// that a key used at one endpoint is known at the other.

import * as z from 'zod/mini'
import { orElse } from '../../or-else.ts'
import { fillIn } from '../messages/form-letter.ts'
import { outcomeOfError, retryAfterSeconds } from './http-outcome.ts'
import { cleanWords, type HttpApi, parseJson, postJson, readBody } from './post-json.ts'
import type { MailProvider, OutgoingMail, SendOutcome } from './provider.ts'
import { quotaUsedUp } from './quota.ts'
import { sendEach } from './send-each.ts'
import { mailboxOf, type Sender } from './sender.ts'

export interface ResendOptions extends HttpApi {
  readonly apiKey: string
  readonly from: Sender
}

/** What is missing or no text is as good as empty. */
const optionalText = orElse(z.string(), '')

const errorBody = z.object({ name: optionalText, message: optionalText })
const sentBody = z.object({ id: z.string() })
const batchBody = z.object({
  /** Of the mails that were taken, in their order. */
  data: orElse(z.array(z.object({ id: z.string() })), []),
  errors: orElse(z.array(z.object({ index: z.number(), message: optionalText })), []),
})

/** A call may have been refused for one of its mails. */
const MAYBE_FOR_ONE = new Set([400, 413, 422, 451])

/**
 * The adapter.
 * @param options where, with which key, as whom; the network and the clock
 */
export function createResend(options: ResendOptions): MailProvider {
  const headersFor = (key: string) => ({
    Authorization: `Bearer ${options.apiKey}`,
    'Idempotency-Key': key,
  })

  async function refusal(response: Response): Promise<SendOutcome> {
    const text = await readBody(response, options.timeoutMs)
    const { name = '', message = '' } = errorBody.safeParse(parseJson(text)).data ?? {}
    const words = cleanWords(
      [name, message].filter((part) => part !== '').join(': '),
      options.apiKey,
    )
    const outcome = outcomeOfError(response, words, options.now())
    switch (name) {
      case 'invalid_idempotent_request':
        return { kind: 'accepted', providerMessageId: null }
      case 'concurrent_idempotent_requests':
        return {
          kind: 'retry',
          reason: outcome.reason,
          afterSeconds: retryAfterSeconds(response.headers, options.now()),
          isProviderDown: false,
          mayBeAccepted: true,
        }
      case 'daily_quota_exceeded':
      case 'monthly_quota_exceeded':
        return quotaUsedUp(outcome.reason, options.now())
      case 'invalid_from_address':
        // Another provider may know the sender.
        return { kind: 'refused', reason: outcome.reason, isAccountRefused: true }
      default:
        return outcome.kind === 'retry' && response.status === 429
          ? { ...outcome, afterSeconds: outcome.afterSeconds ?? resetSeconds(response.headers) }
          : outcome
    }
  }

  async function sendOne(mail: OutgoingMail, key: string): Promise<SendOutcome> {
    const body = emailBody(mail, options.from)
    const answer = await postJson(options, '/emails', headersFor(key), body)
    if (!answer.ok) return answer.outcome
    if (!answer.response.ok) return refusal(answer.response)
    const sent = sentBody.safeParse(parseJson(await readBody(answer.response, options.timeoutMs)))
    return { kind: 'accepted', providerMessageId: sent.data?.id ?? null }
  }

  return {
    name: 'resend',
    maxBatch: 100,
    // 5 requests a second are a team's: https://resend.com/docs/api-reference/rate-limit
    maxConcurrentCalls: 2,
    knowsRepeatedCalls: true,
    async send(mails, key) {
      if (mails.length === 0) return []
      const answer = await postJson(
        options,
        '/emails/batch',
        // Otherwise one bad address would sink the call: https://resend.com/changelog/batch-validation-modes
        { ...headersFor(key), 'x-batch-validation': 'permissive' },
        mails.map((mail) => emailBody(mail, options.from)),
      )
      if (!answer.ok) return mails.map(() => answer.outcome)
      if (answer.response.ok) {
        const text = await readBody(answer.response, options.timeoutMs)
        return outcomesOf(text, mails.length, options.apiKey)
      }
      const outcome = await refusal(answer.response)
      const isForOne =
        outcome.kind === 'refused' &&
        !outcome.isAccountRefused &&
        MAYBE_FOR_ONE.has(answer.response.status)
      if (!isForOne || mails.length === 1) return mails.map(() => outcome)
      // Keys made of the call's key: what is repeated after a lost answer is recognised here too.
      return sendEach(mails, (mail) => sendOne(mail, `${key}/${mail.id}`), options)
    },
  }
}

/** What is not named as an error was accepted, even where its id cannot be told. */
function outcomesOf(text: string, count: number, apiKey: string): SendOutcome[] {
  const { data = [], errors = [] } = batchBody.safeParse(parseJson(text)).data ?? {}
  const refused = new Map(errors.map(({ index, message }) => [index, message]))
  const places = Array.from({ length: count }, (_, place) => place)
  const taken = places.filter((place) => !refused.has(place))
  const isComplete = data.length === taken.length
  return places.map((place): SendOutcome => {
    const message = refused.get(place)
    if (message !== undefined) {
      const reason = cleanWords(message, apiKey) || 'refused'
      return { kind: 'refused', reason, isAccountRefused: false }
    }
    const id = isComplete ? data[taken.indexOf(place)]?.id : undefined
    return { kind: 'accepted', providerMessageId: id ?? null }
  })
}

/** The seconds of draft-ietf-httpapi-ratelimit-headers-06, from now on. */
function resetSeconds(headers: Headers): number | null {
  const text = headers.get('RateLimit-Reset')?.trim() ?? ''
  return /^\d{1,9}$/.test(text) ? Number(text) : null
}

/**
 * One mail as both endpoints take it. Tracking is a setting of the domain at Resend, off unless switched on there.
 * @param mail filled in here; its id has only characters that a tag may have (letters, digits, `_`, `-`)
 * @param from the sender
 */
function emailBody(mail: OutgoingMail, from: Sender) {
  return {
    from: mailboxOf(from),
    to: [mail.to],
    ...fillIn(mail),
    // RFC 3834 §5: keeps vacation responders quiet.
    headers: { 'Auto-Submitted': 'auto-generated' },
    tags: [{ name: 'message_id', value: mail.id }],
  }
}
