// SendGrid's v3 API as far as sending goes: the production adapter runs against it unchanged, and what it
// accepts lands in the mailbox instead of the world.
// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send

import type { Context, Hono } from 'hono'
import type { Deps } from '../deps.ts'
import { newApp } from '../http/new-app.ts'
import { isSameText } from '../signing/same-text.ts'
import { type MailSendBody, parseMailSend, type SendGridError } from './mail-send-schema.ts'
import type { MailboxStore, StoredMail } from './mailbox-store.ts'
import type { ReportDeliveries } from './report-deliveries.ts'
import { specialAddress } from './special-addresses.ts'

const INVALID_KEY = 'The provided authorization grant is invalid, expired, or revoked'
/** How long a call is asked to wait. */
const BUSY_SECONDS = 30

/**
 * `POST /v3/mail/send`: 202 and `X-Message-Id`, or SendGrid's 400, 401 and 415; 429 and 500 where a special
 * address asks for them.
 * @param deps the API key, the clock, ids
 * @param store where the mails go
 * @param report told of accepted mails after the response; null: nothing is reported
 */
export function mailSendApi(
  deps: Pick<Deps, 'config' | 'now' | 'newId'>,
  store: MailboxStore,
  report: ReportDeliveries | null,
): Hono {
  const app = newApp()

  app.post('/v3/mail/send', async (c) => {
    const key = deps.config.SENDGRID_API_KEY
    const authorization = c.req.header('Authorization') ?? ''
    // Without a key nobody has it: an empty one must not open the mailbox to an empty header.
    if (key === undefined || !(await isSameText(authorization, `Bearer ${key}`))) {
      return refused(c, 401, [general(INVALID_KEY)])
    }
    if (!/^application\/json\s*(;|$)/i.test(c.req.header('Content-Type') ?? '')) {
      return refused(c, 415, [general('Content-Type should be application/json.')])
    }
    const parsed = parseMailSend(parseJson(await c.req.text()))
    if (!parsed.ok) return refused(c, 400, parsed.errors)

    const messageId = deps.newId()
    const mails = mailsOf(parsed.body, messageId, deps.now())
    // All or nothing, as SendGrid takes a call.
    const met = new Set(mails.map(({ to }) => specialAddress(to.email)))
    if (met.has('outage')) return refused(c, 500, [general('Internal server error')])
    if (met.has('busy')) {
      c.header('X-RateLimit-Remaining', '0')
      c.header('X-RateLimit-Reset', String(Math.ceil(deps.now() / 1000) + BUSY_SECONDS))
      return refused(c, 429, [general('too many requests')])
    }

    const stored = await store.add(mails)
    if (report !== null) c.executionCtx.waitUntil(report(stored))
    return c.body(null, 202, { 'X-Message-Id': messageId })
  })

  return app
}

function refused(
  c: Context,
  status: 400 | 401 | 415 | 429 | 500,
  errors: readonly SendGridError[],
): Response {
  return c.json({ errors }, status)
}

/** An error that is about no field. */
function general(message: string): SendGridError {
  return { message, field: null, help: null }
}

/** What is no JSON is judged like JSON of the wrong shape: SendGrid says `Bad Request` to both. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * One mail a recipient, with what its personalization says over what the request says.
 * @param body a valid request
 * @param messageId the id that the API answers
 * @param receivedAt milliseconds since the epoch
 */
export function mailsOf(body: MailSendBody, messageId: string, receivedAt: number): StoredMail[] {
  const contentOf = (type: string) =>
    body.content.find((block) => block.type.toLowerCase() === type)?.value ?? ''

  return body.personalizations.flatMap((personalization) => {
    const { to, cc = [], bcc = [] } = personalization
    const recipients = [
      ...to.map((party) => ({ party, role: 'to' as const })),
      ...cc.map((party) => ({ party, role: 'cc' as const })),
      ...bcc.map((party) => ({ party, role: 'bcc' as const })),
    ]
    const fill = (text: string) => substitute(text, personalization.substitutions ?? {})
    return recipients.map(
      ({ party, role }): StoredMail => ({
        messageId,
        to: party,
        role,
        from: body.from,
        subject: fill(personalization.subject || (body.subject ?? '')),
        text: fill(contentOf('text/plain')),
        html: fill(contentOf('text/html')),
        headers: { ...body.headers, ...personalization.headers },
        customArgs: { ...body.custom_args, ...personalization.custom_args },
        trackingSettings: body.tracking_settings ?? {},
        receivedAt,
      }),
    )
  })
}

function substitute(text: string, substitutions: Readonly<Record<string, string>>): string {
  let filled = text
  for (const [tag, value] of Object.entries(substitutions)) {
    // A function, because `$&` in a string replacement means something.
    if (tag !== '') filled = filled.replaceAll(tag, () => value)
  }
  return filled
}
