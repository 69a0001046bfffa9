// What is noted of a client when a session begins.

import type { Context } from 'hono'
import type { Client } from '../accounts/sessions.ts'
import { clientIp } from './client-ip.ts'

/**
 * @param c the request's context
 */
export function clientOf(c: Context): Client {
  return { ip: clientIp(c), userAgent: c.req.header('User-Agent') ?? null }
}
