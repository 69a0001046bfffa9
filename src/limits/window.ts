// Fixed windows, as arithmetic: no I/O and no clock.

/** At most `limit` in `windowMs`. */
export interface RatePolicy {
  /** Short name for the RateLimit headers; part of the counter's key. */
  readonly name: string
  readonly limit: number
  readonly windowMs: number
}

/** What a counter holds: how many since the window began, and when it ends. */
export interface WindowState {
  readonly count: number
  readonly endsAt: number
}

/** A verdict on one request, with all that the response headers need. */
export interface Verdict {
  readonly policy: RatePolicy
  readonly allowed: boolean
  readonly remaining: number
  /** Whole seconds until the window ends, at least 1: RFC 9110 §10.2.3 counts in seconds. */
  readonly resetSeconds: number
}

/**
 * Counts one request into a window that begins with its first request.
 * @param state what the counter held, or null
 * @param policy the limit
 * @param now milliseconds since the epoch
 * @returns the verdict and the state to keep; a refused request is not counted, so that hammering does
 * not prolong the refusal
 */
export function countIn(
  state: WindowState | null,
  policy: RatePolicy,
  now: number,
): { verdict: Verdict; next: WindowState } {
  const current =
    state !== null && now < state.endsAt ? state : { count: 0, endsAt: now + policy.windowMs }
  const allowed = current.count < policy.limit
  const next = allowed ? { ...current, count: current.count + 1 } : current
  return {
    verdict: {
      policy,
      allowed,
      remaining: Math.max(0, policy.limit - next.count),
      resetSeconds: secondsUntil(current.endsAt, now),
    },
    next,
  }
}

/**
 * Whole seconds from now until an instant, rounded up, at least 1.
 * @param at milliseconds since the epoch
 * @param now milliseconds since the epoch
 */
export function secondsUntil(at: number, now: number): number {
  return Math.max(1, Math.ceil((at - now) / 1000))
}
