// Errors as RFC 9457 problem details, with the extra members `ok: false` and a stable `error` code.

import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** Every error code of the HTTP contract, with its status and its title. */
const PROBLEMS = {
  invalid_json: [400, 'The body is not valid JSON'],
  invalid_form: [400, 'The form could not be read'],
  invalid_envelope: [400, 'The body must be {"data": {"email": …}}'],
  invalid: [400, 'This link is not valid'],
  expired: [400, 'This link has expired'],
  invalid_credentials: [401, 'Wrong address or password'],
  not_signed_in: [401, 'Sign in first'],
  invalid_signature: [401, 'This call is not signed as it must be'],
  cross_site: [403, 'Forms are accepted from this site only'],
  email_not_verified: [403, 'Verify your e-mail address first'],
  proof_required: [403, 'Confirm from the browser that registered, or with the password'],
  not_found: [404, 'Not found'],
  not_failed: [409, 'This mail has not failed'],
  suppressed: [409, 'This address is suppressed: nothing is mailed to it'],
  email_taken: [409, 'This address belongs to another account'],
  method_not_allowed: [405, 'This method is not allowed here'],
  payload_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'Send application/json'],
  invalid_input: [422, 'Some fields are invalid'],
  rate_limited: [429, 'Too many requests'],
  internal: [500, 'Something went wrong on our side'],
  misconfigured: [503, 'This service is not configured yet'],
  unavailable: [503, 'Not available right now, try again in a moment'],
} as const satisfies Record<string, readonly [ContentfulStatusCode, string]>

export type ProblemCode = keyof typeof PROBLEMS

/** One field that does not fit. */
export interface FieldError {
  /** Dotted path of the field; empty for the body as a whole. */
  readonly path: string
  readonly message: string
}

/** What a problem may say besides its code. */
export interface ProblemDetails {
  readonly detail?: string
  readonly errors?: readonly FieldError[]
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The status and the title of a problem, for a page.
 * @param code a stable code of the contract
 */
export function describeProblem(code: ProblemCode): {
  readonly status: ContentfulStatusCode
  readonly title: string
} {
  const [status, title] = PROBLEMS[code]
  return { status, title }
}

/**
 * The body of a problem.
 * @param code a stable code of the contract
 * @param details a sentence on this occurrence, the fields that do not fit
 */
export function problemBody(code: ProblemCode, details: ProblemDetails = {}) {
  const [status, title] = PROBLEMS[code]
  return {
    type: 'about:blank',
    title,
    status,
    ok: false as const,
    error: code,
    ...(details.detail === undefined ? {} : { detail: details.detail }),
    ...(details.errors === undefined ? {} : { errors: details.errors }),
  }
}

/**
 * A problem as a response, outside of any route.
 * @param code a stable code of the contract
 * @param details what else there is to say, and headers to send
 */
export function problemResponse(code: ProblemCode, details: ProblemDetails = {}): Response {
  return new Response(JSON.stringify(problemBody(code, details)), {
    status: PROBLEMS[code][0],
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...details.headers,
    },
  })
}

/**
 * A problem as a route's answer.
 * @param c the request's context
 * @param code a stable code of the contract
 * @param details what else there is to say, and headers to send
 */
export function problem(c: Context, code: ProblemCode, details: ProblemDetails = {}): Response {
  return c.body(JSON.stringify(problemBody(code, details)), PROBLEMS[code][0], {
    'Content-Type': 'application/problem+json',
    ...details.headers,
  })
}
