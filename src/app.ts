// The HTTP app: middleware, mounts, and what becomes of errors. It decides nothing else.

import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { secureHeaders } from 'hono/secure-headers'
import { credentialRoutes } from './accounts/routes/credential-routes.ts'
import { sessionRoutes } from './accounts/routes/session-routes.ts'
import { verificationRoutes } from './accounts/routes/verification-routes.ts'
import { adminRoutes } from './admin/routes/admin-routes.ts'
import { Outage, reasonOf } from './bounded.ts'
import type { Deps } from './deps.ts'
import { devRoutes } from './dev/routes.tsx'
import { contentSecurityPolicy } from './http/content-security-policy.ts'
import { isFormPost, prefersHtml } from './http/negotiation.ts'
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
  const app = new Hono()
  const brand = brandOf(config)
  const policy = contentSecurityPolicy(config, 'none')
  const refuse = (c: Context, code: ProblemCode, details?: ProblemDetails) =>
    prefersHtml(c) ? errorPage(c, brand, code, details) : problem(c, code, details)

  app.use(
    secureHeaders({
      xFrameOptions: 'DENY',
      originAgentCluster: false,
      // Not `no-referrer` everywhere: under it browsers post forms with `Origin: null` (Fetch §3.2), and older
      // ones send nothing else by which a form of ours could be told from another site's.
      referrerPolicy: 'same-origin',
      // Routes may be stricter or, for the mailbox's frame, looser.
      overwrite: false,
      strictTransportSecurity: config.isSecureOrigin
        ? 'max-age=31536000; includeSubDomains'
        : false,
    }),
  )
  app.use(async (c, next) => {
    await next()
    const { headers } = c.res
    // Everything here is about one person, or about this moment.
    if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store')
    if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', policy)
  })
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) =>
        refuse(c, 'method_not_allowed', { headers: { Allow: methods.join(', ') } }),
    }),
  )
  app.use((c, next) => {
    const maxSize = c.req.path.startsWith('/dev/')
      ? MAX_MAIL_BYTES
      : c.req.path.startsWith('/webhooks/')
        ? MAX_WEBHOOK_BYTES
        : MAX_BODY_BYTES
    return bodyLimit({ maxSize, onError: () => refuse(c, 'payload_too_large') })(c, next)
  })

  if (config.ALLOWED_ORIGINS.length > 0) app.use('/auth/*', crossOrigin(config.ALLOWED_ORIGINS))

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

  app.notFound((c) => refuse(c, 'not_found'))
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
