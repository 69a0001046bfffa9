// What a page of ours may load and where its forms may lead: next to nothing, so that injected markup would
// be of no use.

import type { Config } from '../config.ts'

/**
 * The policy of a page.
 * @param config the logo's origin, and the origins that `redirect_to` may lead to: browsers hold `form-action`
 * against the redirect after a form, too
 * @param scripts `own` for the one page that polls; no other runs any script
 */
export function contentSecurityPolicy(
  config: Pick<Config, 'ALLOWED_ORIGINS' | 'LOGO_URL'>,
  scripts: 'none' | 'own',
): string {
  const logo = config.LOGO_URL === undefined ? [] : [new URL(config.LOGO_URL).origin]
  return [
    "default-src 'none'",
    "style-src 'self'",
    ["img-src 'self'", ...logo].join(' '),
    ["form-action 'self'", ...config.ALLOWED_ORIGINS].join(' '),
    "frame-ancestors 'none'",
    "base-uri 'none'",
    ...(scripts === 'own' ? ["script-src 'self'", "connect-src 'self'"] : []),
  ].join('; ')
}
