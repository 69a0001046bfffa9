// Reading an HTTP answer as an outcome, the same way for every mail API.

import type { SendOutcome } from './provider.ts'

/** The status is what counts: for the words that come with an error nobody waits longer. */
export const BODY_TIMEOUT_MS = 2000
/** How much of an error is kept; it ends in D1. */
const MAX_ERROR_LENGTH = 300
/** How much of it is looked at: the search for addresses takes time with the square of the length. */
const MAX_SCANNED_LENGTH = 1000
/** What is wrong is the key, the account or the address of the API, and no other mail would fare better. */
const ACCOUNT_STATUSES = new Set([401, 403, 404, 405])
/** RFC 9110 §5.6.7, in the one form that may be sent. `Date.parse` alone would make a date of "-5". */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * What a status that is not 2xx means: 408, 429 and 5xx are worth another try, everything else is a
 * refusal. (2xx is acceptance, whichever it is: to insist on 200 where 202 comes means
 * sending again what was accepted.)
 * @param response status and headers
 * @param message what the body says of the error, already free of addresses
 * @param nowMs milliseconds since the epoch, to read absolute reset times
 */
export function outcomeOfError(
  response: Response,
  message: string,
  nowMs: number,
): Exclude<SendOutcome, { kind: 'accepted' }> {
  const { status } = response
  const reason = `${status}${message === '' ? '' : `: ${message}`}`
  if (status === 408 || status === 429 || status >= 500) {
    return {
      kind: 'retry',
      reason,
      afterSeconds: retryAfterSeconds(response.headers, nowMs),
      isProviderDown: true,
      // Only these two say that nothing was done.
      mayBeAccepted: status !== 429 && status !== 503,
    }
  }
  return { kind: 'refused', reason, isAccountRefused: ACCOUNT_STATUSES.has(status) }
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
  const date = HTTP_DATE.test(retryAfter) ? Date.parse(retryAfter) : Number.NaN
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
  // A word that the cut goes through may be the half of an address.
  const scanned =
    text.length > MAX_SCANNED_LENGTH ? text.slice(0, MAX_SCANNED_LENGTH).replace(/\S*$/, '') : text
  return scanned.replace(/\S+@\S+/g, '<address>').slice(0, MAX_ERROR_LENGTH)
}
