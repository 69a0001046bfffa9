// The link in the mail: open it, confirm it, send it again, or say that one never asked for it.

import type { Context, Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { enqueueAfterResponse } from '../../http/after-response.ts'
import { clientOf } from '../../http/client.ts'
import { clientIp } from '../../http/client-ip.ts'
import { fieldErrors, jsonBody, requireJson } from '../../http/json-body.ts'
import { localeOf } from '../../http/negotiation.ts'
import { newApp } from '../../http/new-app.ts'
import { problem } from '../../http/problem.ts'
import { tooManyRequests, withinLimits } from '../../http/rate-limit.ts'
import { presentedSession, presentedToken } from '../../http/session-transport.ts'
import { mailSubjects } from '../../limits/policies.ts'
import { disown } from '../disown.ts'
import { emailField, resendBody, resendEnvelope, tokenBody, verifyBody } from '../request-bodies.ts'
import { resendByAddress, resendBySession } from '../resend-verification.ts'
import { confirmVerifyLink, openVerifyLink } from '../verify-link.ts'
import { answerVerification } from './answers.ts'

/**
 * `/auth/verify-email`, `/auth/resend-verification`, `/resend-verification-email`, `/auth/disown`.
 * @param deps capabilities
 */
export function verificationRoutes(deps: Deps): Hono {
  const { config } = deps
  const app = newApp()

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

  async function resendToSession(c: Context): Promise<Response> {
    const token = presentedToken(c, config)
    if (token === null) return problem(c, 'not_signed_in')
    const result = await resendBySession(deps, token, localeOf(c))
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
  }

  app.post(
    '/auth/resend-verification',
    requireJson({ emptyIsObject: true }),
    jsonBody(resendBody),
    (c) => {
      const { email } = c.req.valid('json')
      return withinLimits(c, deps, mailSubjects(config, clientIp(c), email), async () => {
        if (email === undefined) return resendToSession(c)
        enqueueAfterResponse(c, deps, await resendByAddress(deps, email, localeOf(c)))
        return c.json({ ok: true, status: 'accepted' }, 202)
      })
    },
  )

  // For clients that post `{data: {email}}`. They never promised a content type, so none is asked for.
  app.post('/resend-verification-email', async (c) => {
    // Any content type also means any website's form: its visitors' limits are not for it to spend.
    if (c.req.header('Sec-Fetch-Site') === 'cross-site') return problem(c, 'cross_site')
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
      enqueueAfterResponse(c, deps, await resendByAddress(deps, email, localeOf(c)))
      return c.json({ message: 'Verification email resent' })
    })
  })

  app.post('/auth/disown', requireJson(), jsonBody(tokenBody), async (c) => {
    const result = await disown(deps, c.req.valid('json').token)
    if (result.outcome !== 'disowned') return problem(c, result.outcome)
    return c.json({ ok: true, status: 'disowned' })
  })

  return app
}
