// The frame of the desk's pages: who is at work for whom, and the ways to go.

import type { Context } from 'hono'
import type { Child } from 'hono/jsx'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { ICON_PATH, STYLESHEET_PATH } from '../pages/assets.ts'
import type { Brand } from '../pages/layout.tsx'
import { DESK_STYLESHEET_PATH } from './desk-css.ts'

const PLACES = [
  { name: 'find', path: '/admin', label: 'Find' },
  { name: 'failed', path: '/admin/mails/failed', label: 'Failed mail' },
  { name: 'figures', path: '/admin/figures', label: 'Figures' },
] as const

/** A place that the navigation leads to. */
export type DeskPlace = (typeof PLACES)[number]['name']

/** Frame of a page of the desk. */
export interface DeskPageProps {
  readonly brand: Brand
  readonly title: string
  /** Where in the navigation the page is; absent for one that is in none of its places. */
  readonly current?: DeskPlace | undefined
  /** Left out where nobody is signed in: there is nowhere to go. */
  readonly nav?: 'none'
  readonly children: Child
}

/** A whole document of the desk. */
export function DeskPage({ brand, title, current, nav, children }: DeskPageProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{`${title} · ${brand.appName} desk`}</title>
        <link rel="stylesheet" href={STYLESHEET_PATH} />
        <link rel="stylesheet" href={DESK_STYLESHEET_PATH} />
        <link rel="icon" href={ICON_PATH} type="image/svg+xml" />
      </head>
      <body>
        <header>
          <span>{`${brand.appName} desk`}</span>
          {nav !== 'none' && (
            <nav aria-label="Desk">
              {PLACES.map(({ name, path, label }) => (
                <a href={path} aria-current={name === current ? 'page' : undefined}>
                  {label}
                </a>
              ))}
              <form method="post" action="/admin/sign-out">
                <button type="submit">Sign out</button>
              </form>
            </nav>
          )}
        </header>
        <main>{children}</main>
      </body>
    </html>
  )
}

/**
 * Answers with a page of the desk. Its pages show addresses and, once, links: no cache keeps them.
 * @param c the request's context
 * @param page the document
 * @param status of the answer
 */
export function sendDesk(c: Context, page: Child, status: ContentfulStatusCode = 200): Response {
  c.header('Cache-Control', 'no-store')
  return c.html(`<!doctype html>${page}`, status)
}
