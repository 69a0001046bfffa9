// The confirm page and its outcomes, at the path that the JSON route answers programs at.

import type { Context, Hono } from 'hono'
import * as z from 'zod/mini'
import { passwordField } from '../accounts/request-bodies.ts'
import {
  type ConfirmResult,
  confirmVerifyLink,
  type OpenResult,
  openVerifyLink,
} from '../accounts/verify-link.ts'
import type { Deps } from '../deps.ts'
import { clientOf } from '../http/client.ts'
import { isFormPost, prefersHtml } from '../http/negotiation.ts'
import { newApp } from '../http/new-app.ts'
import { noteRefusal } from '../http/rate-limit.ts'
import { presentedToken, setSessionCookie } from '../http/session-transport.ts'
import { orElse } from '../or-else.ts'
import { verifyToken } from '../signing/token.ts'
import { formBody, onlyForms, sameSite, VERIFY_PATH } from './form-body.ts'
import { brandOf, sendPage, withoutReferrer } from './layout.tsx'
import { tooManyPage } from './limited.tsx'
import { AlreadyVerifiedPage, BadLinkPage, ConfirmPage, VerifiedPage } from './link-pages.tsx'
import { redirectField, redirectTarget, targetOf } from './redirect-target.ts'

/** A field that does not fit is as good as none: the link or the proof fails. */
const confirmForm = z.object({
  token: orElse(z.string(), ''),
  password: orElse(z.optional(passwordField), undefined),
  redirect_to: redirectField,
})

/** What the outcomes' pages need besides the result. */
interface Opened {
  readonly token: string
  readonly target: string | undefined
  /** Whether a password was tried. */
  readonly isGuess: boolean
}

/**
 * `/auth/verify-email` for people; programs are left to the JSON routes.
 * @param deps capabilities
 */
export function linkRoutes(deps: Deps): Hono {
  const { config } = deps
  const brand = brandOf(config)
  const app = newApp()

  app.get(VERIFY_PATH, async (c, next) => {
    if (!prefersHtml(c)) return next()
    const token = c.req.query('token') ?? ''
    const result = await openVerifyLink(deps, {
      token,
      presentedToken: presentedToken(c, config),
      method: c.req.method,
    })
    return show(c, { token, target: targetOf(c, config), isGuess: false }, result)
  })

  app.post(
    VERIFY_PATH,
    onlyForms(sameSite),
    onlyForms(
      formBody(confirmForm, (c) => sendPage(c, <BadLinkPage brand={brand} kind="invalid" />, 400)),
    ),
    async (c, next) => {
      if (!isFormPost(c)) return next()
      const { token, password, redirect_to } = c.req.valid('form')
      const result = await confirmVerifyLink(deps, {
        token,
        password,
        presentedToken: presentedToken(c, config),
        client: clientOf(c),
      })
      const target = redirectTarget(config, redirect_to)
      return show(c, { token, target, isGuess: password !== undefined }, result)
    },
  )

  async function show(
    c: Context,
    { token, target, isGuess }: Opened,
    result: OpenResult | ConfirmResult,
  ): Promise<Response> {
    withoutReferrer(c)
    switch (result.outcome) {
      case 'verified':
      case 'already_verified': {
        const { session } = result
        if (session !== null) setSessionCookie(c, config, session)
        const { email } = result.user
        return result.outcome === 'verified'
          ? sendPage(
              c,
              <VerifiedPage {...{ brand, email, target }} isSignedIn={session !== null} />,
            )
          : sendPage(c, <AlreadyVerifiedPage {...{ brand, email, target }} />)
      }
      case 'confirm_required': {
        const { email, holdsClaim } = result
        const props = { brand, kind: await kindOf(token), email, token, target }
        return sendPage(c, <ConfirmPage {...props} needsPassword={!holdsClaim} />)
      }
      case 'proof_required': {
        const kind = await kindOf(token)
        const passwordError = isGuess ? WRONG_PASSWORD[kind] : 'Enter your password.'
        const props = { brand, kind, email: result.email, token, target, passwordError }
        return sendPage(c, <ConfirmPage {...props} needsPassword />, 403)
      }
      case 'rate_limited':
        noteRefusal(c, deps, result.verdict)
        return tooManyPage(c, brand, result.verdict)
      case 'expired':
      case 'invalid': {
        const isChange = (await kindOf(token)) === 'change'
        const kind = isChange ? (`change_${result.outcome}` as const) : result.outcome
        return sendPage(c, <BadLinkPage brand={brand} kind={kind} />, 400)
      }
      case 'email_taken':
        return sendPage(c, <BadLinkPage brand={brand} kind="email_taken" />, 409)
      case 'not_found':
        return sendPage(c, <BadLinkPage brand={brand} kind="not_found" />, 404)
    }
  }

  /** For the wording alone: both kinds of link lead here, and the outcome does not say which it was. */
  async function kindOf(token: string): Promise<'verify' | 'change'> {
    const result = await verifyToken(deps.keyRing, ['change'], token, deps.now())
    return result.ok || result.failure === 'expired' ? 'change' : 'verify'
  }

  return app
}

const WRONG_PASSWORD = {
  verify: 'This is not the password chosen when signing up.',
  change: 'This is not the password of the account.',
} as const
