// What every page shares: the frame with the brand, and how a page is sent.

import type { Context } from 'hono'
import type { Child } from 'hono/jsx'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Config } from '../config.ts'
import { ICON_PATH, STYLESHEET_PATH } from './assets.ts'

/** Whose pages they are. The colour is in the stylesheet. */
export interface Brand {
  readonly appName: string
  readonly logoUrl?: string | undefined
  readonly supportEmail?: string | undefined
}

/**
 * The brand as configured.
 * @param config name, logo and support address
 */
export function brandOf(config: Pick<Config, 'APP_NAME' | 'LOGO_URL' | 'SUPPORT_EMAIL'>): Brand {
  return {
    appName: config.APP_NAME,
    logoUrl: config.LOGO_URL,
    supportEmail: config.SUPPORT_EMAIL,
  }
}

/** Frame of a page. */
export interface PageProps {
  readonly brand: Brand
  readonly title: string
  /** More for the head. */
  readonly head?: Child
  readonly children: Child
}

/** A whole document. */
export function Page({ brand, title, head, children }: PageProps) {
  const { appName, logoUrl, supportEmail } = brand
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${appName}`}</title>
        <link rel="stylesheet" href={STYLESHEET_PATH} />
        <link rel="icon" href={ICON_PATH} type="image/svg+xml" />
        {head}
      </head>
      <body>
        <header>
          <a href="/">{logoUrl === undefined ? appName : <img src={logoUrl} alt={appName} />}</a>
        </header>
        <main>{children}</main>
        {supportEmail !== undefined && (
          <footer>
            Questions? Write to <a href={mailto(supportEmail)}>{supportEmail}</a>.
          </footer>
        )}
      </body>
    </html>
  )
}

/** A part of a page under a heading. */
export function Section(props: { readonly id: string; readonly title: string; children: Child }) {
  const { id, title, children } = props
  return (
    <section aria-labelledby={`${id}-heading`}>
      <h2 id={`${id}-heading`}>{title}</h2>
      {children}
    </section>
  )
}

/** An address may contain `?` and `&`, which would begin a subject or a copy to somebody. */
function mailto(address: string): string {
  return `mailto:${encodeURIComponent(address).replaceAll('%40', '@')}`
}

/**
 * Answers with a page.
 * @param c the request's context
 * @param page the document
 * @param status of the answer
 */
export function sendPage(c: Context, page: Child, status: ContentfulStatusCode = 200): Response {
  return c.html(`<!doctype html>${page}`, status)
}

/**
 * Keeps the page's URL from whatever it links to or loads: for pages whose URL or form carries a token. Not
 * for every page: under `no-referrer` a form comes with `Origin: null`.
 * @param c the request's context
 */
export function withoutReferrer(c: Context): void {
  c.header('Referrer-Policy', 'no-referrer')
}
