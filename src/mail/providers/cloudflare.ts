// Cloudflare's Email Service by its binding: one mail a call, errors with a `code`.
// https://developers.cloudflare.com/email-service/api/send-emails/workers-api/
// https://developers.cloudflare.com/email-service/reference/headers/ (`Auto-Submitted` is allowed)
// It has no idempotency key: a call whose answer is lost may have been accepted, and is sent again.

import * as z from 'zod/mini'
import { bounded } from '../../bounded.ts'
import { orElse } from '../../or-else.ts'
import { fillIn } from '../messages/form-letter.ts'
import { cleanWords, lostAnswer } from './post-json.ts'
import type { MailProvider, OutgoingMail, SendOutcome } from './provider.ts'
import { quotaUsedUp } from './quota.ts'
import { sendEach } from './send-each.ts'
import type { Sender } from './sender.ts'

/** The binding's `send`, for a mail in fields. */
export type SendEmailCall = (mail: EmailMessageBuilder) => Promise<EmailSendResult>

export interface CloudflareEmailOptions {
  /** Null where wrangler.toml declares no such binding. */
  readonly sendEmail: SendEmailCall | null
  readonly from: Sender
  /** How long to wait for the answer, in milliseconds. */
  readonly timeoutMs: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const sentResult = z.object({ messageId: z.string() })
const codedError = z.object({ code: z.string(), message: orElse(z.string(), '') })

/** The sender's domain, or what the binding is allowed: another provider may take the mail. */
const ACCOUNT_REFUSED = new Set([
  'E_SENDER_NOT_VERIFIED',
  'E_SENDER_DOMAIN_NOT_AVAILABLE',
  'E_RECIPIENT_NOT_ALLOWED',
])
/** Will be the same however often it is sent. Those that begin with `E_HEADER` are too. */
const MAIL_REFUSED = new Set([
  'E_VALIDATION_ERROR',
  'E_FIELD_MISSING',
  'E_TOO_MANY_RECIPIENTS',
  'E_RECIPIENT_SUPPRESSED',
  'E_CONTENT_TOO_LARGE',
])

/**
 * The adapter.
 * @param options the binding, as whom, the clock
 */
export function createCloudflareEmail(options: CloudflareEmailOptions): MailProvider {
  const { sendEmail } = options

  async function sendOne(mail: OutgoingMail): Promise<SendOutcome> {
    if (sendEmail === null) {
      return { kind: 'refused', reason: 'there is no EMAIL binding', isAccountRefused: true }
    }
    try {
      // What the service throws is caught inside: the bound would keep no more of it than its class.
      return await bounded('mail_api', options.timeoutMs, async () => {
        try {
          const sent = sentResult.safeParse(await sendEmail(builderOf(mail, options.from)))
          return { kind: 'accepted', providerMessageId: sent.data?.messageId ?? null }
        } catch (error) {
          return outcomeOfThrown(error, options.now())
        }
      })
    } catch (error) {
      return lostAnswer(error)
    }
  }

  return {
    name: 'cloudflare',
    maxBatch: 1,
    maxConcurrentCalls: 4,
    knowsRepeatedCalls: false,
    send: (mails) => sendEach(mails, sendOne, options),
  }
}

function outcomeOfThrown(error: unknown, nowMs: number): SendOutcome {
  const coded = codedError.safeParse(error)
  // The Workers runtime's own failure, which says nothing of the mail.
  if (!coded.success) return lostAnswer(error)
  const code = cleanWords(coded.data.code, '')
  const words = cleanWords(coded.data.message, '')
  const reason = words === '' ? code : `${code}: ${words}`
  if (code === 'E_DAILY_LIMIT_EXCEEDED') return quotaUsedUp(reason, nowMs)
  if (ACCOUNT_REFUSED.has(code)) return { kind: 'refused', reason, isAccountRefused: true }
  if (MAIL_REFUSED.has(code) || code.startsWith('E_HEADER')) {
    return { kind: 'refused', reason, isAccountRefused: false }
  }
  const isBusy = code === 'E_RATE_LIMIT_EXCEEDED'
  return {
    kind: 'retry',
    reason,
    afterSeconds: null,
    isProviderDown: isBusy || code === 'E_INTERNAL_SERVER_ERROR',
    // A delivery that failed is the recipient's server, which may be back; a code that we do not know may be anything.
    mayBeAccepted: !isBusy && code !== 'E_DELIVERY_FAILED',
  }
}

/**
 * One mail as the binding takes it.
 * @param mail filled in here
 * @param from the sender
 */
function builderOf(mail: OutgoingMail, from: Sender): EmailMessageBuilder {
  return {
    to: mail.to,
    from: { email: from.email, name: from.name },
    ...fillIn(mail),
    // RFC 3834 §5: keeps vacation responders quiet.
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}
