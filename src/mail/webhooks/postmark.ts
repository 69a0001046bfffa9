// Postmark's webhooks prove themselves by HTTP basic auth, the user and password of the webhook's URL.
// https://postmarkapp.com/developer/webhooks/webhooks-overview
// Postmark signs nothing and dates no request, so there is no window to hold a request against: whoever has the
// password can say anything at any time, and TLS alone keeps the body whole. A repeated call changes
// nothing, because reports are applied once.

import * as z from 'zod/mini'
import { orElse } from '../../or-else.ts'
import { isSameText } from '../../signing/same-text.ts'
import type { DeliveryKind } from '../delivery-states.ts'
import { decodeBase64, instantOf, type Webhook } from './webhook.ts'

/** What is no text is as good as none. */
const optionalText = orElse(z.optional(z.string()), undefined)

const payloadSchema = z.object({
  RecordType: z.string(),
  MessageID: z.optional(z.string()),
  Metadata: orElse(z.nullish(z.object({ message_id: optionalText })), null),
  /** Of bounces: https://postmarkapp.com/developer/api/bounce-api#bounce-types */
  Type: optionalText,
  Description: optionalText,
  Details: optionalText,
  DeliveredAt: optionalText,
  BouncedAt: optionalText,
})
type Payload = z.output<typeof payloadSchema>

/**
 * The webhook.
 * @param passwords any of them opens it, under any user name
 */
export function postmarkWebhook(passwords: readonly string[]): Webhook {
  return {
    provider: 'postmark',
    inspect(headers) {
      const authorization = headers.get('Authorization')
      if (authorization === null) return 'missing_header'
      const given = passwordIn(authorization)
      if (given === null) return 'malformed_header'
      return async () => ((await isAnyOf(given, passwords)) ? null : 'wrong_password')
    },
    read(payload, nowMs) {
      const parsed = payloadSchema.safeParse(payload)
      if (!parsed.success) return null
      const { Metadata, MessageID, DeliveredAt, BouncedAt, Details, Description } = parsed.data
      const kind = kindOf(parsed.data)
      if (kind === null) return []
      return [
        {
          messageId: Metadata?.message_id ?? null,
          providerMessageId: MessageID ?? null,
          kind,
          at: instantOf(DeliveredAt ?? BouncedAt, nowMs),
          // Empty where the recipient's server left no words.
          detail: Details || Description || null,
        },
      ]
    },
  }
}

/** RFC 7617 §2: `Basic` and the base64 of "user:password". A user name has no colon; a password may. */
function passwordIn(authorization: string): string | null {
  const encoded = /^Basic +([A-Za-z0-9+/]{1,400}={0,2})$/i.exec(authorization)?.[1]
  const bytes = encoded === undefined ? null : decodeBase64(encoded)
  if (bytes === null) return null
  const pair = new TextDecoder().decode(bytes)
  const colon = pair.indexOf(':')
  return colon === -1 ? null : pair.slice(colon + 1)
}

/** Compared with every password there is, so that no early end tells which one a guess was near. */
async function isAnyOf(given: string, passwords: readonly string[]): Promise<boolean> {
  const same = await Promise.all(passwords.map((password) => isSameText(given, password)))
  return same.includes(true)
}

function kindOf({ RecordType, Type }: Payload): DeliveryKind | null {
  if (RecordType === 'Delivery') return 'delivered'
  if (RecordType === 'SpamComplaint') return 'complaint'
  // Opens, clicks; and "SubscriptionChange", which says once more what a bounce or a complaint has said.
  if (RecordType !== 'Bounce') return null
  switch (Type) {
    case 'HardBounce':
    case 'BadEmailAddress':
      return 'hard_bounce'
    case 'SpamComplaint':
      return 'complaint'
    case 'Transient':
      return 'deferred' // Postmark tries on
    case 'AutoResponder':
    case 'AddressChange':
    case 'Subscribe':
    case 'Unsubscribe':
      return null // answers of people and machines that have the mail
    // "SpamNotification" among them: a filter took offence at this mail, not a person at getting any.
    default:
      return 'soft_bounce'
  }
}
