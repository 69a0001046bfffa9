// Whom a limit per IP counts.

import type { Context } from 'hono'

/**
 * The caller's address as the edge saw it. `X-Forwarded-For` is never read: the caller writes it.
 * IPv6 is cut to its /64, which is what one customer gets; counting single addresses would give an
 * attacker 2^64 of them.
 * @param c the request's context
 * @returns an IPv4 address, an IPv6 prefix, or `unknown` where there is no edge (a service binding)
 */
export function clientIp(c: Context): string {
  return normalizeIp(c.req.header('CF-Connecting-IP') ?? '')
}

/**
 * Brings an IP to the form it is counted under.
 * @param ip as text
 * @returns IPv4 as it is, IPv6 as its /64 in lower case, `unknown` for anything else
 */
export function normalizeIp(ip: string): string {
  const text = ip.trim().toLowerCase()
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text)
  if (mapped?.[1] !== undefined) return mapped[1]
  // The URL parser knows every spelling of IPv6 and prints one (RFC 5952).
  const host = URL.parse(`http://[${text}]/`)?.hostname
  if (host === undefined) return 'unknown'
  const [head = '', tail] = host.slice(1, -1).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right]
  return `${groups.slice(0, 4).join(':')}::/64`
}
