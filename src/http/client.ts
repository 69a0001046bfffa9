// What is noted of a client when a session begins.

import type { Context } from 'hono'
import { clientIp } from './client-ip.ts'

/**
 * Where a request comes from.
 * @param c the request's context
 */
export function clientOf(c: Context): { ip: string; userAgent: string | null } {
  return { ip: clientIp(c), userAgent: c.req.header('User-Agent') ?? null }
}
