// Forms and pages for people. They call what the JSON routes call and work with JavaScript off. Another
// site's form is refused (CSRF): it could register or sign a browser in as somebody else.

import { zValidator } from '@hono/zod-validator'
import { type Context, Hono, type Next } from 'hono'
import { csrf } from 'hono/csrf'
import { createMiddleware } from 'hono/factory'
import * as z from 'zod'
import { login } from '../accounts/login.ts'
import { register } from '../accounts/register.ts'
import { loginBody, passwordField, registerBody, resendBody } from '../accounts/request-bodies.ts'
import { resendByAddress, resendBySession } from '../accounts/resend-verification.ts'
import { endSession, findSession } from '../accounts/sessions.ts'
import { viewUser } from '../accounts/user.ts'
import {
  type ConfirmResult,
  confirmVerifyLink,
  type OpenResult,
  openVerifyLink,
} from '../accounts/verify-link.ts'
import type { Deps } from '../deps.ts'
import { enqueueAfterResponse } from '../http/after-response.ts'
import { clientOf } from '../http/client.ts'
import { clientIp } from '../http/client-ip.ts'
import { fieldErrors } from '../http/json-body.ts'
import { isFormPost, localeOf, prefersHtml } from '../http/negotiation.ts'
import { rateLimitHeaders, withinLimits } from '../http/rate-limit.ts'
import {
  clearSessionCookie,
  presentedSession,
  setSessionCookie,
} from '../http/session-transport.ts'
import type { Subject } from '../limits/counters.ts'
import { loginSubjects, mailSubjects } from '../limits/policies.ts'
import type { Verdict } from '../limits/window.ts'
import {
  HomePage,
  LoginPage,
  RegisterPage,
  ResendAcceptedPage,
  type ResendNotice,
  TooManyPage,
} from './account-pages.tsx'
import { ICON_PATH, icon, STYLESHEET_PATH, stylesheet } from './assets.ts'
import { type FieldErrors, sendPage } from './layout.tsx'
import { AlreadyVerifiedPage, BadLinkPage, ConfirmPage, VerifiedPage } from './verify-pages.tsx'

const VERIFY_PATH = '/auth/verify-email'

/** Kept when a form comes back with errors; a password never is. */
const typedEmail = z.object({ email: z.string() }).catch({ email: '' })

/** The button of the confirm page. A field that does not fit is as good as none: the link or the proof fails. */
const confirmForm = z.object({
  token: z.string().catch(''),
  password: passwordField.optional().catch(undefined),
})

/**
 * The pages.
 * @param deps capabilities
 */
export function pageRoutes(deps: Deps): Hono {
  const { config } = deps
  const appName = config.APP_NAME
  const app = new Hono()
  const sameSite = csrf({ origin: isOwnOrigin })
  const tooMany = (c: Context, verdict: Verdict) => {
    for (const [name, value] of Object.entries(rateLimitHeaders(verdict))) c.header(name, value)
    return sendPage(c, <TooManyPage appName={appName} waitSeconds={verdict.resetSeconds} />, 429)
  }
  const limited = (c: Context, subjects: readonly Subject[], handle: () => Promise<Response>) =>
    withinLimits(c, deps, subjects, handle, tooMany)

  app.get(STYLESHEET_PATH, (c) =>
    c.body(stylesheet, 200, {
      'Content-Type': 'text/css; charset=utf-8',
      'Cache-Control': 'public, max-age=3600',
    }),
  )

  app.get(ICON_PATH, (c) =>
    c.body(icon, 200, {
      'Content-Type': 'image/svg+xml',
      'Cache-Control': 'public, max-age=86400',
    }),
  )

  async function home(c: Context, notice?: ResendNotice): Promise<Response> {
    const signedIn = await findSession(deps, presentedSession(c, config)?.token ?? null)
    if (signedIn === null) return sendPage(c, <RegisterPage appName={appName} />)
    const user = viewUser(signedIn.user)
    const status = notice?.kind === 'limited' ? 429 : 200
    return sendPage(c, <HomePage appName={appName} user={user} notice={notice} />, status)
  }

  app.get('/', (c) => home(c))
  app.get('/register', (c) => sendPage(c, <RegisterPage appName={appName} />))
  app.get('/login', (c) => sendPage(c, <LoginPage appName={appName} />))

  app.post(
    '/register',
    sameSite,
    zValidator('form', registerBody, (result, c) => {
      if (result.success) return
      const { email } = typedEmail.parse(result.data)
      const errors = errorsByField(result.error.issues)
      return sendPage(c, <RegisterPage appName={appName} email={email} errors={errors} />, 422)
    }),
    (c) => {
      const { email, password } = c.req.valid('form')
      return limited(c, mailSubjects(config, clientIp(c), email), async () => {
        const { session, messageId } = await register(deps, {
          email,
          password,
          presentedToken: presentedSession(c, config)?.token ?? null,
          client: clientOf(c),
          locale: localeOf(c),
        })
        enqueueAfterResponse(c, deps, messageId)
        setSessionCookie(c, config, session)
        return c.redirect('/', 303)
      })
    },
  )

  app.post(
    '/login',
    sameSite,
    zValidator('form', loginBody, (result, c) => {
      if (result.success) return
      const { email } = typedEmail.parse(result.data)
      const errors = errorsByField(result.error.issues)
      return sendPage(c, <LoginPage appName={appName} email={email} errors={errors} />, 422)
    }),
    (c) => {
      const { email, password } = c.req.valid('form')
      const again = (form: string, status: 401 | 403) =>
        sendPage(c, <LoginPage appName={appName} email={email} errors={{ form }} />, status)
      return limited(c, loginSubjects(config, clientIp(c), email), async () => {
        const result = await login(deps, {
          email,
          password,
          presentedToken: presentedSession(c, config)?.token ?? null,
          client: clientOf(c),
          locale: localeOf(c),
        })
        switch (result.outcome) {
          case 'invalid_credentials':
            return again('Address and password do not match.', 401)
          case 'email_not_verified':
            enqueueAfterResponse(c, deps, result.messageId)
            return again(
              'Confirm your address first: open the link in the mail we sent you. If it is lost, a new one is on its way.',
              403,
            )
          case 'signed_in':
            setSessionCookie(c, config, result.session)
            return c.redirect('/', 303)
        }
      })
    },
  )

  app.post('/logout', sameSite, async (c) => {
    await endSession(deps, presentedSession(c, config)?.token ?? null)
    clearSessionCookie(c, config)
    return c.redirect('/', 303)
  })

  app.post(
    '/resend',
    sameSite,
    zValidator('form', resendBody, (result, c) => {
      if (result.success) return
      const { email } = typedEmail.parse(result.data)
      const error = errorsByField(result.error.issues).email
      const page = <BadLinkPage appName={appName} outcome="expired" email={email} error={error} />
      return sendPage(c, page, 422)
    }),
    (c) => {
      const { email } = c.req.valid('form')
      return limited(c, mailSubjects(config, clientIp(c), email), async () => {
        if (email !== undefined) {
          enqueueAfterResponse(c, deps, await resendByAddress(deps, email, localeOf(c)))
          return sendPage(c, <ResendAcceptedPage appName={appName} email={email} />, 202)
        }
        const presented = presentedSession(c, config)
        if (presented === null) return c.redirect('/login', 303)
        const result = await resendBySession(deps, presented.token, localeOf(c))
        switch (result.outcome) {
          case 'sent':
            enqueueAfterResponse(c, deps, result.messageId)
            return home(c, { kind: 'sent' })
          case 'rate_limited':
            return home(c, { kind: 'limited', waitSeconds: result.verdict.resetSeconds })
          case 'already_verified':
          case 'not_signed_in':
            return c.redirect('/', 303)
        }
      })
    },
  )

  app.get(VERIFY_PATH, async (c, next) => {
    if (!prefersHtml(c)) return next()
    const token = c.req.query('token') ?? ''
    const result = await openVerifyLink(deps, {
      token,
      presentedToken: presentedSession(c, config)?.token ?? null,
      method: c.req.method,
    })
    return showLink(c, token, result)
  })

  const onlyForms = createMiddleware((c, next: Next) =>
    isFormPost(c) ? sameSite(c, next) : next(),
  )
  app.post(VERIFY_PATH, onlyForms, async (c, next) => {
    if (!isFormPost(c)) return next()
    const { token, password } = confirmForm.parse(await c.req.parseBody())
    const result = await confirmVerifyLink(deps, {
      token,
      password,
      presentedToken: presentedSession(c, config)?.token ?? null,
      client: clientOf(c),
    })
    return showLink(c, token, result)
  })

  function showLink(c: Context, token: string, result: OpenResult | ConfirmResult): Response {
    c.header('Referrer-Policy', 'no-referrer') // the URL has the token in it
    switch (result.outcome) {
      case 'verified':
      case 'already_verified': {
        if (result.session !== null) setSessionCookie(c, config, result.session)
        const { email } = result.user
        return result.outcome === 'verified'
          ? sendPage(
              c,
              <VerifiedPage appName={appName} email={email} isSignedIn={result.session !== null} />,
            )
          : sendPage(c, <AlreadyVerifiedPage appName={appName} email={email} />)
      }
      case 'confirm_required': {
        const { email, holdsClaim } = result
        const page = (
          <ConfirmPage appName={appName} email={email} token={token} needsPassword={!holdsClaim} />
        )
        return sendPage(c, page)
      }
      case 'proof_required': {
        const page = (
          <ConfirmPage
            appName={appName}
            email={result.email}
            token={token}
            needsPassword
            passwordError="Enter the password you chose when you signed up."
          />
        )
        return sendPage(c, page, 403)
      }
      case 'rate_limited':
        return tooMany(c, result.verdict)
      case 'expired':
      case 'invalid': {
        const page = <BadLinkPage appName={appName} outcome={result.outcome} />
        return sendPage(c, page, 400)
      }
      case 'email_taken':
        return sendPage(c, <BadLinkPage appName={appName} outcome="email_taken" />, 409)
      case 'not_found':
        return sendPage(c, <BadLinkPage appName={appName} outcome="not_found" />, 404)
    }
  }

  return app
}

/**
 * The page behind a link is under `no-referrer`, so its form comes with `Origin: null`. Browsers that say
 * `Sec-Fetch-Site` are judged by that; for older ones it must do that a cross-site form comes without the
 * session cookie (`SameSite=Lax`) and so proves nothing.
 */
function isOwnOrigin(origin: string, c: Context): boolean {
  const { origin: own, pathname } = new URL(c.req.url)
  if (origin === own) return true
  const isOlderBrowser = c.req.header('Sec-Fetch-Site') === undefined
  return origin === 'null' && isOlderBrowser && pathname === VERIFY_PATH
}

function errorsByField(issues: readonly z.core.$ZodIssue[]): FieldErrors {
  return Object.fromEntries(
    fieldErrors(issues)
      .reverse() // the first error of a field wins
      .map(({ path, message }) => [path, sentence(path, message)]),
  )
}

/** The rules are worded to follow the name of a field; some name a part of it themselves. */
function sentence(path: string, message: string): string {
  if (message.startsWith('the ')) return `T${message.slice(1)}.`
  return `${path === 'password' ? 'The password' : 'The address'} ${message}.`
}
