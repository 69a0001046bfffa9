// What support does to a user: a mail, a link, a verification, a suppression lifted. Each with who and why.

import type { Context, Hono } from 'hono'
import type * as z from 'zod/mini'
import { instant } from '../../accounts/user.ts'
import type { Deps } from '../../deps.ts'
import { enqueueAfterResponse } from '../../http/after-response.ts'
import { newApp } from '../../http/new-app.ts'
import type { ProblemCode } from '../../http/problem.ts'
import { brandOf, withoutReferrer } from '../../pages/layout.tsx'
import { sendDesk } from '../desk-layout.tsx'
import { sentences } from '../desk-parts.tsx'
import { FindPage } from '../find-page.tsx'
import {
  type LiftResult,
  liftSuppressionOfAddress,
  liftSuppressionOfUser,
} from '../lift-suppression.ts'
import { LinkPage } from '../link-page.tsx'
import { markVerified } from '../mark-verified.ts'
import { mintSupportLink } from '../mint-support-link.ts'
import type { DeskNotice } from '../notices.tsx'
import { deskProblem, isForPerson } from '../problem-page.tsx'
import { readUserAtDesk } from '../read-user.ts'
import { actionBody, liftBody, linkBody, resendBody } from '../request-bodies.ts'
import { resendLink } from '../resend-link.ts'
import { UserPage } from '../user-page.tsx'
import { deskBody } from './desk-body.ts'
import type { DeskEnv } from './require-desk.tsx'
import { sameSiteForms } from './same-site-forms.ts'

/** What may come of an action besides success; a page tells it by a notice, a program gets a problem. */
type Refusal = Extract<ProblemCode & DeskNotice, 'suppressed' | 'email_taken'>

/**
 * The acting part of `/admin/users`, and `/admin/lift-suppression`.
 * @param deps capabilities
 */
export function supportRoutes(deps: Deps): Hono<DeskEnv> {
  const brand = brandOf(deps.config)
  const app = newApp<DeskEnv>()
  const pathOf = (c: Context) => `/admin/users/${encodeURIComponent(c.req.param('id') ?? '')}`

  /** Reads the body and runs the action, or answers what is wrong with it. */
  async function acting<Schema extends z.ZodMiniType>(
    c: Context<DeskEnv>,
    schema: Schema,
    run: (data: z.output<Schema>, userId: string) => Promise<Response>,
  ): Promise<Response> {
    const userId = c.req.param('id') ?? ''
    const body = await deskBody(c, schema)
    if (body.ok) return run(body.data, userId)
    if (!isForPerson(c) || body.code !== 'invalid_input') {
      return deskProblem(c, brand, body.code, { errors: body.errors })
    }
    const found = await readUserAtDesk(deps, userId)
    if (found === null) return deskProblem(c, brand, 'not_found')
    const returned = { reason: body.typed.reason, errors: sentences(body.errors) }
    return sendDesk(c, <UserPage {...{ brand, found, returned }} />, 422)
  }

  function done(c: Context, status: DeskNotice, more: object = {}): Response {
    if (isForPerson(c)) return c.redirect(`${pathOf(c)}?notice=${status}`, 303)
    return c.json({ ok: true, status, ...more })
  }

  function refused(c: Context, code: Refusal): Response {
    return isForPerson(c) ? done(c, code) : deskProblem(c, brand, code)
  }

  app.post('/admin/users/:id/resend', sameSiteForms, (c) =>
    acting(c, resendBody, async ({ kind, ...action }, userId) => {
      const result = await resendLink(deps, userId, kind, action)
      switch (result.outcome) {
        case 'sent':
          enqueueAfterResponse(c, deps, result.messageId)
          return done(c, 'sent', { mail_id: result.messageId })
        case 'not_found':
          return deskProblem(c, brand, 'not_found')
        case 'already_verified':
          return done(c, 'already_verified')
        case 'suppressed':
        case 'email_taken':
          return refused(c, result.outcome)
      }
    }),
  )

  app.post('/admin/users/:id/link', sameSiteForms, (c) =>
    acting(c, linkBody, async ({ purpose, ...action }, userId) => {
      const result = await mintSupportLink(deps, userId, purpose, action)
      switch (result.outcome) {
        case 'minted': {
          c.header('Cache-Control', 'no-store')
          withoutReferrer(c)
          if (isForPerson(c)) {
            return sendDesk(c, <LinkPage {...{ brand, userId, purpose, link: result }} />)
          }
          const { url, email, expiresAt } = result
          const link = { url, purpose, email, expires_at: instant(expiresAt) }
          return c.json({ ok: true, status: 'minted', link })
        }
        case 'not_found':
          return deskProblem(c, brand, 'not_found')
        case 'already_verified':
          return done(c, 'already_verified')
        case 'email_taken':
          return refused(c, 'email_taken')
      }
    }),
  )

  app.post('/admin/users/:id/verify', sameSiteForms, (c) =>
    acting(c, actionBody, async (action, userId) => {
      const { outcome } = await markVerified(deps, userId, action)
      if (outcome === 'not_found') return deskProblem(c, brand, 'not_found')
      return outcome === 'email_taken' ? refused(c, outcome) : done(c, outcome)
    }),
  )

  app.post('/admin/users/:id/lift-suppression', sameSiteForms, (c) =>
    acting(c, actionBody, async (action, userId) => {
      const result = await liftSuppressionOfUser(deps, userId, action)
      if (result.outcome === 'not_found') return deskProblem(c, brand, 'not_found')
      return done(c, result.outcome, reasonsOf(result))
    }),
  )

  app.post('/admin/lift-suppression', sameSiteForms, async (c) => {
    const body = await deskBody(c, liftBody)
    if (body.ok) {
      const { email, ...action } = body.data
      const result = await liftSuppressionOfAddress(deps, email, action)
      const { outcome } = result
      if (!isForPerson(c)) return c.json({ ok: true, status: outcome, ...reasonsOf(result) })
      return c.redirect(`/admin?notice=${outcome}`, 303)
    }
    if (!isForPerson(c) || body.code !== 'invalid_input') {
      return deskProblem(c, brand, body.code, { errors: body.errors })
    }
    const { email, reason } = body.typed
    const lift = { email, reason, errors: sentences(body.errors) }
    return sendDesk(c, <FindPage {...{ brand, lift }} />, 422)
  })

  // Where a form came back with errors, or showed a link, its URL is one of these: reloading it must lead somewhere.
  app.get('/admin/users/:id/:action{resend|link|verify|lift-suppression}', (c) =>
    c.redirect(pathOf(c), 303),
  )
  app.get('/admin/lift-suppression', (c) => c.redirect('/admin', 303))

  return app
}

function reasonsOf(result: LiftResult): { reasons?: readonly string[] } {
  return result.outcome === 'lifted' ? { reasons: result.reasons } : {}
}
