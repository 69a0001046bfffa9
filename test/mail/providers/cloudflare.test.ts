// The adapter against Cloudflare's published reference:
// https://developers.cloudflare.com/email-service/api/send-emails/workers-api/ (fields, error codes)
// https://developers.cloudflare.com/email-service/reference/headers/

import { describe, expect, it } from 'vitest'
import { fillIn } from '../../../src/mail/messages/form-letter.ts'
import {
  createCloudflareEmail,
  type SendEmailCall,
} from '../../../src/mail/providers/cloudflare.ts'
import {
  accepted,
  FROM,
  LOST,
  mails,
  NOW,
  never,
  pushback,
  refused,
  SECONDS_LEFT_TODAY,
  SILENT,
  TIMEOUT_MS,
} from './networks.ts'

async function send(sendEmail: SendEmailCall | null, count = 1) {
  const provider = createCloudflareEmail({
    sendEmail,
    from: FROM,
    timeoutMs: TIMEOUT_MS,
    now: () => NOW,
  })
  return provider.send(mails(count), 'unused')
}

/** Errors are plain ones with a code. */
const failing =
  (code: string, message = 'No.') =>
  async () => {
    throw Object.assign(new Error(message), { code })
  }

describe('S2: the mail', () => {
  it('is handed over in fields, with the one header that is ours', async () => {
    const seen: unknown[] = []
    await send(async (mail) => {
      seen.push(mail)
      return { messageId: 'cf-1' }
    })
    expect(seen).toEqual(
      mails(1).map((mail) => ({
        to: mail.to,
        from: { email: 'noreply@example.com', name: 'Example' },
        ...fillIn(mail),
        headers: { 'Auto-Submitted': 'auto-generated' },
      })),
    )
  })

  it('goes by itself, several calls at once, never more than 4', async () => {
    let atOnce = 0
    let most = 0
    const outcomes = await send(async ({ to }) => {
      most = Math.max(most, ++atOnce)
      await new Promise((resolve) => setTimeout(resolve, 1))
      atOnce--
      return { messageId: `cf-${to}` }
    }, 10)
    expect(most).toBe(4)
    expect(outcomes).toEqual(mails(10).map(({ to }) => accepted(`cf-${to}`)))
  })
})

describe('S3: an answer', () => {
  it('without an id is an acceptance', async () => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types do not promise
    expect(await send(async (): Promise<any> => undefined)).toEqual([accepted(null)])
  })

  it.each([
    'E_VALIDATION_ERROR',
    'E_FIELD_MISSING',
    'E_TOO_MANY_RECIPIENTS',
    'E_RECIPIENT_SUPPRESSED',
    'E_CONTENT_TOO_LARGE',
    'E_HEADER_NOT_ALLOWED',
    'E_HEADERS_TOO_LARGE',
  ])('%s refuses the mail', async (code) => {
    expect(await send(failing(code))).toEqual([refused(`${code}: No.`)])
  })

  it.each(['E_SENDER_NOT_VERIFIED', 'E_SENDER_DOMAIN_NOT_AVAILABLE', 'E_RECIPIENT_NOT_ALLOWED'])(
    '%s refuses the account, once for all',
    async (code) => {
      let calls = 0
      const outcomes = await send(() => {
        calls++
        return failing(code)()
      }, 30)
      expect(outcomes).toEqual(Array(30).fill(refused(`${code}: No.`, true)))
      expect(calls).toBeLessThanOrEqual(4)
    },
  )

  it.each([
    ['E_RATE_LIMIT_EXCEEDED', pushback('E_RATE_LIMIT_EXCEEDED: No.')],
    ['E_DAILY_LIMIT_EXCEEDED', pushback('E_DAILY_LIMIT_EXCEEDED: No.', SECONDS_LEFT_TODAY)],
    ['E_INTERNAL_SERVER_ERROR', { ...LOST, reason: 'E_INTERNAL_SERVER_ERROR: No.' }],
    ['E_DELIVERY_FAILED', { ...pushback('E_DELIVERY_FAILED: No.'), isProviderDown: false }],
    ['E_NEW', { ...LOST, reason: 'E_NEW: No.', isProviderDown: false }],
  ])('S20: %s is worth another try', async (code, outcome) => {
    expect(await send(failing(code))).toEqual([outcome])
  })

  it('F12: is told without addresses', async () => {
    const outcomes = await send(failing('E_RECIPIENT_SUPPRESSED', 'ada@example.com has bounced'))
    expect(outcomes).toEqual([refused('E_RECIPIENT_SUPPRESSED: <address> has bounced')])
  })

  it('without a code is trouble of the provider, and its words are not kept', async () => {
    const outcomes = await send(async () => {
      throw new Error('internal error; ada@example.com')
    })
    expect(outcomes).toEqual([LOST])
  })

  it('that does not come is waited for no longer than it may take', async () => {
    const started = Date.now()
    expect(await send(never)).toEqual([SILENT])
    expect(Date.now() - started).toBeLessThan(TIMEOUT_MS + 1000)
  })

  it('is not needed to know that there is no binding: another provider may take the mail', async () => {
    expect(await send(null, 2)).toEqual(Array(2).fill(refused('there is no EMAIL binding', true)))
  })
})
