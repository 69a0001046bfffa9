// The HTTP app: middleware, mounts, and what becomes of errors. It decides nothing else.

import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { secureHeaders } from 'hono/secure-headers'
import { accountRoutes } from './accounts/routes/json-routes.ts'
import { Outage, reasonOf } from './bounded.ts'
import type { Deps } from './deps.ts'
import { devRoutes } from './dev/routes.tsx'
import { problem } from './http/problem.ts'
import { healthRoutes } from './mail/routes.ts'
import { pageRoutes } from './pages/routes.tsx'

/** Far more than any body here needs. */
const MAX_BODY_BYTES = 16 * 1024
/** The development mailbox takes whole mails. */
const MAX_MAIL_BYTES = 1024 * 1024

/**
 * Builds the app for one set of capabilities.
 * @param deps from `createDeps`
 */
export function createApp(deps: Deps): Hono {
  const { config } = deps
  const app = new Hono()

  app.use(
    secureHeaders({
      // No scripts, no other origin, no frames: what a page of ours could be tricked into loading, it cannot.
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
      xFrameOptions: 'DENY',
      // Tokens pass in URLs: they must not leave in a Referer.
      referrerPolicy: 'no-referrer',
      strictTransportSecurity: config.isSecureOrigin
        ? 'max-age=31536000; includeSubDomains'
        : false,
    }),
  )
  app.use(async (c, next) => {
    await next()
    // Everything here is about one person, or about this moment.
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store')
  })
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) =>
        problem(c, 'method_not_allowed', { headers: { Allow: methods.join(', ') } }),
    }),
  )
  app.use((c, next) => {
    const maxSize = c.req.path.startsWith('/dev/') ? MAX_MAIL_BYTES : MAX_BODY_BYTES
    return bodyLimit({ maxSize, onError: () => problem(c, 'payload_too_large') })(c, next)
  })

  // Pages come first and leave to the JSON routes what is not for a browser.
  app.route('/', pageRoutes(deps))
  app.route('/', accountRoutes(deps))
  app.route('/', healthRoutes(deps))
  if (config.ENVIRONMENT === 'development') app.route('/dev', devRoutes(deps))

  app.notFound((c) => problem(c, 'not_found'))
  app.onError((error, c) => {
    if (error instanceof Outage) {
      deps.log('outage', { reason: error.message, path: c.req.path })
      return problem(c, 'unavailable', { headers: { 'Retry-After': '5' } })
    }
    if (error instanceof HTTPException && error.status === 403) return problem(c, 'cross_site')
    if (error instanceof HTTPException && error.status === 400) return problem(c, 'invalid_json')
    deps.log('error', { reason: reasonOf(error), path: c.req.path })
    return problem(c, 'internal')
  })
  return app
}
