// SendGrid's event webhook, signed with ECDSA over P-256 and SHA-256: the timestamp's header, then the raw body.
// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
// Events: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event

import * as z from 'zod/mini'
import type { DeliveryKind, DeliveryReport } from '../delivery-states.ts'
import { rawSignature } from './ecdsa-signature.ts'
import { checkTimestamp, decodeBase64, joinBytes, type Webhook } from './webhook.ts'

const SIGNATURE = 'X-Twilio-Email-Event-Webhook-Signature'
const TIMESTAMP = 'X-Twilio-Email-Event-Webhook-Timestamp'
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

const event = z.object({
  event: z.string(),
  timestamp: z.optional(z.number()),
  /** Our custom argument; SendGrid lifts them to the top of the event. */
  message_id: z.optional(z.string()),
  sg_message_id: z.optional(z.string()),
  /** Of bounces: `bounce` or `blocked`. */
  type: z.optional(z.string()),
  /** Of bounces and drops. */
  reason: z.optional(z.string()),
  /** Of deferrals and deliveries: what the recipient's server said. */
  response: z.optional(z.string()),
})

/**
 * The webhook.
 * @param verificationKeys SubjectPublicKeyInfo in base64, as SendGrid shows them; any of them may have signed
 * @param onUnusableKey told once of each key that is no public key of P-256, by its place from 1
 */
export function sendGridWebhook(
  verificationKeys: readonly string[],
  onUnusableKey: (place: number) => void,
): Webhook {
  let keys: Promise<CryptoKey[]> | undefined
  return {
    provider: 'sendgrid',
    inspect(headers, nowMs) {
      const signature = headers.get(SIGNATURE)
      const timestamp = headers.get(TIMESTAMP)
      if (signature === null || timestamp === null) return 'missing_header'
      const refusal = checkTimestamp(timestamp, nowMs)
      if (refusal !== null) return refusal
      const raw = rawSignature(decodeBase64(signature) ?? new Uint8Array())
      if (raw === null) return 'malformed_header'
      return async (body) => {
        keys ??= importKeys(verificationKeys, onUnusableKey)
        const signed = joinBytes(timestamp, body)
        for (const key of await keys) {
          if (await crypto.subtle.verify(ALGORITHM, key, raw, signed)) return null
        }
        return 'wrong_signature'
      }
    },
    read(payload, nowMs) {
      if (!Array.isArray(payload)) return null
      return payload.flatMap((item): DeliveryReport[] => {
        const parsed = event.safeParse(item)
        const kind = parsed.success ? kindOf(parsed.data) : null
        if (!parsed.success || kind === null) return []
        const { message_id, sg_message_id, timestamp, reason, response } = parsed.data
        return [
          {
            messageId: message_id ?? null,
            providerMessageId: acceptedId(sg_message_id),
            kind,
            at: timestamp === undefined ? nowMs : timestamp * 1000,
            detail: reason ?? response ?? null,
          },
        ]
      })
    },
  }
}

/** One key that cannot be read must not take the others with it. */
async function importKeys(
  verificationKeys: readonly string[],
  onUnusableKey: (place: number) => void,
): Promise<CryptoKey[]> {
  const imported = await Promise.all(
    verificationKeys.map((key, i) =>
      crypto.subtle
        .importKey('spki', decodeBase64(key) ?? new Uint8Array(), ALGORITHM, false, ['verify'])
        .catch(() => onUnusableKey(i + 1)),
    ),
  )
  return imported.filter((key) => key instanceof CryptoKey)
}

function kindOf({ event: name, type, reason }: z.output<typeof event>): DeliveryKind | null {
  switch (name) {
    case 'processed':
      return 'accepted'
    case 'deferred':
      return 'deferred'
    case 'delivered':
      return 'delivered'
    case 'bounce':
      // "blocked" is about this mail or its sender, not about the address.
      return type === 'blocked' ? 'soft_bounce' : 'hard_bounce'
    case 'dropped':
      return kindOfDrop(reason ?? '')
    case 'spamreport':
      return 'complaint'
    default:
      return null // opens, clicks, unsubscribes
  }
}

/** SendGrid did not even try, because of what it remembers of the address, or for reasons of its own. */
function kindOfDrop(reason: string): DeliveryKind {
  // "Invalid SMTPAPI header" is about the request, and none of the address's business.
  if (/^(bounced address|invalid)$/i.test(reason)) return 'hard_bounce'
  if (/^spam reporting address/i.test(reason)) return 'complaint'
  return 'soft_bounce'
}

/** The id that the sending API answered with is what comes before the name of the machine that took the mail. */
function acceptedId(id: string | undefined): string | null {
  return id?.replace(/\.(filter|recv).*$/, '') ?? null
}
