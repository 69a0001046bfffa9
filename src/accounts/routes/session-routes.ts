// Signing up, in and out, and the sessions that come of it.

import type { Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { enqueueAfterResponse } from '../../http/after-response.ts'
import { clientOf } from '../../http/client.ts'
import { clientIp } from '../../http/client-ip.ts'
import { jsonBody, requireJson } from '../../http/json-body.ts'
import { localeOf } from '../../http/negotiation.ts'
import { newApp } from '../../http/new-app.ts'
import { problem } from '../../http/problem.ts'
import { withinLimits } from '../../http/rate-limit.ts'
import {
  clearSessionCookie,
  presentedSession,
  presentedToken,
} from '../../http/session-transport.ts'
import { loginSubjects, mailSubjects } from '../../limits/policies.ts'
import { checkSession } from '../check-session.ts'
import { listSessions, revokeSession } from '../list-sessions.ts'
import { login } from '../login.ts'
import { readSession } from '../read-session.ts'
import { register } from '../register.ts'
import { loginBody, registerBody } from '../request-bodies.ts'
import { endSession } from '../sessions.ts'
import { instant, viewUser } from '../user.ts'
import { viewMail } from '../view-mail.ts'
import { grantSession } from './answers.ts'

/**
 * `/auth/register`, `/auth/login`, `/auth/logout`, `/auth/session`, `/auth/sessions`, `/auth/check`.
 * @param deps capabilities
 */
export function sessionRoutes(deps: Deps): Hono {
  const { config } = deps
  const app = newApp()

  app.post('/auth/register', requireJson(), jsonBody(registerBody), (c) => {
    const { email, password, transport } = c.req.valid('json')
    return withinLimits(c, deps, mailSubjects(config, clientIp(c), email), async () => {
      const { user, session, messageId } = await register(deps, {
        email,
        password,
        presentedToken: presentedToken(c, config),
        client: clientOf(c),
        locale: localeOf(c),
      })
      enqueueAfterResponse(c, deps, messageId)
      const granted = grantSession(c, config, session, transport)
      return c.json({ ok: true, status: 'verification_sent', user, ...granted }, 201)
    })
  })

  app.post('/auth/login', requireJson(), jsonBody(loginBody), (c) => {
    const { email, password, transport } = c.req.valid('json')
    return withinLimits(c, deps, loginSubjects(config, clientIp(c), email), async () => {
      const result = await login(deps, {
        email,
        password,
        presentedToken: presentedToken(c, config),
        client: clientOf(c),
        locale: localeOf(c),
      })
      switch (result.outcome) {
        case 'invalid_credentials':
          return problem(c, 'invalid_credentials')
        case 'email_not_verified':
          enqueueAfterResponse(c, deps, result.messageId)
          return problem(c, 'email_not_verified')
        case 'signed_in': {
          const granted = grantSession(c, config, result.session, transport)
          return c.json({ ok: true, status: 'signed_in', user: result.user, ...granted })
        }
      }
    })
  })

  // No form comes through here: another site's could sign its visitors out.
  app.post('/auth/logout', requireJson({ emptyIsObject: true }), async (c) => {
    const presented = presentedSession(c, config)
    await endSession(deps, presented?.token ?? null)
    if (presented?.transport !== 'bearer') clearSessionCookie(c, config)
    return c.body(null, 204)
  })

  app.get('/auth/session', async (c) => {
    const session = await readSession(deps, presentedToken(c, config))
    if (session === null) return problem(c, 'not_signed_in')
    const { user, expiresAt, mail } = session
    return c.json({
      ok: true,
      status: 'signed_in',
      user: viewUser(user, config),
      session: { expires_at: instant(expiresAt) },
      mail: viewMail(mail),
    })
  })

  app.get('/auth/check', async (c) => {
    // Fails closed: whatever else an operator may write there, it was meant to demand something.
    const demanded = c.req.query('verified')
    const mustBeVerified = demanded !== undefined && !['0', 'false'].includes(demanded)
    const result = await checkSession(deps, presentedToken(c, config), mustBeVerified)
    if (!result.ok) return problem(c, result.error)
    return c.json({ ok: true, status: 'signed_in' }, 200, {
      'X-Auth-User-Id': result.user.id,
      'X-Auth-Email': result.user.email,
      'X-Auth-Email-Verified': String(result.user.is_email_verified),
    })
  })

  app.get('/auth/sessions', async (c) => {
    const token = presentedToken(c, config)
    const sessions = token === null ? null : await listSessions(deps, token)
    if (sessions === null) return problem(c, 'not_signed_in')
    return c.json({ ok: true, status: 'signed_in', sessions })
  })

  app.delete('/auth/sessions/:id', async (c) => {
    const token = presentedToken(c, config)
    if (token === null) return problem(c, 'not_signed_in')
    const outcome = await revokeSession(deps, token, c.req.param('id'))
    return outcome === 'revoked' ? c.json({ ok: true, status: 'revoked' }) : problem(c, outcome)
  })

  return app
}
