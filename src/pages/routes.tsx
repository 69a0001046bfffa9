// Forms and pages for people. They call what the JSON routes call and work with JavaScript off.

import type { Hono } from 'hono'
import type { Deps } from '../deps.ts'
import { newApp } from '../http/new-app.ts'
import { accountRoutes } from './account-routes.tsx'
import { assetRoutes } from './asset-routes.ts'
import { inboxRoutes } from './inbox-routes.tsx'
import { linkRoutes } from './link-routes.tsx'
import { recoveryRoutes } from './recovery-routes.tsx'
import { signInRoutes } from './sign-in-routes.tsx'

/**
 * The pages.
 * @param deps capabilities
 */
export function pageRoutes(deps: Deps): Hono {
  const app = newApp()
  app.route('/', assetRoutes(deps.config))
  app.route('/', signInRoutes(deps))
  app.route('/', inboxRoutes(deps))
  app.route('/', linkRoutes(deps))
  app.route('/', recoveryRoutes(deps))
  app.route('/', accountRoutes(deps))
  return app
}
