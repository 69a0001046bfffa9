// The gate of the desk: a program shows the token, a browser the session that the token opened.

import type { Context, MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Deps } from '../../deps.ts'
import { clientIp } from '../../http/client-ip.ts'
import { isFormPost, prefersHtml } from '../../http/negotiation.ts'
import { problem } from '../../http/problem.ts'
import { noteRefusal, tooManyRequests } from '../../http/rate-limit.ts'
import { adminSubjects } from '../../limits/policies.ts'
import type { Verdict } from '../../limits/window.ts'
import { brandOf } from '../../pages/layout.tsx'
import { setRateLimitHeaders } from '../../pages/limited.tsx'
import { describeWait } from '../../pages/waiting.ts'
import { isSameText } from '../../signing/same-text.ts'
import { sendDesk } from '../desk-layout.tsx'
import { readDeskSession } from '../desk-session.ts'
import { SignInPage } from '../sign-in-page.tsx'
import { clearDeskCookie, deskCookie } from './desk-cookie.ts'

/** What a handler behind the gate finds in its context: the session's name; absent for a program. */
export interface DeskEnv {
  Variables: { actor?: string }
}

/**
 * Lets the desk pass; 401 `not_signed_in` otherwise, which for a browser is the page to sign in on.
 *
 * What is right passes, whatever a neighbour behind the same address does: a token has at least 32 characters and the
 * MAC of a session 256 bits, so what the limit holds back is the noise of guessing, not its success. Whoever shows
 * nothing has guessed nothing, and is not counted: another site's images could otherwise lock an operator out.
 * @param deps the counters, the clock, the configuration, the log
 * @param adminToken `ADMIN_TOKEN`
 */
export function requireDesk(deps: Deps, adminToken: string): MiddlewareHandler<DeskEnv> {
  return createMiddleware<DeskEnv>(async (c, next) => {
    const authorization = c.req.header('Authorization')
    if (authorization !== undefined) {
      const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? ''
      const isRight = () => isSameText(adminToken, token)
      return (await guessed(c, deps, isRight, 'token', () => unauthorized(c))) ?? next()
    }

    const cookie = deskCookie(c, deps.config)
    const result =
      cookie === undefined ? null : await readDeskSession(adminToken, cookie, deps.now())
    if (result?.ok) {
      c.set('actor', result.session.name)
      return next()
    }
    const isPerson = prefersHtml(c) || isFormPost(c)
    // Somebody who has nothing to show yet, or no longer, and is about to sign in.
    if (isPerson && result?.failure !== 'forged') return askToSignIn(c, deps)
    clearDeskCookie(c, deps.config)
    if (result === null) return unauthorized(c)
    const isWrong = async () => false
    const answer = () => (isPerson ? askToSignIn(c, deps) : unauthorized(c))
    return guessed(c, deps, isWrong, 'session', answer)
  })
}

/**
 * Judges what was shown; what is wrong counts, and is limited.
 * @param c the request's context
 * @param deps the counters, the log and the tally
 * @param isRight judges
 * @param reason what was shown, for the log
 * @param refuse the answer to a wrong one
 * @returns the refusal, or undefined where the guess was right
 */
export async function guessed(
  c: Context,
  deps: Deps,
  isRight: () => Promise<boolean>,
  reason: 'token' | 'session',
  refuse: () => Response,
): Promise<Response | undefined> {
  if (await isRight()) return undefined
  const gate = await deps.counters.check(adminSubjects(deps.config, clientIp(c)))
  if (gate.refusedBy !== null) {
    noteRefusal(c, deps, gate.refusedBy)
    return refuseForNow(c, deps, gate.refusedBy)
  }
  deps.log('desk_refused', { reason })
  await gate.charge()
  return refuse()
}

function unauthorized(c: Context): Response {
  // RFC 9110 §11.6.1: a 401 says which scheme would do.
  return problem(c, 'not_signed_in', { headers: { 'WWW-Authenticate': 'Bearer realm="desk"' } })
}

function askToSignIn(c: Context, deps: Deps): Response {
  c.header('WWW-Authenticate', 'Bearer realm="desk"')
  // What a form posted to is no page to come back to, but what it was a part of is.
  const user = /^\/admin\/users\/[\da-f-]{36}/.exec(c.req.path)?.[0]
  const to = c.req.method === 'GET' ? c.req.path : user
  return sendDesk(c, <SignInPage brand={brandOf(deps.config)} to={to} />, 401)
}

function refuseForNow(c: Context, deps: Deps, verdict: Verdict): Response {
  if (!prefersHtml(c) && !isFormPost(c)) return tooManyRequests(c, verdict)
  setRateLimitHeaders(c, verdict)
  const error = `Too many attempts. Try again in ${describeWait(verdict.resetSeconds)}.`
  const page = <SignInPage brand={brandOf(deps.config)} errors={{ form: error }} />
  return sendDesk(c, page, 429)
}
