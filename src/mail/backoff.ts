// When to try again. Arithmetic only.

/** The first retry comes after about so long. */
const BASE_SECONDS = 15
/** Later ones come at least this often. */
const CAP_SECONDS = 60 * 60
/** The Queue delays a message by at most 12 hours. */
export const MAX_DELAY_SECONDS = 12 * 60 * 60

/**
 * Exponential backoff with jitter over its upper half, so that mails refused together do not come back
 * together; never before the instant that the other side named.
 * @param attempt which attempt has just failed, from 1
 * @param random from 0 up to, not including, 1
 * @param notBeforeSeconds how long the other side asked to wait, in seconds from now; null where it did not
 * @returns whole seconds from 1 to {@link MAX_DELAY_SECONDS}
 */
export function retryDelaySeconds(
  attempt: number,
  random: number,
  notBeforeSeconds: number | null = null,
): number {
  const full = Math.min(CAP_SECONDS, BASE_SECONDS * 2 ** Math.max(0, attempt - 1))
  const delay = Math.max(full / 2 + (full / 2) * random, notBeforeSeconds ?? 0)
  return Math.min(MAX_DELAY_SECONDS, Math.max(1, Math.ceil(delay)))
}
