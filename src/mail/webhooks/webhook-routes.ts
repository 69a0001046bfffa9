// Where providers report what became of mails: `POST /webhooks/:provider`. A provider's route exists only where
// the secret does by which it proves itself. Nothing here is counted per IP: providers call from few addresses,
// and it is the signature that is the gate. A call without one ends before its body is read, one with a wrong one
// before D1.

import type { Context, Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { newApp } from '../../http/new-app.ts'
import { problem } from '../../http/problem.ts'
import { applyDeliveryReports } from '../apply-reports.ts'
import { postmarkWebhook } from './postmark.ts'
import { resendWebhook } from './resend.ts'
import { sendGridWebhook } from './sendgrid.ts'
import type { Webhook } from './webhook.ts'

/** SendGrid bundles the events of half a minute into one call: far more than any other body here. */
export const MAX_WEBHOOK_BYTES = 2 * 1024 * 1024

/**
 * The webhooks of the providers whose secrets are configured. An outage of D1 is answered with 503, and the
 * provider sends again.
 * @param deps the configuration, D1, the clock and the log
 */
export function webhookRoutes(deps: Deps): Hono {
  const app = newApp()
  for (const webhook of configuredWebhooks(deps)) {
    app.post(`/webhooks/${webhook.provider}`, (c) => receive(deps, webhook, c))
  }
  return app
}

function configuredWebhooks({ config, log }: Deps): Webhook[] {
  const { SENDGRID_WEBHOOK_KEYS, RESEND_WEBHOOK_SECRETS, POSTMARK_WEBHOOK_SECRETS } = config
  const reportUnusableKey = (place: number) =>
    log('error', {
      provider: 'sendgrid',
      reason: `SENDGRID_WEBHOOK_KEYS: key ${place} is unusable`,
    })
  return [
    ...(SENDGRID_WEBHOOK_KEYS ? [sendGridWebhook(SENDGRID_WEBHOOK_KEYS, reportUnusableKey)] : []),
    ...(RESEND_WEBHOOK_SECRETS ? [resendWebhook(RESEND_WEBHOOK_SECRETS)] : []),
    ...(POSTMARK_WEBHOOK_SECRETS ? [postmarkWebhook(POSTMARK_WEBHOOK_SECRETS)] : []),
  ]
}

async function receive(deps: Deps, webhook: Webhook, c: Context): Promise<Response> {
  const { provider } = webhook
  const refuse = (reason: string, code: 'invalid_signature' | 'invalid_json') => {
    deps.log('webhook_refused', { provider, reason })
    return problem(c, code)
  }

  const proof = webhook.inspect(c.req.raw.headers, deps.now())
  if (typeof proof === 'string') return refuse(proof, 'invalid_signature')
  const body = new Uint8Array(await c.req.arrayBuffer())
  const refusal = await proof(body)
  if (refusal !== null) return refuse(refusal, 'invalid_signature')

  const reports = webhook.read(parseJson(body), deps.now())
  if (reports === null) return refuse('unreadable_body', 'invalid_json')
  await applyDeliveryReports(deps, provider, reports)
  return c.body(null, 204)
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body))
  } catch {
    return undefined
  }
}
