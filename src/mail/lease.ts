// How long a claimed mail is one consumer's alone.

import type { Config } from '../config.ts'
import { BODY_TIMEOUT_MS } from './providers/http-outcome.ts'

/** The Queue delivers at most so many messages in one batch. */
export const MAX_BATCH = 100
/** Six connections may wait at once in a Worker; D1 wants one of them. */
export const CONCURRENT_SENDS = 4
/** For D1, before and after. */
const SLACK_MS = 60_000

/**
 * Longer than the slowest batch takes, and within the 15 minutes that a consumer may run.
 * @param config the mail API's timeout
 * @returns milliseconds
 */
export function leaseMs(config: Pick<Config, 'MAIL_TIMEOUT_MS'>): number {
  const perMail = config.MAIL_TIMEOUT_MS + BODY_TIMEOUT_MS
  return SLACK_MS + Math.ceil(MAX_BATCH / CONCURRENT_SENDS) * perMail
}
