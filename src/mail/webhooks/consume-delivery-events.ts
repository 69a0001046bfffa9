// Cloudflare's Email Service reports through a Queue that its event subscription fills. No signature: nobody but
// the account can write to a Queue of the account.
// https://developers.cloudflare.com/email-service/platform/event-subscriptions/

import * as z from 'zod/mini'
import { Outage, reasonOf } from '../../bounded.ts'
import type { Deps } from '../../deps.ts'
import { orElse } from '../../or-else.ts'
import { applyDeliveryReports } from '../apply-reports.ts'
import { retryDelaySeconds } from '../backoff.ts'
import type { DeliveryKind, DeliveryReport } from '../delivery-states.ts'
import { instantOf } from './webhook.ts'

/**
 * An event can overtake the record of the sending, which alone knows the id that the event has: an id that nobody
 * knows is looked for again, as long as that can be the reason. It may as well belong to another sender's mail.
 */
const LOOKUPS = 3
const LOOKUP_AGAIN_SECONDS = 120

const text = z.nullish(z.string())

const deliveryEvent = z.object({
  type: z.string(),
  payload: z.object({
    messageId: z.string().check(z.minLength(1)),
    delivery: orElse(z.nullish(z.object({ smtpResponse: text })), null),
    bounce: orElse(z.nullish(z.object({ type: text, reason: text })), null),
    failure: orElse(z.nullish(z.object({ reason: text })), null),
    rejection: orElse(z.nullish(z.object({ reason: text, party: text, detail: text })), null),
  }),
  metadata: orElse(z.optional(z.object({ eventTimestamp: z.optional(z.string()) })), undefined),
})
type DeliveryEvent = z.output<typeof deliveryEvent>

/**
 * Applies a batch of events. Acknowledges what is applied and what nobody can make use of; sends back
 * everything where D1 is out. Never throws.
 * @param deps capabilities
 * @param batch as the Queue delivers it
 */
export async function consumeDeliveryEvents(deps: Deps, batch: MessageBatch): Promise<void> {
  const reports = batch.messages.map((message) => readEvent(message.body, deps.now()))
  const unreadable = reports.filter((report) => report === 'unreadable').length
  if (unreadable > 0) {
    deps.log('webhook_refused', {
      provider: 'cloudflare',
      reason: 'unreadable_body',
      count: unreadable,
    })
  }
  try {
    const usable = reports.filter((report) => typeof report === 'object')
    const { unknownIds } = await applyDeliveryReports(deps, 'cloudflare', usable)
    for (const [i, message] of batch.messages.entries()) {
      const report = reports[i]
      const id = typeof report === 'object' ? report.providerMessageId : null
      const mayBeEarly = id !== null && unknownIds.has(id) && message.attempts < LOOKUPS
      if (mayBeEarly) message.retry({ delaySeconds: LOOKUP_AGAIN_SECONDS })
      else message.ack()
    }
  } catch (error) {
    const event = error instanceof Outage ? 'outage' : 'error'
    deps.log(event, { reason: reasonOf(error), path: batch.queue })
    for (const message of batch.messages) {
      message.retry({ delaySeconds: retryDelaySeconds(message.attempts, deps.random()) })
    }
  }
}

function readEvent(body: unknown, nowMs: number): DeliveryReport | 'ignored' | 'unreadable' {
  const parsed = deliveryEvent.safeParse(body)
  if (!parsed.success) return 'unreadable'
  const kind = kindOf(parsed.data)
  if (kind === null) return 'ignored'
  const { payload, metadata } = parsed.data
  return {
    messageId: null,
    providerMessageId: payload.messageId,
    kind,
    at: instantOf(metadata?.eventTimestamp, nowMs),
    detail:
      payload.bounce?.reason ??
      payload.rejection?.detail ??
      payload.rejection?.reason ??
      payload.failure?.reason ??
      payload.delivery?.smtpResponse ??
      null,
  }
}

function kindOf({ type, payload }: DeliveryEvent): DeliveryKind | null {
  switch (type) {
    case 'cf.email.sending.message.deferred':
      return 'deferred'
    case 'cf.email.sending.message.delivered':
      return 'delivered'
    case 'cf.email.sending.message.bounced':
      return payload.bounce?.type === 'hard' ? 'hard_bounce' : 'soft_bounce'
    case 'cf.email.sending.message.rejected':
      // On the account's own list of addresses; other rejections are about the mail or its sender.
      return payload.rejection?.reason === 'suppressed' && payload.rejection.party === 'recipient'
        ? 'hard_bounce'
        : 'soft_bounce'
    case 'cf.email.sending.message.failed':
      return 'soft_bounce'
    case 'cf.email.sending.message.complained':
      return 'complaint'
    default:
      return null
  }
}
