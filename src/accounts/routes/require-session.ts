// Gates for routes. Put them in front of any handler of this Worker.

import type { MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Deps } from '../../deps.ts'
import { problem } from '../../http/problem.ts'
import { presentedSession } from '../../http/session-transport.ts'
import { findSession, type SignedIn } from '../sessions.ts'
import { countsAsVerified } from '../user.ts'

/** What a gated handler finds in its context: `c.var.signedIn`. */
export interface SignedInEnv {
  Variables: { signedIn: SignedIn }
}

type GateDeps = Pick<Deps, 'db' | 'batch' | 'now' | 'config'>

/**
 * Lets signed-in requests pass; 401 `not_signed_in` otherwise. The user is read anew at every request, so
 * a verification shows at once.
 * @param deps D1, the clock, the configuration
 */
export function requireSession(deps: GateDeps): MiddlewareHandler<SignedInEnv> {
  return createMiddleware<SignedInEnv>(async (c, next) => {
    const presented = presentedSession(c, deps.config)
    const signedIn = await findSession(deps, presented?.token ?? null)
    if (signedIn === null) return problem(c, 'not_signed_in')
    c.set('signedIn', signedIn)
    return next()
  })
}

/**
 * Lets verified users pass; 401 `not_signed_in` or 403 `email_not_verified` otherwise.
 * @param deps D1, the clock, the configuration
 * @example
 * app.post('/invoices', requireVerifiedEmail(deps), (c) => c.json({ for: c.var.signedIn.user.email }))
 */
export function requireVerifiedEmail(deps: GateDeps): MiddlewareHandler<SignedInEnv> {
  const session = requireSession(deps)
  return createMiddleware<SignedInEnv>(async (c, next) => {
    let verified = false
    const refusal = await session(c, async () => {
      verified = countsAsVerified(c.var.signedIn.user, deps.config)
    })
    if (refusal instanceof Response) return refusal
    return verified ? next() : problem(c, 'email_not_verified')
  })
}
