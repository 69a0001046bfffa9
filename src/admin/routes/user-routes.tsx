// Looking a user up: find, page, timeline, export.

import type { Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { newApp } from '../../http/new-app.ts'
import { brandOf } from '../../pages/layout.tsx'
import { sendDesk } from '../desk-layout.tsx'
import { sentences } from '../desk-parts.tsx'
import { exportUser } from '../export-user.ts'
import { FindPage } from '../find-page.tsx'
import { findUsers } from '../find-users.ts'
import { deskNoticeOf } from '../notices.tsx'
import { deskProblem, isForPerson } from '../problem-page.tsx'
import { readTimeline, readUserAtDesk } from '../read-user.ts'
import { findBody } from '../request-bodies.ts'
import { UserPage } from '../user-page.tsx'
import { viewEntry, viewFound, viewSuppression, viewUserAtDesk } from '../views.ts'
import { deskBody } from './desk-body.ts'
import type { DeskEnv } from './require-desk.tsx'
import { sameSiteForms } from './same-site-forms.ts'

/**
 * `/admin` and the reading part of `/admin/users`.
 * @param deps capabilities
 */
export function userRoutes(deps: Deps): Hono<DeskEnv> {
  const brand = brandOf(deps.config)
  const app = newApp<DeskEnv>()

  app.get('/admin', (c) => {
    if (!isForPerson(c)) return c.json({ ok: true, status: 'signed_in' })
    return sendDesk(c, <FindPage brand={brand} notice={deskNoticeOf(c)} />)
  })

  app.post('/admin/users/find', sameSiteForms, async (c) => {
    const body = await deskBody(c, findBody)
    if (!body.ok) {
      if (!isForPerson(c)) return deskProblem(c, brand, body.code, { errors: body.errors })
      const { query } = body.typed
      const errors = sentences(body.errors)
      return sendDesk(c, <FindPage {...{ brand, query, errors }} />, 422)
    }
    const { query } = body.data
    const found = await findUsers(deps, query)
    if (!isForPerson(c)) {
      const { suppression } = found
      return c.json({
        ok: true,
        users: found.users.map(viewFound),
        suppression: suppression === null ? null : viewSuppression(suppression),
      })
    }
    const [only, ...more] = found.users
    if (only !== undefined && more.length === 0)
      return c.redirect(`/admin/users/${only.user.id}`, 303)
    const shown = 'id' in query ? query.id : query.email
    return sendDesk(c, <FindPage {...{ brand, query: shown, found }} />)
  })

  // Reloading what came back from the form leads to it.
  app.get('/admin/users/find', (c) => c.redirect('/admin', 303))

  app.get('/admin/users/:id', async (c) => {
    const found = await readUserAtDesk(deps, c.req.param('id'))
    if (found === null) return deskProblem(c, brand, 'not_found')
    if (!isForPerson(c)) return c.json({ ok: true, ...viewUserAtDesk(found) })
    return sendDesk(c, <UserPage {...{ brand, found, notice: deskNoticeOf(c) }} />)
  })

  app.get('/admin/users/:id/timeline', async (c) => {
    const id = c.req.param('id')
    if (isForPerson(c))
      return c.redirect(`/admin/users/${encodeURIComponent(id)}#timeline-heading`, 303)
    const timeline = await readTimeline(deps, id)
    if (timeline === null) return deskProblem(c, brand, 'not_found')
    const { entries, isComplete } = timeline
    return c.json({ ok: true, timeline: entries.map(viewEntry), is_complete: isComplete })
  })

  app.get('/admin/users/:id/export', async (c) => {
    const exported = await exportUser(deps, c.req.param('id'))
    if (exported === null) return deskProblem(c, brand, 'not_found')
    deps.log('support_action', {
      userId: c.req.param('id'),
      reason: 'export',
      actor: c.get('actor') ?? 'api',
    })
    c.header('Content-Disposition', `attachment; filename="user-${exported.user.id}.json"`)
    return c.json(exported)
  })

  return app
}
