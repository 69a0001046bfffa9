// The desk: what support and operators work with. It exists where ADMIN_TOKEN is set, and nowhere else.

import type { Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { newApp } from '../../http/new-app.ts'
import { DESK_STYLESHEET_PATH, deskStylesheet } from '../desk-css.ts'
import { figuresRoutes } from '../figures-routes.tsx'
import { mailRoutes } from './mail-routes.tsx'
import { type DeskEnv, requireDesk } from './require-desk.tsx'
import { signInRoutes } from './sign-in-routes.tsx'
import { supportRoutes } from './support-routes.tsx'
import { userRoutes } from './user-routes.tsx'

/**
 * All of `/admin`, for people and programs. Paths that are not known lie behind the gate as well.
 * @param deps capabilities
 * @param adminToken `ADMIN_TOKEN`
 */
export function adminRoutes(deps: Deps, adminToken: string): Hono<DeskEnv> {
  const app = newApp<DeskEnv>()
  app.get(DESK_STYLESHEET_PATH, (c) =>
    c.body(deskStylesheet, 200, {
      'Content-Type': 'text/css; charset=utf-8',
      'Cache-Control': 'public, max-age=3600',
    }),
  )
  app.route('/', signInRoutes(deps, adminToken))
  app.use('/admin/*', requireDesk(deps, adminToken))
  app.route('/', userRoutes(deps))
  app.route('/', supportRoutes(deps))
  app.route('/', mailRoutes(deps))
  app.route('/', figuresRoutes(deps))
  return app
}
