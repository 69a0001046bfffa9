// Posts events as SendGrid's signed Event Webhook does: an ECDSA signature over P-256 and SHA-256, of the
// timestamp and the body as they are sent, in DER and base64.
// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features

import type { Deps } from '../deps.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** How long to wait for the answer, in milliseconds. */
const PATIENCE_MS = 3_000
/** SendGrid repeats for a day what was not accepted; here there are less than 30 seconds. */
const TRIES = 2
const RETRY_MS = 1_000

/**
 * Posts events, once more where they are not accepted.
 * @returns the status of the last answer; null where there was none
 */
export type PostEvents = (events: readonly object[]) => Promise<number | null>

/**
 * The webhook of this very Worker, seen from the provider's side.
 * @param deps the Worker's address, the network, the clock
 * @param key the private key that signs: PKCS #8 in base64
 * @param pause waits so many milliseconds
 */
export function createEventWebhook(
  deps: Pick<Deps, 'config' | 'fetch' | 'now'>,
  key: string,
  pause: (ms: number) => Promise<void>,
): PostEvents {
  async function post(body: string): Promise<number | null> {
    const timestamp = String(Math.floor(deps.now() / 1000))
    const signature = await sign(key, timestamp + body)
    try {
      const response = await deps.fetch(
        new Request(`${deps.config.APP_BASE_URL}/webhooks/sendgrid`, {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            'X-Twilio-Email-Event-Webhook-Signature': signature,
            'X-Twilio-Email-Event-Webhook-Timestamp': timestamp,
          },
          body,
          redirect: 'manual',
          signal: AbortSignal.timeout(PATIENCE_MS),
        }),
      )
      response.body?.cancel().catch(() => {})
      return response.status
    } catch {
      return null
    }
  }

  return async (events) => {
    // The same text each time, hence the same ids: that is how a repeated event is known.
    const body = JSON.stringify(events)
    for (let attempt = 1; ; attempt++) {
      const status = await post(body)
      const isAccepted = status !== null && status >= 200 && status < 300
      if (isAccepted || attempt === TRIES) return status
      await pause(RETRY_MS)
    }
  }
}

async function sign(key: string, text: string): Promise<string> {
  const bytes = Uint8Array.fromBase64(key)
  const privateKey = await crypto.subtle.importKey('pkcs8', bytes, ALGORITHM, false, ['sign'])
  const signature = await crypto.subtle.sign(ALGORITHM, privateKey, new TextEncoder().encode(text))
  return inDer(new Uint8Array(signature)).toBase64()
}

/** Web Crypto gives r and s side by side; RFC 3279 §2.2.3 has them as two INTEGERs in a SEQUENCE. */
function inDer(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2
  const numbers = [...integer(signature.subarray(0, half)), ...integer(signature.subarray(half))]
  return Uint8Array.from([0x30, numbers.length, ...numbers])
}

/** X.690 §8.3: the shortest form of a number, whose first bit must not make it a negative one. */
function integer(bytes: Uint8Array): number[] {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = first === -1 ? [0] : [...bytes.subarray(first)]
  if ((digits[0] ?? 0) >= 0x80) digits.unshift(0)
  return [0x02, digits.length, ...digits]
}
