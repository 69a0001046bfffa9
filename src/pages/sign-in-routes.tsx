// The start page, and the forms for signing up, in and out.

import type { Context, Hono } from 'hono'
import * as z from 'zod/mini'
import { isDisownLinkOf } from '../accounts/disown.ts'
import { login } from '../accounts/login.ts'
import { readAccount } from '../accounts/read-account.ts'
import { register } from '../accounts/register.ts'
import { body, loginBody, registerBody } from '../accounts/request-bodies.ts'
import { endSession } from '../accounts/sessions.ts'
import type { Deps } from '../deps.ts'
import { enqueueAfterResponse } from '../http/after-response.ts'
import { clientOf } from '../http/client.ts'
import { clientIp } from '../http/client-ip.ts'
import { localeOf } from '../http/negotiation.ts'
import { newApp } from '../http/new-app.ts'
import { clearSessionCookie, presentedToken, setSessionCookie } from '../http/session-transport.ts'
import { loginSubjects, mailSubjects } from '../limits/policies.ts'
import { orElse } from '../or-else.ts'
import { formBody, sameSite } from './form-body.ts'
import { sendInbox } from './inbox-routes.tsx'
import { brandOf, sendPage, withoutReferrer } from './layout.tsx'
import { limited } from './limited.tsx'
import { noticeOf } from './notices.tsx'
import { pathWith, redirectField, redirectTarget, targetOf } from './redirect-target.ts'
import { LoginPage, NotVerifiedPage, RegisterPage } from './sign-in-pages.tsx'

const registerForm = body({
  ...registerBody.shape,
  redirect_to: redirectField,
  disown_token: orElse(z.optional(z.string()), undefined),
})
const loginForm = body({ ...loginBody.shape, redirect_to: redirectField })

/**
 * `/`, `/register`, `/login`, `/logout`.
 * @param deps capabilities
 */
export function signInRoutes(deps: Deps): Hono {
  const { config } = deps
  const brand = brandOf(config)
  const app = newApp()

  app.get('/', async (c) => {
    const target = targetOf(c, config)
    const account = await readAccount(deps, presentedToken(c, config))
    if (account === null) {
      return sendPage(c, <RegisterPage brand={brand} target={target} notice={noticeOf(c)} />)
    }
    if (account.user.emailVerifiedAt !== null) return c.redirect(target ?? '/account', 303)
    return sendInbox(c, deps, { account, target, notice: noticeOf(c) })
  })

  app.get('/register', (c) =>
    sendPage(c, <RegisterPage brand={brand} target={targetOf(c, config)} />),
  )

  app.get('/login', (c) =>
    sendPage(c, <LoginPage brand={brand} target={targetOf(c, config)} notice={noticeOf(c)} />),
  )

  app.post(
    '/register',
    sameSite,
    formBody(registerForm, (c, typed, errors) => {
      const target = redirectTarget(config, typed.redirect_to)
      const disownToken = typed.disown_token
      if (disownToken !== undefined) withoutReferrer(c)
      const props = { brand, email: typed.email, errors, target, disownToken }
      return sendPage(c, <RegisterPage {...props} />, 422)
    }),
    (c) => {
      const { email, password, redirect_to, disown_token } = c.req.valid('form')
      return limited(c, deps, mailSubjects(config, clientIp(c), email), async () => {
        const { session, messageId } = await register(deps, {
          email,
          password,
          ...cameWith(c),
          endsSilence:
            disown_token !== undefined && (await isDisownLinkOf(deps, disown_token, email)),
        })
        enqueueAfterResponse(c, deps, messageId)
        setSessionCookie(c, config, session)
        // To the inbox first; from there on to the target once the address is confirmed.
        const target = redirectTarget(config, redirect_to)
        return c.redirect(pathWith('/', { redirect_to: target }), 303)
      })
    },
  )

  app.post(
    '/login',
    sameSite,
    formBody(loginForm, (c, typed, errors) => {
      const target = redirectTarget(config, typed.redirect_to)
      const props = { brand, email: typed.email, errors, target }
      return sendPage(c, <LoginPage {...props} />, 422)
    }),
    (c) => {
      const { email, password, redirect_to } = c.req.valid('form')
      const target = redirectTarget(config, redirect_to)
      return limited(c, deps, loginSubjects(config, clientIp(c), email), async () => {
        const result = await login(deps, { email, password, ...cameWith(c) })
        switch (result.outcome) {
          case 'invalid_credentials': {
            const errors = { form: 'Address and password do not match.' }
            return sendPage(c, <LoginPage {...{ brand, email, errors, target }} />, 401)
          }
          case 'email_not_verified': {
            enqueueAfterResponse(c, deps, result.messageId)
            const isMailOnItsWay = result.messageId !== null
            return sendPage(c, <NotVerifiedPage {...{ brand, email, isMailOnItsWay }} />, 403)
          }
          case 'signed_in':
            setSessionCookie(c, config, result.session)
            return c.redirect(target ?? '/', 303)
        }
      })
    },
  )

  app.post('/logout', sameSite, async (c) => {
    await endSession(deps, presentedToken(c, config))
    clearSessionCookie(c, config)
    return c.redirect('/', 303)
  })

  /** What a session's beginning notes of the request. */
  function cameWith(c: Context) {
    return { presentedToken: presentedToken(c, config), client: clientOf(c), locale: localeOf(c) }
  }

  return app
}
