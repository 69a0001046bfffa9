// What an account is entered by, its password and its address, and how they change.

import type { Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { enqueueAfterResponse } from '../../http/after-response.ts'
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
import { cancelEmailChange, changeEmail } from '../change-email.ts'
import { changePassword } from '../change-password.ts'
import { deleteAccount } from '../delete-account.ts'
import { forgotPassword } from '../forgot-password.ts'
import {
  changeEmailBody,
  changePasswordBody,
  deleteAccountBody,
  forgotPasswordBody,
  resetPasswordBody,
  tokenBody,
} from '../request-bodies.ts'
import { resetPassword } from '../reset-password.ts'
import { undoEmailChange } from '../undo-email-change.ts'
import { grantSession } from './answers.ts'
import { requireSession, requireVerifiedEmail } from './require-session.ts'

/**
 * `/auth/forgot-password`, `/auth/reset-password`, `/auth/change-password`, `/auth/change-email`,
 * `/auth/undo-email-change`, `/auth/account`.
 * @param deps capabilities
 */
export function credentialRoutes(deps: Deps): Hono {
  const { config } = deps
  const app = newApp()

  app.post('/auth/forgot-password', requireJson(), jsonBody(forgotPasswordBody), (c) => {
    const { email } = c.req.valid('json')
    return withinLimits(c, deps, mailSubjects(config, clientIp(c), email), async () => {
      enqueueAfterResponse(c, deps, await forgotPassword(deps, email, localeOf(c)))
      return c.json({ ok: true, status: 'accepted' }, 202)
    })
  })

  app.post('/auth/reset-password', requireJson(), jsonBody(resetPasswordBody), async (c) => {
    const { token, password } = c.req.valid('json')
    const result = await resetPassword(deps, { token, password, locale: localeOf(c) })
    if (result.outcome !== 'password_reset') return problem(c, result.outcome)
    enqueueAfterResponse(c, deps, result.messageId)
    clearSessionCookie(c, config)
    return c.json({ ok: true, status: 'password_reset', user: result.user })
  })

  app.post(
    '/auth/change-password',
    requireJson(),
    jsonBody(changePasswordBody),
    requireSession(deps),
    (c) => {
      const { signedIn } = c.var
      const { current_password: currentPassword, new_password: newPassword } = c.req.valid('json')
      const subjects = loginSubjects(config, clientIp(c), signedIn.user.email)
      return withinLimits(c, deps, subjects, async () => {
        const input = { currentPassword, newPassword, locale: localeOf(c) }
        const result = await changePassword(deps, signedIn, input)
        if (result.outcome === 'unchanged') {
          return problem(c, 'invalid_input', {
            errors: [{ path: 'new_password', message: 'is your password already' }],
          })
        }
        if (result.outcome !== 'password_changed') return problem(c, result.outcome)
        enqueueAfterResponse(c, deps, result.messageId)
        const transport = presentedSession(c, config)?.transport ?? 'cookie'
        const granted = grantSession(c, config, result.session, transport)
        return c.json({ ok: true, status: 'password_changed', ...granted })
      })
    },
  )

  app.post(
    '/auth/change-email',
    requireJson(),
    jsonBody(changeEmailBody),
    requireSession(deps),
    (c) => {
      const { signedIn } = c.var
      const { new_email: newEmail, password } = c.req.valid('json')
      // It mails an address of the caller's choice, and it tries a password.
      const subjects = [
        ...mailSubjects(config, clientIp(c), newEmail),
        ...loginSubjects(config, clientIp(c), signedIn.user.email),
      ]
      return withinLimits(c, deps, subjects, async () => {
        const input = { newEmail, password, locale: localeOf(c) }
        const result = await changeEmail(deps, signedIn, input)
        switch (result.outcome) {
          case 'invalid_credentials':
            return problem(c, 'invalid_credentials')
          case 'unchanged':
            return problem(c, 'invalid_input', {
              errors: [{ path: 'new_email', message: 'is your address already' }],
            })
          case 'confirmation_sent':
            enqueueAfterResponse(c, deps, ...result.messageIds)
            return c.json({ ok: true, status: 'confirmation_sent' }, 202)
        }
      })
    },
  )

  app.delete('/auth/change-email', async (c) => {
    const token = presentedToken(c, config)
    const isSignedIn = token !== null && (await cancelEmailChange(deps, token))
    if (!isSignedIn) return problem(c, 'not_signed_in')
    return c.json({ ok: true, status: 'cancelled' })
  })

  app.post('/auth/undo-email-change', requireJson(), jsonBody(tokenBody), async (c) => {
    const result = await undoEmailChange(deps, c.req.valid('json').token, localeOf(c))
    if (result.outcome !== 'restored') return problem(c, result.outcome)
    enqueueAfterResponse(c, deps, result.messageId)
    clearSessionCookie(c, config)
    return c.json({ ok: true, status: 'restored', email: result.email })
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
        if (result.outcome !== 'deleted') return problem(c, result.outcome)
        clearSessionCookie(c, config)
        return c.body(null, 204)
      })
    },
  )

  return app
}
