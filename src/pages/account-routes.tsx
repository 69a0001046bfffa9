// The account's page and its forms. A form that did its work leads back to the page (post, redirect, get), so
// that reloading repeats nothing; one that did not comes back with its errors.

import type { Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import * as z from 'zod/mini'
import { cancelEmailChange, changeEmail } from '../accounts/change-email.ts'
import { changePassword } from '../accounts/change-password.ts'
import { deleteAccount } from '../accounts/delete-account.ts'
import { revokeSession } from '../accounts/list-sessions.ts'
import { type AccountView, readAccount } from '../accounts/read-account.ts'
import {
  changeEmailBody,
  changePasswordBody,
  deleteAccountBody,
} from '../accounts/request-bodies.ts'
import { resendBySession } from '../accounts/resend-verification.ts'
import { countsAsVerified } from '../accounts/user.ts'
import type { Deps } from '../deps.ts'
import { enqueueAfterResponse } from '../http/after-response.ts'
import { clientIp } from '../http/client-ip.ts'
import { localeOf } from '../http/negotiation.ts'
import { newApp } from '../http/new-app.ts'
import { clearSessionCookie, presentedToken, setSessionCookie } from '../http/session-transport.ts'
import { loginSubjects, mailSubjects } from '../limits/policies.ts'
import { orElse } from '../or-else.ts'
import { AccountPage, type Returned } from './account-page.tsx'
import { errorPage } from './error-page.tsx'
import { formBody, sameSite } from './form-body.ts'
import { brandOf, sendPage } from './layout.tsx'
import { limited, setRateLimitHeaders } from './limited.tsx'
import { type NoticeName, noticeOf } from './notices.tsx'
import { pathWith } from './redirect-target.ts'

const WRONG_PASSWORD = 'The password is not right.'
const revokeForm = z.object({ id: orElse(z.string(), '') })

/**
 * `/account` and what its forms post to.
 * @param deps capabilities
 */
export function accountRoutes(deps: Deps): Hono {
  const { config } = deps
  const brand = brandOf(config)
  const app = newApp()
  const done = (c: Context, notice: NoticeName, path = '/account') =>
    c.redirect(pathWith(path, { notice }), 303)

  /** Runs a handler for whoever is signed in; sends everybody else to sign in. */
  async function signedIn(
    c: Context,
    handle: (account: AccountView) => Response | Promise<Response>,
  ): Promise<Response> {
    const account = await readAccount(deps, presentedToken(c, config))
    return account === null ? c.redirect('/login', 303) : handle(account)
  }

  function comeBack(
    c: Context,
    account: AccountView,
    returned: Returned,
    status: ContentfulStatusCode,
  ): Response {
    return sendPage(c, <AccountPage {...{ brand, account, returned }} />, status)
  }

  app.get('/account', (c) =>
    signedIn(c, (account) =>
      sendPage(c, <AccountPage {...{ brand, account, notice: noticeOf(c) }} />),
    ),
  )

  app.post(
    '/account/email',
    sameSite,
    formBody(changeEmailBody, (c, { new_email: newEmail }, errors) =>
      signedIn(c, (account) => comeBack(c, account, { form: 'email', errors, newEmail }, 422)),
    ),
    (c) =>
      signedIn(c, (account) => {
        const { new_email: newEmail, password } = c.req.valid('form')
        const refuse = (errors: Returned['errors'], status: 401 | 422) =>
          comeBack(c, account, { form: 'email', errors, newEmail }, status)
        const subjects = [
          ...mailSubjects(config, clientIp(c), newEmail),
          ...loginSubjects(config, clientIp(c), account.user.email),
        ]
        return limited(c, deps, subjects, async () => {
          const input = { newEmail, password, locale: localeOf(c) }
          const result = await changeEmail(deps, account, input)
          switch (result.outcome) {
            case 'invalid_credentials':
              return refuse({ password: WRONG_PASSWORD }, 401)
            case 'unchanged':
              return refuse({ new_email: 'This is the address you have.' }, 422)
            case 'confirmation_sent': {
              enqueueAfterResponse(c, deps, ...result.messageIds)
              const isPending = account.user.emailVerifiedAt !== null
              return isPending ? done(c, 'change_requested') : done(c, 'address_replaced', '/')
            }
          }
        })
      }),
  )

  // Where a form came back with errors, its URL is one of these: reloading it must lead somewhere.
  for (const path of ['/account/email', '/account/password', '/account/delete']) {
    app.get(path, (c) => c.redirect('/account', 303))
  }

  app.post('/account/email/cancel', sameSite, async (c) => {
    const token = presentedToken(c, config)
    const isSignedIn = token !== null && (await cancelEmailChange(deps, token))
    return isSignedIn ? done(c, 'change_cancelled') : c.redirect('/login', 303)
  })

  app.post('/account/email/resend', sameSite, (c) =>
    limited(c, deps, mailSubjects(config, clientIp(c)), async () => {
      const token = presentedToken(c, config)
      if (token === null) return c.redirect('/login', 303)
      const result = await resendBySession(deps, token, localeOf(c))
      switch (result.outcome) {
        case 'not_signed_in':
          return c.redirect('/login', 303)
        case 'already_verified': // cancelled or confirmed meanwhile
          return c.redirect('/account', 303)
        case 'sent':
          enqueueAfterResponse(c, deps, result.messageId)
          return done(c, 'mail_sent')
        case 'rate_limited':
          setRateLimitHeaders(c, result.verdict)
          return signedIn(c, (account) => sendPage(c, <AccountPage {...{ brand, account }} />, 429))
      }
    }),
  )

  app.post(
    '/account/password',
    sameSite,
    formBody(changePasswordBody, (c, _typed, errors) =>
      signedIn(c, (account) => comeBack(c, account, { form: 'password', errors }, 422)),
    ),
    (c) =>
      signedIn(c, (account) => {
        const form = c.req.valid('form')
        const subjects = loginSubjects(config, clientIp(c), account.user.email)
        return limited(c, deps, subjects, async () => {
          const result = await changePassword(deps, account, {
            currentPassword: form.current_password,
            newPassword: form.new_password,
            locale: localeOf(c),
          })
          if (result.outcome === 'unchanged') {
            const errors = { new_password: 'This is the password you have.' }
            return comeBack(c, account, { form: 'password', errors }, 422)
          }
          if (result.outcome !== 'password_changed') {
            const errors = { current_password: WRONG_PASSWORD }
            return comeBack(c, account, { form: 'password', errors }, 401)
          }
          enqueueAfterResponse(c, deps, result.messageId)
          setSessionCookie(c, config, result.session)
          return done(c, 'password_changed')
        })
      }),
  )

  app.post(
    '/account/sessions/revoke',
    sameSite,
    formBody(revokeForm, (c) => c.redirect('/account', 303)),
    async (c) => {
      const token = presentedToken(c, config)
      if (token === null) return c.redirect('/login', 303)
      const outcome = await revokeSession(deps, token, c.req.valid('form').id)
      // One that is gone already was to be gone. Where it was this very one, the page leads to sign in.
      if (outcome === 'not_signed_in') return c.redirect('/login', 303)
      return outcome === 'revoked' ? done(c, 'session_ended') : c.redirect('/account', 303)
    },
  )

  app.post(
    '/account/delete',
    sameSite,
    formBody(deleteAccountBody, (c, _typed, errors) =>
      signedIn(c, (account) => comeBack(c, account, { form: 'delete', errors }, 422)),
    ),
    (c) =>
      signedIn(c, ({ user, ...rest }) => {
        if (!countsAsVerified(user, config)) return errorPage(c, brand, 'email_not_verified')
        const { password } = c.req.valid('form')
        return limited(c, deps, loginSubjects(config, clientIp(c), user.email), async () => {
          const result = await deleteAccount(deps, user, password)
          if (result.outcome !== 'deleted') {
            const errors = { password: WRONG_PASSWORD }
            return comeBack(c, { user, ...rest }, { form: 'delete', errors }, 401)
          }
          clearSessionCookie(c, config)
          return done(c, 'account_deleted', '/')
        })
      }),
  )

  return app
}
