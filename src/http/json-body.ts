// JSON bodies, checked by the same schemas everywhere, with errors that name the field and the rule.

import { zValidator } from '@hono/zod-validator'
import type { Context, MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import type * as z from 'zod/mini'
import { type FieldError, problem } from './problem.ts'

/** Also a defence: a cross-site form cannot send this type without a CORS preflight. */
const JSON_TYPE = /^application\/([\w.-]+\+)?json\s*(;|$)/i

/**
 * Refuses bodies of another type than JSON with 415.
 * @param options `emptyIsObject` lets a request without a body pass, which the validator reads as `{}`
 */
export function requireJson(options: { emptyIsObject?: boolean } = {}): MiddlewareHandler {
  return createMiddleware(async (c, next) => {
    const type = c.req.header('Content-Type')
    if (type !== undefined && JSON_TYPE.test(type)) return next()
    const isEmpty = type === undefined && (await c.req.text()) === ''
    if (options.emptyIsObject && isEmpty) return next()
    return problem(c, 'unsupported_media_type')
  })
}

/**
 * Validates a JSON body: 400 `invalid_json` where it does not parse, 422 `invalid_input` where a field
 * does not fit. Unknown fields are dropped.
 * @param schema what the body must be
 */
export function jsonBody<Schema extends z.ZodMiniType>(schema: Schema) {
  return zValidator('json', schema, (result, c) => {
    if (!result.success) return invalidInput(c, result.error.issues)
  })
}

/** 422 with every field that does not fit. */
export function invalidInput(c: Context, issues: readonly z.core.$ZodIssue[]): Response {
  return problem(c, 'invalid_input', { errors: fieldErrors(issues) })
}

/**
 * Zod's issues as the contract's errors.
 * @param issues from a failed parse
 */
export function fieldErrors(issues: readonly z.core.$ZodIssue[]): FieldError[] {
  return issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
}
