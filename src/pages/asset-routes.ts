// The files that pages load.

import type { Context, Hono } from 'hono'
import type { Config } from '../config.ts'
import { newApp } from '../http/new-app.ts'
import { ICON_PATH, icon, STYLESHEET_PATH, stylesheet } from './assets.ts'
import { INBOX_SCRIPT_PATH, inboxScript } from './inbox-script.ts'

/**
 * Stylesheet, icon and script.
 * @param config the brand's colour
 */
export function assetRoutes(config: Pick<Config, 'BRAND_COLOR'>): Hono {
  const app = newApp()
  const css = stylesheet(config.BRAND_COLOR)
  const svg = icon(config.BRAND_COLOR)
  app.get(STYLESHEET_PATH, (c) => asset(c, css, 'text/css; charset=utf-8'))
  app.get(ICON_PATH, (c) => asset(c, svg, 'image/svg+xml'))
  app.get(INBOX_SCRIPT_PATH, (c) => asset(c, inboxScript, 'text/javascript; charset=utf-8'))
  return app
}

/** An hour: long enough for one visit, short enough for a new brand. */
function asset(c: Context, body: string, type: string): Response {
  return c.body(body, 200, { 'Content-Type': type, 'Cache-Control': 'public, max-age=3600' })
}
