// Pages that act by a mailed token alone. Opening one changes nothing; its form goes to the same path.

import type { Context, Hono } from 'hono'
import * as z from 'zod/mini'
import { disown, openDisownLink } from '../accounts/disown.ts'
import { forgotPassword } from '../accounts/forgot-password.ts'
import { forgotPasswordBody, newPasswordField } from '../accounts/request-bodies.ts'
import { openResetLink, resetPassword } from '../accounts/reset-password.ts'
import { openUndoLink, undoEmailChange } from '../accounts/undo-email-change.ts'
import type { Deps } from '../deps.ts'
import { enqueueAfterResponse } from '../http/after-response.ts'
import { clientIp } from '../http/client-ip.ts'
import { localeOf } from '../http/negotiation.ts'
import { newApp } from '../http/new-app.ts'
import { clearSessionCookie } from '../http/session-transport.ts'
import { mailSubjects } from '../limits/policies.ts'
import { orElse } from '../or-else.ts'
import {
  DISOWN_PATH,
  type FieldErrors,
  formBody,
  RESET_PATH,
  sameSite,
  UNDO_PATH,
} from './form-body.ts'
import { brandOf, sendPage, withoutReferrer } from './layout.tsx'
import { limited } from './limited.tsx'
import {
  BadRecoveryPage,
  DisownedPage,
  DisownPage,
  ForgotAcceptedPage,
  ForgotPage,
  type RecoveryKind,
  ResetPage,
  UndonePage,
  UndoPage,
} from './recovery-pages.tsx'

/** A token that is no text is as good as none. */
const tokenField = orElse(z.string(), '')
const tokenForm = z.object({ token: tokenField })
const resetForm = z.object({ token: tokenField, password: newPasswordField })

/**
 * `/forgot-password`, `/reset-password`, `/disown`, `/undo-email-change`.
 * @param deps capabilities
 */
export function recoveryRoutes(deps: Deps): Hono {
  const { config } = deps
  const brand = brandOf(config)
  const app = newApp()
  const tokenOf = (c: Context) => c.req.query('token') ?? ''

  for (const path of [RESET_PATH, DISOWN_PATH, UNDO_PATH]) {
    app.use(path, (c, next) => {
      withoutReferrer(c)
      return next()
    })
  }

  function bad(c: Context, kind: RecoveryKind, outcome: 'invalid' | 'expired'): Response {
    return sendPage(c, <BadRecoveryPage {...{ brand, kind, outcome }} />, 400)
  }

  app.get('/forgot-password', (c) => sendPage(c, <ForgotPage brand={brand} />))

  app.post(
    '/forgot-password',
    sameSite,
    formBody(forgotPasswordBody, (c, { email }, errors) =>
      sendPage(c, <ForgotPage {...{ brand, email, errors }} />, 422),
    ),
    (c) => {
      const { email } = c.req.valid('form')
      return limited(c, deps, mailSubjects(config, clientIp(c), email), async () => {
        enqueueAfterResponse(c, deps, await forgotPassword(deps, email, localeOf(c)))
        return sendPage(c, <ForgotAcceptedPage brand={brand} email={email} />, 202)
      })
    },
  )

  async function askForPassword(
    c: Context,
    token: string,
    errors?: FieldErrors,
  ): Promise<Response> {
    const link = await openResetLink(deps, token)
    if (link.outcome !== 'ready') return bad(c, 'reset', link.outcome)
    const props = { brand, email: link.email, token, ...(errors && { errors }) }
    return sendPage(c, <ResetPage {...props} />, errors === undefined ? 200 : 422)
  }

  app.get(RESET_PATH, (c) => askForPassword(c, tokenOf(c)))

  app.post(
    RESET_PATH,
    sameSite,
    formBody(resetForm, (c, { token }, errors) => askForPassword(c, token ?? '', errors)),
    async (c) => {
      const { token, password } = c.req.valid('form')
      const result = await resetPassword(deps, { token, password, locale: localeOf(c) })
      if (result.outcome !== 'password_reset') return bad(c, 'reset', result.outcome)
      enqueueAfterResponse(c, deps, result.messageId)
      clearSessionCookie(c, config)
      return c.redirect('/login?notice=password_reset', 303)
    },
  )

  app.get(DISOWN_PATH, async (c) => {
    const token = tokenOf(c)
    const { outcome } = await openDisownLink(deps, token)
    if (outcome !== 'ready') return bad(c, 'disown', outcome)
    return sendPage(c, <DisownPage brand={brand} token={token} />)
  })

  app.post(
    DISOWN_PATH,
    sameSite,
    formBody(tokenForm, (c) => bad(c, 'disown', 'invalid')),
    async (c) => {
      const { token } = c.req.valid('form')
      const { outcome } = await disown(deps, token)
      if (outcome !== 'disowned') return bad(c, 'disown', outcome)
      return sendPage(c, <DisownedPage brand={brand} token={token} />)
    },
  )

  app.get(UNDO_PATH, async (c) => {
    const token = tokenOf(c)
    const link = await openUndoLink(deps, token)
    if (link.outcome !== 'ready') return bad(c, 'undo', link.outcome)
    return sendPage(c, <UndoPage brand={brand} email={link.email} token={token} />)
  })

  app.post(
    UNDO_PATH,
    sameSite,
    formBody(tokenForm, (c) => bad(c, 'undo', 'invalid')),
    async (c) => {
      const result = await undoEmailChange(deps, c.req.valid('form').token, localeOf(c))
      if (result.outcome !== 'restored') return bad(c, 'undo', result.outcome)
      enqueueAfterResponse(c, deps, result.messageId)
      clearSessionCookie(c, config)
      const props = { brand, email: result.email, isMailOnItsWay: result.messageId !== null }
      return sendPage(c, <UndonePage {...props} />)
    },
  )

  return app
}
