// A quota that is used up: no fault of the mail, and over when the next day begins.

import { MAX_DELAY_SECONDS } from '../backoff.ts'
import { nextUtcDay } from '../utc-day.ts'
import type { SendOutcome } from './provider.ts'

/**
 * The outcome: not before the next UTC day, by which the providers count, and not later than in 12 hours, because
 * a plan may be upgraded meanwhile.
 * @param reason what the provider said, cleaned
 * @param nowMs milliseconds since the epoch
 */
export function quotaUsedUp(reason: string, nowMs: number): SendOutcome {
  const seconds = Math.ceil((nextUtcDay(nowMs) - nowMs) / 1000)
  return {
    kind: 'retry',
    reason,
    afterSeconds: Math.min(MAX_DELAY_SECONDS, seconds),
    isProviderDown: true,
    mayBeAccepted: false,
  }
}
