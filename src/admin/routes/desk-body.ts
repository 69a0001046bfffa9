// What was sent to the desk, by a form or as JSON: one reading, one set of rules for both.

import type { Context } from 'hono'
import type * as z from 'zod/mini'
import { fieldErrors } from '../../http/json-body.ts'
import { isFormPost } from '../../http/negotiation.ts'
import type { FieldError, ProblemCode } from '../../http/problem.ts'
import type { DeskEnv } from './require-desk.tsx'

/** Values of a form as they were typed, to be shown again. Never a token. */
export type Typed = Readonly<Record<string, string | undefined>>

export type DeskBody<T> =
  | { readonly ok: true; readonly data: T }
  | {
      readonly ok: false
      readonly code: Extract<
        ProblemCode,
        'invalid_json' | 'invalid_form' | 'invalid_input' | 'unsupported_media_type'
      >
      readonly errors: readonly FieldError[]
      readonly typed: Typed
    }

const JSON_TYPE = /^application\/([\w.-]+\+)?json\s*(;|$)/i

/**
 * Reads and validates a body. Who acts is the name that the desk's session was opened under; a program, which has
 * none, says it in `X-Actor` or in the field `actor`.
 * @param c the request's context
 * @param schema what the body must be
 */
export async function deskBody<Schema extends z.ZodMiniType>(
  c: Context<DeskEnv>,
  schema: Schema,
): Promise<DeskBody<z.output<Schema>>> {
  const read = isFormPost(c) ? await readForm(c) : await readJson(c)
  if (typeof read === 'string') return { ok: false, code: read, errors: [], typed: {} }
  const sessionName = c.get('actor')
  const actor = sessionName ?? c.req.header('X-Actor')
  const result = schema.safeParse(actor === undefined ? read : { ...read, actor })
  if (result.success) return { ok: true, data: result.data }
  const errors = fieldErrors(result.error.issues)
  return { ok: false, code: 'invalid_input', errors, typed: typedIn(read) }
}

async function readForm(c: Context): Promise<Record<string, unknown> | 'invalid_form'> {
  try {
    return { ...(await c.req.parseBody()) }
  } catch {
    return 'invalid_form'
  }
}

async function readJson(
  c: Context,
): Promise<Record<string, unknown> | 'invalid_json' | 'unsupported_media_type'> {
  // Also a defence: another site cannot have a browser send this type without asking first (CORS preflight).
  if (!JSON_TYPE.test(c.req.header('Content-Type') ?? '')) return 'unsupported_media_type'
  try {
    const body: unknown = await c.req.json()
    // What is no object has no fields: each required one is then missing by name.
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : {}
  } catch {
    return 'invalid_json'
  }
}

function typedIn(read: Record<string, unknown>): Typed {
  return Object.fromEntries(
    Object.entries(read).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : undefined,
    ]),
  )
}
