// Whether a request comes from a person's browser or from a program.

import type { Context } from 'hono'
import { accepts } from 'hono/accepts'

/**
 * Whether the client prefers a page to JSON. Browsers name `text/html` when they navigate; `fetch` and
 * curl send a bare wildcard and get JSON.
 * @param c the request's context
 */
export function prefersHtml(c: Context): boolean {
  const best = accepts(c, {
    header: 'Accept',
    supports: ['application/json', 'text/html'],
    default: 'application/json',
  })
  return best === 'text/html'
}

/**
 * Whether the body is an HTML form's.
 * @param c the request's context
 */
export function isFormPost(c: Context): boolean {
  return /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(
    c.req.header('Content-Type') ?? '',
  )
}
