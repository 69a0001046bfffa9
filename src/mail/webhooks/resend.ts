// Resend's webhook, signed by Svix as Standard Webhooks describes: HMAC-SHA-256 over "id.timestamp.body".
// https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
// Events: https://resend.com/docs/dashboard/webhooks/event-types

import * as z from 'zod/mini'
import { orElse } from '../../or-else.ts'
import type { DeliveryKind } from '../delivery-states.ts'
import { checkTimestamp, decodeBase64, instantOf, joinBytes, type Webhook } from './webhook.ts'

/** More than two keys and a migration need, and a limit to the work that one call can ask for. */
const MAX_SIGNATURES = 8
const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const

const explained = z.object({ message: z.optional(z.string()), type: z.optional(z.string()) })

const payloadSchema = z.object({
  type: z.string(),
  created_at: z.optional(z.string()),
  data: z.object({
    email_id: z.optional(z.string()),
    tags: z.optional(z.unknown()),
    bounce: orElse(z.nullish(explained), null),
    suppressed: orElse(z.nullish(explained), null),
    failed: orElse(z.nullish(z.object({ reason: z.optional(z.string()) })), null),
  }),
})
type Payload = z.output<typeof payloadSchema>

const tagObject = z.object({ message_id: z.string() })
const tagList = z.array(z.object({ name: z.string(), value: z.unknown() }))

/**
 * The webhook.
 * @param secrets `whsec_` and base64; any of them may have signed
 */
export function resendWebhook(secrets: readonly string[]): Webhook {
  let keys: Promise<CryptoKey[]> | undefined
  return {
    provider: 'resend',
    inspect(headers, nowMs) {
      const header = (name: string) => headers.get(`svix-${name}`) ?? headers.get(`webhook-${name}`)
      const id = header('id')
      const timestamp = header('timestamp')
      const signatures = header('signature')
      if (id === null || timestamp === null || signatures === null) return 'missing_header'
      const refusal = checkTimestamp(timestamp, nowMs)
      if (refusal !== null) return refusal
      const macs = signatures
        .split(' ', MAX_SIGNATURES)
        .map((signature) => (signature.startsWith('v1,') ? decodeBase64(signature.slice(3)) : null))
        .filter((mac) => mac?.length === 32)
      if (id === '' || macs.length === 0) return 'malformed_header'
      return async (body) => {
        keys ??= Promise.all(secrets.map(importSecret))
        const signed = joinBytes(`${id}.${timestamp}.`, body)
        for (const key of await keys) {
          for (const mac of macs) {
            // Web Crypto compares in constant time: how long it takes says nothing about the right one.
            if (mac !== null && (await crypto.subtle.verify(HMAC, key, mac, signed))) return null
          }
        }
        return 'wrong_signature'
      }
    },
    read(payload, nowMs) {
      const parsed = payloadSchema.safeParse(payload)
      if (!parsed.success) return null
      const kind = kindOf(parsed.data)
      if (kind === null) return []
      const { data, created_at } = parsed.data
      return [
        {
          messageId: messageIdIn(data.tags),
          providerMessageId: data.email_id ?? null,
          kind,
          at: instantOf(created_at, nowMs),
          detail: data.bounce?.message ?? data.suppressed?.message ?? data.failed?.reason ?? null,
        },
      ]
    },
  }
}

function importSecret(secret: string): Promise<CryptoKey> {
  const bytes = Uint8Array.fromBase64(secret.replace(/^whsec_/, ''))
  return crypto.subtle.importKey('raw', bytes, HMAC, false, ['verify'])
}

function kindOf({ type, data }: Payload): DeliveryKind | null {
  switch (type) {
    case 'email.sent':
      return 'accepted'
    case 'email.delivery_delayed':
      return 'deferred'
    case 'email.delivered':
      return 'delivered'
    case 'email.bounced':
      // "Transient" and "Undetermined" are no verdict on the address.
      return data.bounce?.type === 'Permanent' ? 'hard_bounce' : 'soft_bounce'
    case 'email.suppressed':
      // Resend keeps the address on a list of its own, for bounces and complaints of the past.
      return 'hard_bounce'
    case 'email.failed':
      // A quota, a domain, a key: nothing that the recipient has to do with.
      return 'soft_bounce'
    case 'email.complained':
      return 'complaint'
    default:
      return null // opens, clicks, contacts, domains
  }
}

/** The tag by which we know the mail: tags are an object in webhooks, a list of names and values where mails are sent. */
function messageIdIn(tags: unknown): string | null {
  const list = tagList.safeParse(tags)
  const value = list.success
    ? list.data.find(({ name }) => name === 'message_id')?.value
    : tagObject.safeParse(tags).data?.message_id
  return typeof value === 'string' ? value : null
}
