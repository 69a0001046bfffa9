// Reading an HTTP answer as an outcome, the same way for every mail API.

import type { SendOutcome } from './provider.ts'

/** How much of an error body is read; it ends in D1. */
const MAX_ERROR_LENGTH = 300

/**
 * What a status that is not 2xx means: 408, 429 and 5xx are worth another try, everything else is a
 * refusal. (2xx is acceptance, whichever it is: a system that wanted exactly 200 sent six copies.)
 * @param response status and headers
 * @param message what the body says of the error, already free of addresses
 * @param nowMs milliseconds since the epoch, to read absolute reset times
 */
export function outcomeOfError(response: Response, message: string, nowMs: number): SendOutcome {
  const { status } = response
  const reason = `${status}${message === '' ? '' : `: ${message}`}`
  if (status === 408 || status === 429 || status >= 500) {
    return {
      kind: 'retry',
      reason,
      afterSeconds: retryAfterSeconds(response.headers, nowMs),
      isPushback: status === 429 || status === 503,
    }
  }
  return { kind: 'refused', reason }
}

/**
 * How long the other side asks to wait: `Retry-After` (RFC 9110 §10.2.3, seconds or a date), else
 * SendGrid's `X-RateLimit-Reset` (seconds since the epoch).
 * @param headers of the answer
 * @param nowMs milliseconds since the epoch
 * @returns seconds from now, or null where nothing usable was said
 */
export function retryAfterSeconds(headers: Headers, nowMs: number): number | null {
  const retryAfter = headers.get('Retry-After')?.trim() ?? ''
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter)
  const date = retryAfter === '' ? Number.NaN : Date.parse(retryAfter)
  if (!Number.isNaN(date)) return Math.max(0, Math.ceil((date - nowMs) / 1000))
  const reset = headers.get('X-RateLimit-Reset')?.trim() ?? ''
  if (/^\d{1,12}$/.test(reset)) return Math.max(0, Math.ceil(Number(reset) - nowMs / 1000))
  return null
}

/**
 * Takes addresses out of a provider's words and cuts them short, so that they may be stored and logged.
 * @param text from an error body
 */
export function withoutAddresses(text: string): string {
  return text.replace(/\S+@\S+/g, '<address>').slice(0, MAX_ERROR_LENGTH)
}
