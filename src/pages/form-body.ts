// Forms as they come in: from this site only, read by the schemas of the JSON routes, errors by field.

import { zValidator } from '@hono/zod-validator'
import type { Context, Input, MiddlewareHandler } from 'hono'
import { csrf } from 'hono/csrf'
import type { BlankEnv } from 'hono/types'
import type * as z from 'zod/mini'
import { fieldErrors } from '../http/json-body.ts'
import { isFormPost } from '../http/negotiation.ts'

/** Errors by field name; `form` is about the form as a whole. */
export type FieldErrors = Readonly<Record<string, string | undefined>>

/** What came in a form that does not fit. To be shown again: addresses, never passwords. */
export type TypedValues = Readonly<Record<string, string | undefined>>

/** The confirm page of a link. */
export const VERIFY_PATH = '/auth/verify-email'
export const RESET_PATH = '/reset-password'
export const DISOWN_PATH = '/disown'
export const UNDO_PATH = '/undo-email-change'

/** Where forms under `no-referrer` lead: they act by a token, or ask for a new link as anybody may. */
const NULL_ORIGIN_PATHS = new Set([VERIFY_PATH, RESET_PATH, DISOWN_PATH, UNDO_PATH, '/resend'])

/** Refuses another site's form with 403: it could register or sign a browser in as somebody else. */
export const sameSite = csrf({ origin: isOwnOrigin })

/**
 * Pages with a token are under `no-referrer`, so their forms come with `Origin: null`. Browsers that say
 * `Sec-Fetch-Site` are judged by that; for older ones it must do that a cross-site form comes without the
 * session cookie (`SameSite=Lax`), and that only whoever has the token can write it.
 */
function isOwnOrigin(origin: string, c: Context): boolean {
  const { origin: own, pathname } = new URL(c.req.url)
  if (origin === own) return true
  const isOlderBrowser = c.req.header('Sec-Fetch-Site') === undefined
  return origin === 'null' && isOlderBrowser && NULL_ORIGIN_PATHS.has(pathname)
}

/**
 * Reads and validates a form. One that cannot be read at all is a 400 of the validator's.
 * @param schema what it must be
 * @param refuse answers where a field does not fit, with what was typed and the errors
 */
export function formBody<Schema extends z.ZodMiniType>(
  schema: Schema,
  refuse: (c: Context, typed: TypedValues, errors: FieldErrors) => Response | Promise<Response>,
) {
  return zValidator('form', schema, (result, c) => {
    if (result.success) return
    return refuse(c, textsIn(result.data), errorsByField(result.error.issues))
  })
}

/**
 * Applies a middleware to forms and to nothing else, where a path answers programs too: the handler asks `isFormPost`
 * before it reads a form.
 * @param middleware for forms
 */
export function onlyForms<I extends Input>(
  middleware: MiddlewareHandler<BlankEnv, string, I>,
): MiddlewareHandler<BlankEnv, string, I> {
  return (c, next) => (isFormPost(c) ? middleware(c, next) : next())
}

/** A field that came twice, or as a file, is as good as none. */
function textsIn(form: unknown): TypedValues {
  const fields = Object.entries<unknown>(Object(form))
  return Object.fromEntries(
    fields.filter((field): field is [string, string] => typeof field[1] === 'string'),
  )
}

function errorsByField(issues: readonly z.core.$ZodIssue[]): FieldErrors {
  return Object.fromEntries(
    fieldErrors(issues)
      .reverse() // the first error of a field wins
      .map(({ path, message }) => [path, sentence(path, message)]),
  )
}

/** The rules are worded to follow the name of a field; some name a part of it themselves. */
function sentence(path: string, message: string): string {
  if (message.startsWith('the ')) return `T${message.slice(1)}.`
  return `${path.includes('password') ? 'The password' : 'The address'} ${message}.`
}
