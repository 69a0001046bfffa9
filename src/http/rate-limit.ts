// The gate in front of whatever is limited, and the 429 it answers with.

import type { Context } from 'hono'
import { routePath } from 'hono/route'
import type { Deps } from '../deps.ts'
import type { Subject } from '../limits/counters.ts'
import type { Verdict } from '../limits/window.ts'
import { problem } from './problem.ts'

/**
 * Runs a handler within limits. The counts are written while the handler works, not before it.
 * @param c the request's context
 * @param deps the counters, the log and the tally
 * @param subjects what to count
 * @param handle the work
 * @param refuse the 429, where it is to be a page
 * @returns the handler's answer, or 429
 */
export async function withinLimits(
  c: Context,
  deps: Pick<Deps, 'counters' | 'log' | 'tally'>,
  subjects: readonly Subject[],
  handle: () => Promise<Response>,
  refuse: (c: Context, verdict: Verdict) => Response = tooManyRequests,
): Promise<Response> {
  const gate = await deps.counters.check(subjects)
  if (gate.refusedBy !== null) {
    noteRefusal(c, deps, gate.refusedBy)
    return refuse(c, gate.refusedBy)
  }
  const [response] = await Promise.all([handle(), gate.charge()])
  const write = deps.tally.writeWhenDue()
  if (write !== null) c.executionCtx.waitUntil(write)
  return response
}

/**
 * Writes a refusal down: in the log, and in memory for the figures.
 * @param c the request's context
 * @param deps the log and the tally
 * @param verdict which policy refused
 */
export function noteRefusal(
  c: Context,
  deps: Pick<Deps, 'log' | 'tally'>,
  { policy }: Verdict,
): void {
  // The route, not the path: whoever is refused could write a line of the log with each path he makes up.
  deps.log('request_limited', { policy: policy.name, path: routePath(c) })
  deps.tally.refused(policy.name)
}

/**
 * 429 with `Retry-After` (RFC 9110 §10.2.3) and the fields of draft-ietf-httpapi-ratelimit-headers-10.
 * @param c the request's context
 * @param verdict which policy refused and for how long
 */
export function tooManyRequests(c: Context, verdict: Verdict): Response {
  return problem(c, 'rate_limited', {
    detail: `Try again in ${verdict.resetSeconds} seconds.`,
    headers: rateLimitHeaders(verdict),
  })
}

/**
 * The headers alone.
 * @param verdict which policy refused and for how long
 */
export function rateLimitHeaders({ policy, remaining, resetSeconds }: Verdict) {
  return {
    'Retry-After': String(resetSeconds),
    'RateLimit-Policy': `"${policy.name}";q=${policy.limit};w=${Math.ceil(policy.windowMs / 1000)}`,
    RateLimit: `"${policy.name}";r=${remaining};t=${resetSeconds}`,
  }
}
