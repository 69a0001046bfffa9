// How a session token travels: a cookie for browsers, `Authorization: Bearer` for the rest.

import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Config } from '../config.ts'

export type Transport = 'cookie' | 'bearer'

/** A session token as it was presented. */
export interface PresentedSession {
  readonly token: string
  readonly transport: Transport
}

type CookieConfig = Pick<Config, 'isSecureOrigin'>

/**
 * `__Host-` (RFC 6265bis §4.1.3.2) binds the cookie to this host, path and TLS, so that a sibling
 * subdomain cannot plant one. It needs `Secure`, which plain http on a laptop does not have.
 */
export function sessionCookieName({ isSecureOrigin }: CookieConfig): string {
  return isSecureOrigin ? '__Host-session' : 'session'
}

/**
 * Reads the session token of a request. A bearer token wins over a cookie: whoever sends one means it.
 * @param c the request's context
 * @param config decides the cookie's name
 */
export function presentedSession(c: Context, config: CookieConfig): PresentedSession | null {
  const bearer = /^Bearer +([\w-]{1,128})$/i.exec(c.req.header('Authorization') ?? '')?.[1]
  if (bearer !== undefined) return { token: bearer, transport: 'bearer' }
  const cookie = getCookie(c, sessionCookieName(config))
  return cookie ? { token: cookie, transport: 'cookie' } : null
}

/**
 * The token alone, for whoever does not care how it came.
 * @param c the request's context
 * @param config decides the cookie's name
 * @returns null where none was presented
 */
export function presentedToken(c: Context, config: CookieConfig): string | null {
  return presentedSession(c, config)?.token ?? null
}

/**
 * Sets the session cookie. `SameSite=Lax`: the link in a mail is opened from another site and must find
 * the session, while another site's form must not.
 * @param c the request's context
 * @param config decides the cookie's name and `Secure`
 * @param session the new token and when it ends, in milliseconds since the epoch
 */
export function setSessionCookie(
  c: Context,
  config: CookieConfig,
  session: { readonly token: string; readonly expiresAt: number },
): void {
  setCookie(c, sessionCookieName(config), session.token, {
    httpOnly: true,
    secure: config.isSecureOrigin,
    sameSite: 'Lax',
    path: '/',
    expires: new Date(session.expiresAt),
  })
}

/** Clears the session cookie. */
export function clearSessionCookie(c: Context, config: CookieConfig): void {
  deleteCookie(c, sessionCookieName(config), {
    path: '/',
    secure: config.isSecureOrigin,
    httpOnly: true,
    sameSite: 'Lax',
  })
}
