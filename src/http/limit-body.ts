// How large a body may be.

import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'

/** RFC 9110 §8.6 */
const DIGITS = /^\d+$/

/**
 * Lets bodies of up to so many bytes pass. Hono's `bodyLimit` looks at `Request.body` in any case, which makes a stream
 * of it: dearer than all the rest of a small body. Here only a body of undeclared length goes that way.
 * @param maxSize in bytes
 * @param refuse answers a larger one
 */
export function limitBody(
  maxSize: number,
  refuse: (c: Context) => Promise<Response>,
): MiddlewareHandler {
  const count = bodyLimit({ maxSize, onError: refuse })
  return (c, next) => {
    const length = c.req.header('Content-Length')
    // The length of a body that comes in chunks is anybody's word (RFC 9112 §6.3).
    if (length === undefined || c.req.header('Transfer-Encoding') !== undefined) {
      return count(c, next)
    }
    return DIGITS.test(length) && Number(length) <= maxSize ? next() : refuse(c)
  }
}
