// What every page shares, and the two controls that every form is made of.

import type { Context } from 'hono'
import type { Child } from 'hono/jsx'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { ICON_PATH, STYLESHEET_PATH } from './assets.ts'

/** Frame of a page. */
export interface PageProps {
  readonly appName: string
  readonly title: string
  readonly children: Child
}

/** A whole document. */
export function Page({ appName, title, children }: PageProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${appName}`}</title>
        <link rel="stylesheet" href={STYLESHEET_PATH} />
        <link rel="icon" href={ICON_PATH} type="image/svg+xml" />
      </head>
      <body>
        <header>
          <a href="/">{appName}</a>
        </header>
        <main>{children}</main>
      </body>
    </html>
  )
}

/** A labelled field with its hint and its error, tied to it for screen readers. */
export function Field(props: {
  readonly name: string
  readonly label: string
  readonly type: 'email' | 'password'
  readonly autocomplete: string
  readonly value?: string | undefined
  readonly hint?: string
  readonly error?: string | undefined
}) {
  const { name, label, hint, error } = props
  const describedBy = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(' ')
  return (
    <div>
      <label for={name}>{label}</label>
      <input
        id={name}
        name={name}
        type={props.type}
        autocomplete={props.autocomplete}
        value={props.value}
        required
        aria-describedby={describedBy || undefined}
        aria-invalid={error === undefined ? undefined : 'true'}
      />
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${name}-error`}>
          {error}
        </p>
      )}
    </div>
  )
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

/** Errors by field name. */
export type FieldErrors = Readonly<Record<string, string | undefined>>
