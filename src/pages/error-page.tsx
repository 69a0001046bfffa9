// What a person sees where a program gets a problem document.

import type { Context } from 'hono'
import { describeProblem, type ProblemCode, type ProblemDetails } from '../http/problem.ts'
import { type Brand, Page, sendPage } from './layout.tsx'

const ADVICE: Partial<Record<ProblemCode, string>> = {
  not_found: 'The address may be mistyped, or the page is gone.',
  unavailable: 'Nothing of what you did is lost. Wait a moment and try again.',
  cross_site: 'This form was sent from another site. Open the page here and try again.',
  invalid_form: 'Part of it was lost on the way. Go back and send it again.',
  email_not_verified: 'Open the link in the mail that we sent you. Then this works, too.',
  internal: 'We have made a note of it. Please try again.',
}

/**
 * Answers with a page that says what is wrong and what to do.
 * @param c the request's context
 * @param brand whose page it is
 * @param code a stable code of the contract
 * @param details headers to send
 */
export function errorPage(
  c: Context,
  brand: Brand,
  code: ProblemCode,
  details: ProblemDetails = {},
): Response {
  const { status, title } = describeProblem(code)
  for (const [name, value] of Object.entries(details.headers ?? {})) c.header(name, value)
  const page = (
    <Page brand={brand} title={title}>
      <h1>{title}</h1>
      <p>{ADVICE[code] ?? 'Go back and try again.'}</p>
      <p>
        <a href="/">To the start page</a>
      </p>
    </Page>
  )
  return sendPage(c, page, status)
}
