// Failed mail: the list, and sending it once more.

import type { Context, Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { enqueueAfterResponse } from '../../http/after-response.ts'
import { newApp } from '../../http/new-app.ts'
import { brandOf } from '../../pages/layout.tsx'
import { sendDesk } from '../desk-layout.tsx'
import { sentences } from '../desk-parts.tsx'
import { readFailedMails, retryFailedMails } from '../failed-mails.ts'
import { FailedPage } from '../failed-page.tsx'
import { type DeskNotice, deskNoticeOf } from '../notices.tsx'
import { deskProblem, isForPerson } from '../problem-page.tsx'
import { readUserAtDesk } from '../read-user.ts'
import { retryAllBody, retryBody } from '../request-bodies.ts'
import { UserPage } from '../user-page.tsx'
import { viewMailRow } from '../views.ts'
import { type DeskBody, deskBody } from './desk-body.ts'
import type { DeskEnv } from './require-desk.tsx'
import { sameSiteForms } from './same-site-forms.ts'

/**
 * `/admin/mails`.
 * @param deps capabilities
 */
export function mailRoutes(deps: Deps): Hono<DeskEnv> {
  const brand = brandOf(deps.config)
  const app = newApp<DeskEnv>()

  app.get('/admin/mails/failed', async (c) => {
    const failed = await readFailedMails(deps, c.req.query('before'))
    if (isForPerson(c)) {
      return sendDesk(c, <FailedPage {...{ brand, failed, notice: deskNoticeOf(c) }} />)
    }
    return c.json({ ok: true, mails: failed.mails.map(viewMailRow), next: failed.next })
  })

  app.post('/admin/mails/failed/retry', sameSiteForms, async (c) => {
    const body = await deskBody(c, retryAllBody)
    if (!body.ok) return comeBack(c, body)
    const { ids, ...action } = body.data
    const { retried, notFailed } = await retryFailedMails(deps, ids, action)
    enqueueAfterResponse(c, deps, ...retried)
    if (isForPerson(c)) return leadBack(c, retried.length > 0 ? 'retried' : 'not_failed')
    return c.json({ ok: true, status: 'retried', retried, not_failed: notFailed })
  })

  app.post('/admin/mails/:id/retry', sameSiteForms, async (c) => {
    const body = await deskBody(c, retryBody)
    if (!body.ok) return comeBack(c, body)
    const { user, ...action } = body.data
    const { retried, notFailed } = await retryFailedMails(deps, [c.req.param('id')], action)
    if (retried.length + notFailed.length === 0) return deskProblem(c, brand, 'not_found')
    enqueueAfterResponse(c, deps, ...retried)
    const isRetried = retried.length > 0
    if (isForPerson(c)) return leadBack(c, isRetried ? 'retried' : 'not_failed', user)
    if (!isRetried) return deskProblem(c, brand, 'not_failed')
    return c.json({ ok: true, status: 'retried', mail_id: retried[0] })
  })

  function leadBack(c: Context, notice: DeskNotice, user?: string): Response {
    const path = user === undefined ? '/admin/mails/failed' : `/admin/users/${user}`
    return c.redirect(`${path}?notice=${notice}`, 303)
  }

  /** The form with what is wrong with it, on the page that it was sent from. */
  async function comeBack(
    c: Context<DeskEnv>,
    { code, errors, typed }: Extract<DeskBody<unknown>, { ok: false }>,
  ): Promise<Response> {
    if (!isForPerson(c) || code !== 'invalid_input') {
      return deskProblem(c, brand, code, { errors })
    }
    const returned = { reason: typed.reason, errors: sentences(errors) }
    if (typed.user !== undefined) {
      const found = await readUserAtDesk(deps, typed.user)
      if (found === null) return deskProblem(c, brand, 'not_found')
      return sendDesk(c, <UserPage {...{ brand, found, returned }} />, 422)
    }
    const failed = await readFailedMails(deps, undefined)
    return sendDesk(c, <FailedPage {...{ brand, failed, returned }} />, 422)
  }

  // Reloading a form that came back must lead somewhere.
  app.get('/admin/mails/:id/retry', (c) => c.redirect('/admin/mails/failed', 303))

  return app
}
