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
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    return text.split('.').every((octet) => Number(octet) <= 255) ? text : 'unknown'
  }
  if (!/^[0-9a-f:.]+$/.test(text)) return 'unknown'
  // The URL parser knows every spelling of IPv6 and prints one (RFC 5952).
  const host = URL.parse(`http://[${text}]/`)?.hostname
  if (host === undefined) return 'unknown'
  const groups = expandIpv6(host.slice(1, -1))
  // An IPv4 address in IPv6's clothes (RFC 4291 §2.5.5.2), or all of them would share one counter.
  if (groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff') {
    return groups.slice(6).flatMap(octetsOf).join('.')
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}

/** Eight groups out of the short form. */
function expandIpv6(short: string): string[] {
  const [head = '', tail] = short.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  return [...left, ...Array(8 - left.length - right.length).fill('0'), ...right]
}

function octetsOf(group: string): number[] {
  const value = Number.parseInt(group, 16)
  return [value >> 8, value & 255]
}
