// Whether a request comes from a person's browser or from a program.

import type { Context } from 'hono'
import { accepts } from 'hono/accepts'
import { parseAccept } from 'hono/utils/accept'
import { type Locale, locales } from '../schema.ts'

/**
 * Whether the client prefers a page to JSON. Browsers name `text/html` when they navigate; `fetch` and
 * curl send a bare wildcard and get JSON.
 * @param c the request's context
 */
export function prefersHtml(c: Context): boolean {
  // Only `text/html` and `text/*` can lead to a page: most programs name neither, and their header is not parsed.
  if (!/text\//i.test(c.req.header('Accept') ?? '')) return false
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

/**
 * The language to answer and to mail in: the most wanted one that we have, by its primary subtag, so that
 * `de-AT` gets German (RFC 4647 §3.4).
 * @param c the request's context
 */
export function localeOf(c: Context): Locale {
  for (const { type } of parseAccept(c.req.header('Accept-Language') ?? '')) {
    const primary = type.toLowerCase().split('-')[0]
    const locale = locales.find((known) => known === primary)
    if (locale !== undefined) return locale
  }
  return 'en'
}
