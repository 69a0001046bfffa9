// SendGrid's v3 API: POST /v3/mail/send, Bearer key, any 2xx is acceptance, the id in X-Message-Id.
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
// It has no idempotency key: a request whose answer is lost may have been accepted, and is sent again.

import * as z from 'zod'
import { bounded, Outage } from '../../bounded.ts'
import { BODY_TIMEOUT_MS, outcomeOfError, withoutAddresses } from './http-outcome.ts'
import type { MailProvider, OutgoingMail, SendOutcome } from './provider.ts'

export interface SendGridOptions {
  readonly baseUrl: string
  readonly apiKey: string
  readonly from: { readonly email: string; readonly name: string }
  /** How long to wait for the answer's status, in milliseconds. */
  readonly timeoutMs: number
  readonly fetch: (request: Request) => Promise<Response>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const errorBody = z.object({
  errors: z.array(z.object({ message: z.string(), field: z.string().nullish() })).min(1),
})

/**
 * The adapter.
 * @param options where, with which key, as whom; the network and the clock
 */
export function createSendGrid(options: SendGridOptions): MailProvider {
  function post(mail: OutgoingMail, signal: AbortSignal): Promise<Response> {
    return options.fetch(
      new Request(`${options.baseUrl}/v3/mail/send`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${options.apiKey}`,
          'Content-Type': 'application/json',
        },
        body: JSON.stringify(mailSendBody(mail, options.from)),
        // A redirect would carry the key and the link to another host.
        redirect: 'manual',
        signal,
      }),
    )
  }

  async function outcomeOf(response: Response): Promise<SendOutcome> {
    if (response.ok) {
      // Accepted is accepted, whatever becomes of the body: to send again would be a second copy.
      response.body?.cancel().catch(() => {})
      return { kind: 'accepted', providerMessageId: response.headers.get('X-Message-Id') }
    }
    const patience = Math.min(options.timeoutMs, BODY_TIMEOUT_MS)
    const text = await bounded('mail_api', patience, () => response.text()).catch(() => '')
    return outcomeOfError(response, errorMessage(text), options.now())
  }

  async function sendOne(mail: OutgoingMail): Promise<SendOutcome> {
    const abort = new AbortController()
    try {
      // The signal frees the connection; the bound holds even for a network that ignores the signal.
      const response = await bounded('mail_api', options.timeoutMs, () => post(mail, abort.signal))
      return await outcomeOf(response)
    } catch (error) {
      abort.abort()
      const reason = error instanceof Outage ? error.message : 'mail_api failed'
      return {
        kind: 'retry',
        reason,
        afterSeconds: null,
        isProviderDown: true,
        mayBeAccepted: true,
      }
    }
  }

  return {
    name: 'sendgrid',
    maxBatch: 100,
    maxConcurrentCalls: 4,
    knowsRepeatedCalls: false,
    send: (mails) => Promise.all(mails.map(sendOne)),
  }
}

/**
 * The request body. Text comes before HTML, as the API demands. Tracking is off: it would rewrite the link
 * through a redirector, and tell a third party who clicked.
 * @param mail rendered
 * @param from the sender
 */
export function mailSendBody(mail: OutgoingMail, from: SendGridOptions['from']) {
  return {
    personalizations: [{ to: [{ email: mail.to }], custom_args: { message_id: mail.id } }],
    from,
    subject: mail.subject,
    content: [
      { type: 'text/plain', value: mail.text },
      { type: 'text/html', value: mail.html },
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

function errorMessage(text: string): string {
  try {
    const [first] = errorBody.parse(JSON.parse(text)).errors
    if (first === undefined) return ''
    return withoutAddresses(first.field ? `${first.message} (${first.field})` : first.message)
  } catch {
    return '' // a proxy's HTML page says nothing worth keeping
  }
}
