// Waiting for the mail: the inbox page, sending the link again, correcting the address.

import type { Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { changeEmail } from '../accounts/change-email.ts'
import { type AccountView, readAccount } from '../accounts/read-account.ts'
import { body, changeEmailBody, resendBody } from '../accounts/request-bodies.ts'
import { resendByAddress, resendBySession } from '../accounts/resend-verification.ts'
import type { Deps } from '../deps.ts'
import { enqueueAfterResponse } from '../http/after-response.ts'
import { clientIp } from '../http/client-ip.ts'
import { contentSecurityPolicy } from '../http/content-security-policy.ts'
import { localeOf } from '../http/negotiation.ts'
import { newApp } from '../http/new-app.ts'
import { presentedToken } from '../http/session-transport.ts'
import { loginSubjects, mailSubjects } from '../limits/policies.ts'
import { type FieldErrors, formBody, sameSite } from './form-body.ts'
import { CORRECT_PATH, CorrectAddressPage, InboxPage } from './inbox-page.tsx'
import { brandOf, sendPage } from './layout.tsx'
import { limited, setRateLimitHeaders } from './limited.tsx'
import { NewLinkPage, ResendAcceptedPage } from './link-pages.tsx'
import type { NoticeName } from './notices.tsx'
import { pathWith, redirectField, redirectTarget } from './redirect-target.ts'

const resendForm = body({ ...resendBody.shape, redirect_to: redirectField })

/**
 * Sends the inbox page, the only one that may run a script.
 * @param c the request's context
 * @param deps the configuration
 * @param props what it shows
 * @param status of the answer
 */
export function sendInbox(
  c: Context,
  { config }: Pick<Deps, 'config'>,
  props: {
    readonly account: AccountView
    readonly target?: string | undefined
    readonly notice?: NoticeName | undefined
  },
  status: ContentfulStatusCode = 200,
): Response {
  c.header('Content-Security-Policy', contentSecurityPolicy(config, 'own'))
  return sendPage(c, <InboxPage brand={brandOf(config)} {...props} />, status)
}

/**
 * `/resend`, `/correct-address`.
 * @param deps capabilities
 */
export function inboxRoutes(deps: Deps): Hono {
  const { config } = deps
  const brand = brandOf(config)
  const app = newApp()
  const accountOf = (c: Context) => readAccount(deps, presentedToken(c, config))

  app.get('/resend', (c) => sendPage(c, <NewLinkPage brand={brand} />))

  app.post(
    '/resend',
    sameSite,
    formBody(resendForm, (c, { email }, errors) =>
      sendPage(c, <NewLinkPage brand={brand} email={email} error={errors.email} />, 422),
    ),
    (c) => {
      const { email, redirect_to } = c.req.valid('form')
      return limited(c, deps, mailSubjects(config, clientIp(c), email), async () => {
        if (email === undefined) return resendToSession(c, redirectTarget(config, redirect_to))
        enqueueAfterResponse(c, deps, await resendByAddress(deps, email, localeOf(c)))
        return sendPage(c, <ResendAcceptedPage brand={brand} email={email} />, 202)
      })
    },
  )

  async function resendToSession(c: Context, target: string | undefined): Promise<Response> {
    const token = presentedToken(c, config)
    if (token === null) return c.redirect('/login', 303)
    const result = await resendBySession(deps, token, localeOf(c))
    switch (result.outcome) {
      case 'not_signed_in':
        return c.redirect('/login', 303)
      case 'already_verified':
        return c.redirect('/', 303)
      case 'sent':
        enqueueAfterResponse(c, deps, result.messageId)
        return c.redirect(pathWith('/', { notice: 'mail_sent', redirect_to: target }), 303)
      case 'rate_limited': {
        const account = await accountOf(c)
        if (account === null) return c.redirect('/login', 303)
        setRateLimitHeaders(c, result.verdict)
        return sendInbox(c, deps, { account, target }, 429)
      }
    }
  }

  app.get(CORRECT_PATH, async (c) => {
    const account = await accountOf(c)
    return account === null ? c.redirect('/login', 303) : sendForm(c, account)
  })

  function sendForm(
    c: Context,
    { user }: AccountView,
    typed?: string,
    errors: FieldErrors = {},
    status: ContentfulStatusCode = 200,
  ): Response {
    // Once confirmed, an address is changed on the account's page.
    if (user.emailVerifiedAt !== null) return c.redirect('/account', 303)
    return sendPage(
      c,
      <CorrectAddressPage {...{ brand, email: user.email, typed, errors }} />,
      status,
    )
  }

  app.post(
    CORRECT_PATH,
    sameSite,
    formBody(changeEmailBody, async (c, typed, errors) => {
      const account = await accountOf(c)
      if (account === null) return c.redirect('/login', 303)
      return sendForm(c, account, typed.new_email, errors, 422)
    }),
    async (c) => {
      const account = await accountOf(c)
      if (account === null) return c.redirect('/login', 303)
      // Whoever was verified in another tab meanwhile must not lose that by a stale form.
      if (account.user.emailVerifiedAt !== null) return c.redirect('/account', 303)
      const { new_email: newEmail, password } = c.req.valid('form')
      const subjects = [
        ...mailSubjects(config, clientIp(c), newEmail),
        ...loginSubjects(config, clientIp(c), account.user.email),
      ]
      return limited(c, deps, subjects, async () => {
        const result = await changeEmail(deps, account, { newEmail, password, locale: localeOf(c) })
        switch (result.outcome) {
          case 'invalid_credentials':
            return sendForm(c, account, newEmail, { password: 'The password is not right.' }, 401)
          case 'unchanged':
            return sendForm(
              c,
              account,
              newEmail,
              { new_email: 'This is the address you have.' },
              422,
            )
          case 'confirmation_sent':
            enqueueAfterResponse(c, deps, ...result.messageIds)
            return c.redirect(pathWith('/', { notice: 'address_replaced' }), 303)
        }
      })
    },
  )

  return app
}
