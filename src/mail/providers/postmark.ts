// Postmark's API: POST /email/batch, up to 500 mails a call, a server's token in a header of its own.
// https://postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails
// https://postmarkapp.com/developer/api/email-api
// https://postmarkapp.com/developer/api/overview#error-codes
// A call is answered with 200 and one result a mail, in the order of the request, whatever became of the mails. It
// has no idempotency key: a call whose answer is lost may have been accepted, and is sent again.

import * as z from 'zod/mini'
import { orElse } from '../../or-else.ts'
import { fillIn } from '../messages/form-letter.ts'
import { outcomeOfError } from './http-outcome.ts'
import { cleanWords, type HttpApi, parseJson, postJson, readBody } from './post-json.ts'
import type { MailProvider, OutgoingMail, SendOutcome } from './provider.ts'
import { quotaUsedUp } from './quota.ts'
import { sendEach } from './send-each.ts'
import { mailboxOf, type Sender } from './sender.ts'

export interface PostmarkOptions extends HttpApi {
  readonly serverToken: string
  readonly from: Sender
}

const verdict = z.object({
  ErrorCode: z.number(),
  Message: orElse(z.string(), ''),
  MessageID: orElse(z.optional(z.string()), undefined),
})
type Verdict = z.output<typeof verdict>
/** What cannot be read of it was accepted all the same. */
const results = z.array(orElse(z.nullable(verdict), null))

const MAINTENANCE = 100
const INTERNAL_ERROR = 101
/** "Not allowed to send": the plan's mails are used up. */
const OUT_OF_CREDITS = 405
const RATE_LIMITED = 429
/**
 * The token, the server, the sender's signature, the account's approval, the stream or the Worker's IP are refused:
 * nothing that the mail has to do with.
 */
const ACCOUNT_REFUSED = new Set([10, 400, 401, 412, 413, 422, 1235, 1236, 1480])

/**
 * The adapter.
 * @param options where, with which token, as whom; the network and the clock
 */
export function createPostmark(options: PostmarkOptions): MailProvider {
  const headers = {
    Accept: 'application/json',
    'X-Postmark-Server-Token': options.serverToken,
  }

  function outcomeOfVerdict({ ErrorCode, Message }: Verdict, prefix: string): SendOutcome {
    const words = cleanWords(Message, options.serverToken)
    const reason = `${prefix}error ${ErrorCode}${words === '' ? '' : `: ${words}`}`
    if (ErrorCode === OUT_OF_CREDITS) return quotaUsedUp(reason, options.now())
    if ([MAINTENANCE, INTERNAL_ERROR, RATE_LIMITED].includes(ErrorCode)) {
      const mayBeAccepted = ErrorCode === INTERNAL_ERROR
      return { kind: 'retry', reason, afterSeconds: null, isProviderDown: true, mayBeAccepted }
    }
    return { kind: 'refused', reason, isAccountRefused: ACCOUNT_REFUSED.has(ErrorCode) }
  }

  /** Null where several were refused, perhaps for one of them. */
  async function call(mails: readonly OutgoingMail[]): Promise<readonly SendOutcome[] | null> {
    const body = mails.map((mail) => messageBody(mail, options.from))
    const answer = await postJson(options, '/email/batch', headers, body)
    if (!answer.ok) return mails.map(() => answer.outcome)
    const { response } = answer
    const content = parseJson(await readBody(response, options.timeoutMs))
    if (response.ok) {
      const list = results.safeParse(content).data ?? []
      // Without an entry for each nobody could tell whose they are.
      const isComplete = list.length === mails.length
      return mails.map((_, i): SendOutcome => {
        const result = isComplete ? list[i] : undefined
        if (result && result.ErrorCode !== 0) return outcomeOfVerdict(result, '')
        return { kind: 'accepted', providerMessageId: result?.MessageID ?? null }
      })
    }
    const outcome = outcomeOfRefusal(response, verdict.safeParse(content).data)
    const isForOne =
      outcome.kind === 'refused' &&
      !outcome.isAccountRefused &&
      (response.status === 413 || response.status === 422)
    return isForOne && mails.length > 1 ? null : mails.map(() => outcome)
  }

  function outcomeOfRefusal(response: Response, said: Verdict | undefined): SendOutcome {
    if (said !== undefined && response.status === 422) return outcomeOfVerdict(said, '422: ')
    const words = said === undefined ? '' : cleanWords(said.Message, options.serverToken)
    return outcomeOfError(response, words, options.now())
  }

  async function sendOne(mail: OutgoingMail): Promise<SendOutcome> {
    const [outcome] = (await call([mail])) ?? []
    return outcome ?? { kind: 'refused', reason: 'refused', isAccountRefused: false }
  }

  return {
    name: 'postmark',
    maxBatch: 100,
    maxConcurrentCalls: 1,
    knowsRepeatedCalls: false,
    async send(mails) {
      if (mails.length === 0) return []
      return (await call(mails)) ?? sendEach(mails, sendOne, options)
    },
  }
}

/**
 * One mail of a call. Tracking is off: it would rewrite the link through a redirector, and tell a third party who
 * clicked.
 * @param mail filled in here
 * @param from the sender
 */
function messageBody(mail: OutgoingMail, from: Sender) {
  const { subject, text, html } = fillIn(mail)
  return {
    From: mailboxOf(from),
    To: mail.to,
    Subject: subject,
    TextBody: text,
    HtmlBody: html,
    MessageStream: 'outbound',
    TrackOpens: false,
    TrackLinks: 'None',
    // RFC 3834 §5: keeps vacation responders quiet.
    Headers: [{ Name: 'Auto-Submitted', Value: 'auto-generated' }],
    Metadata: { message_id: mail.id },
  }
}
