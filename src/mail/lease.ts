// How long a claimed mail is one consumer's alone, and until when that consumer may begin calls.

import type { Config } from '../config.ts'
import { BODY_TIMEOUT_MS } from './providers/http-outcome.ts'

/** Room for so many of the slowest answers, one after the other: a call that had to be taken apart, or several. */
const SLOWEST_ANSWERS = 25
/** For D1, before and after. */
const SLACK_MS = 60_000

type Timeouts = Pick<Config, 'MAIL_TIMEOUT_MS'>

/**
 * Longer than the slowest batch takes, and within the 15 minutes that a consumer may run
 * (https://developers.cloudflare.com/queues/platform/limits/).
 * @param config the mail API's timeout
 * @returns milliseconds
 */
export function leaseMs(config: Timeouts): number {
  return SLACK_MS + sendingMs(config)
}

/**
 * No call begins later. What is left of the lease then is enough for a call that begins just before, even if the
 * provider refuses its mails together and they have to be sent one by one.
 * @param config the mail API's timeout
 * @param leasedAt milliseconds since the epoch
 * @returns milliseconds since the epoch
 */
export function lastCallAt(config: Timeouts, leasedAt: number): number {
  return leasedAt + Math.floor(sendingMs(config) / 2)
}

function sendingMs({ MAIL_TIMEOUT_MS }: Timeouts): number {
  return SLOWEST_ANSWERS * (MAIL_TIMEOUT_MS + BODY_TIMEOUT_MS)
}
