// The JSON contract of accounts: parse, call, answer. Nothing is decided here.

import { Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { enqueueAfterResponse } from '../../http/after-response.ts'
import { clientOf } from '../../http/client.ts'
import { clientIp } from '../../http/client-ip.ts'
import { fieldErrors, jsonBody, requireJson } from '../../http/json-body.ts'
import { problem } from '../../http/problem.ts'
import { tooManyRequests, withinLimits } from '../../http/rate-limit.ts'
import { clearSessionCookie, presentedSession } from '../../http/session-transport.ts'
import { loginSubjects, mailSubjects } from '../../limits/policies.ts'
import { deleteAccount } from '../delete-account.ts'
import { login } from '../login.ts'
import { register } from '../register.ts'
import { resendByAddress, resendBySession } from '../resend-verification.ts'
import {
  deleteAccountBody,
  emailField,
  loginBody,
  registerBody,
  resendBody,
  resendEnvelope,
  verifyBody,
} from '../schemas.ts'
import { endSession, findSession } from '../sessions.ts'
import { instant, viewUser } from '../user.ts'
import { confirmVerifyLink, openVerifyLink } from '../verify-link.ts'
import { answerVerification, grantSession } from './answers.ts'
import { requireSession, requireVerifiedEmail } from './require-session.ts'

/**
 * The routes under `/auth`, and the resend under its older envelope.
 * @param deps capabilities
 */
export function accountRoutes(deps: Deps): Hono {
  const { config } = deps
  const app = new Hono()

  app.post('/auth/register', requireJson(), jsonBody(registerBody), (c) => {
    const { email, password, transport } = c.req.valid('json')
    return withinLimits(c, deps, mailSubjects(config, clientIp(c), email), async () => {
      const { user, session, messageId } = await register(deps, {
        email,
        password,
        presentedToken: presentedSession(c, config)?.token ?? null,
        client: clientOf(c),
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
        presentedToken: presentedSession(c, config)?.token ?? null,
        client: clientOf(c),
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

  app.post('/auth/logout', async (c) => {
    await endSession(deps, presentedSession(c, config)?.token ?? null)
    clearSessionCookie(c, config)
    return c.body(null, 204)
  })

  app.get('/auth/session', requireSession(deps), (c) => {
    const { user, expiresAt, mail } = c.var.signedIn
    return c.json({
      ok: true,
      status: 'signed_in',
      user: viewUser(user),
      session: { expires_at: instant(expiresAt) },
      mail: mail === null ? null : { state: mail.state, at: instant(mail.at) },
    })
  })

  app.get('/auth/check', async (c) => {
    const signedIn = await findSession(deps, presentedSession(c, config)?.token ?? null)
    if (signedIn === null) return problem(c, 'not_signed_in')
    const user = viewUser(signedIn.user)
    const mustBeVerified = ['1', 'true'].includes(c.req.query('verified') ?? '')
    if (mustBeVerified && !user.is_email_verified) return problem(c, 'email_not_verified')
    return c.json({ ok: true, status: 'signed_in' }, 200, {
      'X-Auth-User-Id': user.id,
      'X-Auth-Email': user.email,
      'X-Auth-Email-Verified': String(user.is_email_verified),
    })
  })

  app.get('/auth/verify-email', async (c) => {
    const presented = presentedSession(c, config)
    const result = await openVerifyLink(deps, {
      token: c.req.query('token') ?? '',
      presentedToken: presented?.token ?? null,
      method: c.req.method,
    })
    return answerVerification(c, deps, result, presented?.transport ?? 'cookie')
  })

  app.post('/auth/verify-email', requireJson(), jsonBody(verifyBody), async (c) => {
    const { token, password, transport } = c.req.valid('json')
    const presented = presentedSession(c, config)
    const result = await confirmVerifyLink(deps, {
      token,
      password,
      presentedToken: presented?.token ?? null,
      client: clientOf(c),
    })
    return answerVerification(c, deps, result, transport ?? presented?.transport ?? 'cookie')
  })

  app.post(
    '/auth/resend-verification',
    requireJson({ emptyIsObject: true }),
    jsonBody(resendBody),
    (c) => {
      const { email } = c.req.valid('json')
      return withinLimits(c, deps, mailSubjects(config, clientIp(c), email), async () => {
        if (email !== undefined) {
          enqueueAfterResponse(c, deps, await resendByAddress(deps, email))
          return c.json({ ok: true, status: 'accepted' }, 202)
        }
        const presented = presentedSession(c, config)
        if (presented === null) return problem(c, 'not_signed_in')
        const result = await resendBySession(deps, presented.token)
        switch (result.outcome) {
          case 'not_signed_in':
            return problem(c, 'not_signed_in')
          case 'rate_limited':
            return tooManyRequests(c, result.verdict)
          case 'already_verified':
            return c.json({ ok: true, status: 'already_verified' })
          case 'sent':
            enqueueAfterResponse(c, deps, result.messageId)
            return c.json({ ok: true, status: 'sent' })
        }
      })
    },
  )

  app.post('/resend-verification-email', async (c) => {
    const body: unknown = await c.req.json().catch(() => undefined)
    if (body === undefined) return problem(c, 'invalid_json')
    const envelope = resendEnvelope.safeParse(body)
    if (!envelope.success) return problem(c, 'invalid_envelope')
    const address = emailField.safeParse(envelope.data.data.email)
    if (!address.success) {
      const errors = fieldErrors(address.error.issues)
      return problem(c, 'invalid_input', {
        errors: errors.map(({ message }) => ({ path: 'data.email', message })),
      })
    }
    const email = address.data
    return withinLimits(c, deps, mailSubjects(config, clientIp(c), email), async () => {
      enqueueAfterResponse(c, deps, await resendByAddress(deps, email))
      return c.json({ message: 'Verification email resent' })
    })
  })

  app.delete(
    '/auth/account',
    requireJson(),
    jsonBody(deleteAccountBody),
    requireVerifiedEmail(deps),
    (c) => {
      const { user } = c.var.signedIn
      const { password } = c.req.valid('json')
      return withinLimits(c, deps, loginSubjects(config, clientIp(c), user.email), async () => {
        const result = await deleteAccount(deps, user, password)
        if (result.outcome === 'wrong_password') return problem(c, 'invalid_credentials')
        clearSessionCookie(c, config)
        return c.body(null, 204)
      })
    },
  )

  return app
}
