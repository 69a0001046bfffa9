// `redirect_to`: where a front end wants its visitor back after success. Only to an origin that the operator
// has named: a sign-in page that forwards to anywhere lends its good name to every phishing site.

import type { Context } from 'hono'
import * as z from 'zod/mini'
import type { Config } from '../config.ts'
import { orElse } from '../or-else.ts'

/** As a query parameter and as a hidden field. */
export const REDIRECT_FIELD = 'redirect_to'

const MAX_LENGTH = 2048

/** The field of a form. One that does not fit is as good as none; whether it is allowed is judged later. */
export const redirectField = orElse(z.optional(z.string()), undefined)

/**
 * Judges a target.
 * @param config this Worker's own origin and the listed ones
 * @param text as it came
 * @returns the target as the URL parser prints it, so that every browser reads it alike; undefined for what is
 * not absolute, not http or https, or on another origin
 */
export function redirectTarget(
  config: Pick<Config, 'APP_BASE_URL' | 'ALLOWED_ORIGINS'>,
  text: string | undefined,
): string | undefined {
  // Backslashes and control characters are what parsers disagree about.
  if (text === undefined || text.length > MAX_LENGTH || /[\\\s\p{Cc}]/u.test(text)) return undefined
  const url = URL.parse(text)
  // `blob:https://app.example.com/` has that origin, too, and is no page of it.
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  if (url.username !== '' || url.password !== '') return undefined
  const allowed = [config.APP_BASE_URL, ...config.ALLOWED_ORIGINS]
  return allowed.includes(url.origin) ? url.href : undefined
}

/**
 * The target that a page's URL names.
 * @param c the request's context
 * @param config see {@link redirectTarget}
 */
export function targetOf(
  c: Context,
  config: Pick<Config, 'APP_BASE_URL' | 'ALLOWED_ORIGINS'>,
): string | undefined {
  return redirectTarget(config, c.req.query(REDIRECT_FIELD))
}

/**
 * A path of ours with a query.
 * @param path without a query
 * @param query what is undefined is left out
 */
export function pathWith(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => {
    return entry[1] !== undefined
  })
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}
