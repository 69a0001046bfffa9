// How the desk's session travels: a cookie that no script reads, that no other site's link or form brings along,
// and that goes to the desk alone.

import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Config } from '../../config.ts'

type CookieConfig = Pick<Config, 'isSecureOrigin'>

/** `__Host-` would forbid the path; `__Secure-` keeps plain http from planting one (RFC 6265bis §4.1.3.1). */
function cookieName({ isSecureOrigin }: CookieConfig): string {
  return isSecureOrigin ? '__Secure-desk' : 'desk'
}

function cookieOptions({ isSecureOrigin }: CookieConfig) {
  return { httpOnly: true, secure: isSecureOrigin, sameSite: 'Strict', path: '/admin' } as const
}

/**
 * The cookie's value, as it came.
 * @param c the request's context
 * @param config decides the cookie's name
 */
export function deskCookie(c: Context, config: CookieConfig): string | undefined {
  return getCookie(c, cookieName(config))
}

/**
 * Sets the cookie.
 * @param c the request's context
 * @param config decides the cookie's name and `Secure`
 * @param value from `signDeskSession`
 * @param expiresAt milliseconds since the epoch
 */
export function setDeskCookie(
  c: Context,
  config: CookieConfig,
  value: string,
  expiresAt: number,
): void {
  setCookie(c, cookieName(config), value, {
    ...cookieOptions(config),
    expires: new Date(expiresAt),
  })
}

/**
 * Clears the cookie.
 * @param c the request's context
 * @param config decides the cookie's name
 */
export function clearDeskCookie(c: Context, config: CookieConfig): void {
  deleteCookie(c, cookieName(config), cookieOptions(config))
}
