// The headers that every answer carries, set on the answer once it is made.

import type { MiddlewareHandler } from 'hono'
import type { Config } from '../config.ts'
import { contentSecurityPolicy } from './content-security-policy.ts'

/** For every answer, whatever a route says. */
const ALWAYS = [
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-DNS-Prefetch-Control', 'off'],
  ['X-Download-Options', 'noopen'],
  ['X-Permitted-Cross-Domain-Policies', 'none'],
  ['X-XSS-Protection', '0'],
] as const

/**
 * Sets the security headers. Hono's `secureHeaders` would look up each of them before it sets it, which is most of
 * what it costs: here only those that a route may choose are looked up.
 * @param config whether there is TLS, and what pages may load
 */
export function answerHeaders(
  config: Pick<Config, 'ALLOWED_ORIGINS' | 'LOGO_URL' | 'isSecureOrigin'>,
): MiddlewareHandler {
  const always = config.isSecureOrigin
    ? [...ALWAYS, ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'] as const]
    : ALWAYS
  /** Routes may be stricter or, for the mailbox's frame, looser. */
  const unlessChosen = [
    // Not `no-referrer` everywhere: under it browsers post forms with `Origin: null` (Fetch §3.2), and older
    // ones send nothing else by which a form of ours could be told from another site's.
    ['Referrer-Policy', 'same-origin'],
    ['X-Frame-Options', 'DENY'],
    // Everything here is about one person, or about this moment.
    ['Cache-Control', 'no-store'],
    ['Content-Security-Policy', contentSecurityPolicy(config, 'none')],
  ] as const

  return async (c, next) => {
    await next()
    const { headers } = c.res
    for (const [name, value] of always) headers.set(name, value)
    for (const [name, value] of unlessChosen) if (!headers.has(name)) headers.set(name, value)
  }
}
