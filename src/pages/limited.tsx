// The limits of the JSON routes, with a page for the 429.

import type { Context } from 'hono'
import type { Deps } from '../deps.ts'
import { rateLimitHeaders, withinLimits } from '../http/rate-limit.ts'
import type { Subject } from '../limits/counters.ts'
import type { Verdict } from '../limits/window.ts'
import { type Brand, brandOf, Page, sendPage } from './layout.tsx'
import { describeWait } from './waiting.ts'

/**
 * Runs a handler within limits; the 429 is a page.
 * @param c the request's context
 * @param deps the counters, the log, the brand
 * @param subjects what to count
 * @param handle the work
 */
export function limited(
  c: Context,
  deps: Deps,
  subjects: readonly Subject[],
  handle: () => Promise<Response>,
): Promise<Response> {
  const brand = brandOf(deps.config)
  return withinLimits(c, deps, subjects, handle, (_, verdict) => tooManyPage(c, brand, verdict))
}

/**
 * The 429.
 * @param c the request's context
 * @param brand whose page it is
 * @param verdict which policy refused and for how long
 */
export function tooManyPage(c: Context, brand: Brand, verdict: Verdict): Response {
  setRateLimitHeaders(c, verdict)
  const page = (
    <Page brand={brand} title="Too many attempts">
      <h1>Too many attempts</h1>
      <p>{`Try again in ${describeWait(verdict.resetSeconds)}.`}</p>
      <p>
        <a href="/">To the start page</a>
      </p>
    </Page>
  )
  return sendPage(c, page, 429)
}

/**
 * `Retry-After` and its kin, for a page of another kind.
 * @param c the request's context
 * @param verdict which policy refused and for how long
 */
export function setRateLimitHeaders(c: Context, verdict: Verdict): void {
  for (const [name, value] of Object.entries(rateLimitHeaders(verdict))) c.header(name, value)
}
