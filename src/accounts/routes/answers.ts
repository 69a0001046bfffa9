// The parts that several answers share.

import type { Context } from 'hono'
import type { Config } from '../../config.ts'
import type { Deps } from '../../deps.ts'
import { problem } from '../../http/problem.ts'
import { noteRefusal, tooManyRequests } from '../../http/rate-limit.ts'
import { setSessionCookie, type Transport } from '../../http/session-transport.ts'
import type { NewSession } from '../sessions.ts'
import { instant } from '../user.ts'
import type { ConfirmResult, OpenResult } from '../verify-link.ts'

/**
 * Gives a new session to the client the way it wants it: as a cookie, or as a member of the body.
 * @param c the request's context
 * @param config decides the cookie's name
 * @param session the new session, or null for none
 * @param transport the way
 * @returns members to spread into the body
 */
export function grantSession(
  c: Context,
  config: Config,
  session: NewSession | null,
  transport: Transport,
): { session?: { token: string; expires_at: string } } {
  if (session === null) return {}
  if (transport === 'bearer') {
    return { session: { token: session.token, expires_at: instant(session.expiresAt) } }
  }
  setSessionCookie(c, config, session)
  return {}
}

/**
 * What a program is told of an opened or confirmed link.
 * @param c the request's context
 * @param deps the configuration, the log and the tally
 * @param result from `openVerifyLink` or `confirmVerifyLink`
 * @param transport how to hand over a session, where there is one
 */
export function answerVerification(
  c: Context,
  deps: Pick<Deps, 'config' | 'log' | 'tally'>,
  result: OpenResult | ConfirmResult,
  transport: Transport,
): Response {
  switch (result.outcome) {
    case 'verified':
    case 'already_verified': {
      const { outcome: status, user } = result
      const granted = grantSession(c, deps.config, result.session, transport)
      return c.json({ ok: true, status, user, ...granted })
    }
    case 'confirm_required':
      return c.json({
        ok: true,
        status: result.outcome,
        email: result.email,
        password_required: !result.holdsClaim,
      })
    case 'rate_limited':
      noteRefusal(c, deps, result.verdict)
      return tooManyRequests(c, result.verdict)
    case 'invalid':
    case 'expired':
    case 'not_found':
    case 'proof_required':
    case 'email_taken':
      return problem(c, result.outcome)
  }
}
