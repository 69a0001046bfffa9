// The HTTP app: middleware, mounts, and what becomes of errors. It decides nothing else.

import type { Context, Hono, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { credentialRoutes } from './accounts/routes/credential-routes.ts'
import { sessionRoutes } from './accounts/routes/session-routes.ts'
import { verificationRoutes } from './accounts/routes/verification-routes.ts'
import { adminRoutes } from './admin/routes/admin-routes.ts'
import { Outage, reasonOf } from './bounded.ts'
import type { Deps } from './deps.ts'
import { devRoutes } from './dev/routes.tsx'
import { allowedMethods } from './http/allowed-methods.ts'
import { answerHeaders } from './http/answer-headers.ts'
import { limitBody } from './http/limit-body.ts'
import { isFormPost, prefersHtml } from './http/negotiation.ts'
import { newApp } from './http/new-app.ts'
import { type ProblemCode, type ProblemDetails, problem } from './http/problem.ts'
import { healthRoutes } from './mail/health-routes.ts'
import { MAX_WEBHOOK_BYTES, webhookRoutes } from './mail/webhooks/webhook-routes.ts'
import { errorPage } from './pages/error-page.tsx'
import { brandOf } from './pages/layout.tsx'
import { pageRoutes } from './pages/routes.tsx'

/** Far more than any body here needs. */
const MAX_BODY_BYTES = 16 * 1024
/** The development mailbox takes whole mails. */
const MAX_MAIL_BYTES = 2 * 1024 * 1024

/**
 * CORS for front ends on hosts of their own, with credentials, and for nobody else: an origin that is not
 * listed gets no `Access-Control-Allow-Origin`, so its scripts can neither send JSON here nor read answers.
 */
function crossOrigin(allowed: readonly string[]): MiddlewareHandler {
  return cors({
    origin: (origin) => (allowed.includes(origin) ? origin : null),
    credentials: true,
    allowMethods: ['GET', 'POST', 'DELETE'],
    allowHeaders: ['Content-Type', 'Authorization'],
    exposeHeaders: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
    maxAge: 600,
  })
}

/**
 * Builds the app for one set of capabilities.
 * @param deps from `createDeps`
 */
export function createApp(deps: Deps): Hono {
  const { config } = deps
  const app = newApp()
  const brand = brandOf(config)
  const refuse = (c: Context, code: ProblemCode, details?: ProblemDetails) =>
    prefersHtml(c) ? errorPage(c, brand, code, details) : problem(c, code, details)
  const withinBytes = (maxSize: number) =>
    limitBody(maxSize, async (c) => refuse(c, 'payload_too_large'))

  app.use(answerHeaders(config))
  if (config.ALLOWED_ORIGINS.length > 0) app.use('/auth/*', crossOrigin(config.ALLOWED_ORIGINS))
  const limitOthers = withinBytes(MAX_BODY_BYTES)
  const limitWebhook = withinBytes(MAX_WEBHOOK_BYTES)
  const limitMail = withinBytes(MAX_MAIL_BYTES)
  app.use((c, next) => {
    // Hardly a GET has a body, and to ask is cheap where there is none.
    if (c.req.method === 'GET' && c.req.raw.body === null) return next()
    const { path } = c.req
    const limit = path.startsWith('/dev/')
      ? limitMail
      : path.startsWith('/webhooks/')
        ? limitWebhook
        : limitOthers
    return limit(c, next)
  })

  // Pages come first and leave to the JSON routes what is not for a browser.
  app.route('/', pageRoutes(deps))
  app.route('/', sessionRoutes(deps))
  app.route('/', verificationRoutes(deps))
  app.route('/', credentialRoutes(deps))
  app.route('/', webhookRoutes(deps))
  app.route('/', healthRoutes(deps))
  if (config.ADMIN_TOKEN !== undefined) app.route('/', adminRoutes(deps, config.ADMIN_TOKEN))
  // What wrangler builds to deploy has NODE_ENV spelled out, and the mailbox is not even in it.
  if (process.env.NODE_ENV !== 'production' && config.ENVIRONMENT === 'development') {
    app.route('/dev', devRoutes(deps))
  }

  const methodsOf = allowedMethods(app.routes)
  app.notFound((c) => {
    const methods = methodsOf(c.req.path)
    return methods.length === 0 || methods.includes(c.req.method)
      ? refuse(c, 'not_found')
      : refuse(c, 'method_not_allowed', { headers: { Allow: methods.join(', ') } })
  })
  app.onError((error, c) => {
    if (error instanceof Outage) {
      deps.log('outage', { reason: error.message, path: c.req.path })
      return refuse(c, 'unavailable', { headers: { 'Retry-After': '5' } })
    }
    // The only ones that throw these: Hono's csrf() the 403, its validator the 400.
    if (error instanceof HTTPException && error.status === 403) return refuse(c, 'cross_site')
    if (error instanceof HTTPException && error.status === 400) {
      return refuse(c, isFormPost(c) ? 'invalid_form' : 'invalid_json')
    }
    deps.log('error', { reason: reasonOf(error), path: c.req.path })
    return refuse(c, 'internal')
  })
  return app
}
