// What bodies sent to the desk must be. Forms and JSON are held against the same schemas.

import * as z from 'zod/mini'
import { canonicalAddress } from '../accounts/email-address.ts'
import { emailField } from '../accounts/request-bodies.ts'
import { orElse } from '../or-else.ts'
import { parsedText, unfit } from '../parsed-text.ts'

const MIN_REASON = 3
const MAX_REASON = 500
const MAX_NAME = 80
/** A page of failed mails. */
export const MAX_RETRIES = 50

/** A person's name, as it stands in timelines and in the log: on one line. */
export const actorField = z
  .string('is required')
  .check(
    z.trim(),
    z.minLength(1, 'is required'),
    z.maxLength(MAX_NAME, `must have at most ${MAX_NAME} characters`),
    z.regex(/^[^\p{Cc}]*$/u, 'must not contain control characters'),
  )

/** Why: the one who reads it later was not there. */
const reasonField = z
  .string('is required')
  .check(
    z.trim(),
    z.minLength(MIN_REASON, `must have at least ${MIN_REASON} characters`),
    z.maxLength(MAX_REASON, `must have at most ${MAX_REASON} characters`),
  )

/** Who does it, and why. */
const action = { actor: actorField, reason: reasonField }

const uuid = z.uuid('must be an id')

export const signInBody = z.object({
  name: actorField,
  token: z.string('is required').check(z.minLength(1, 'is required')),
  /** Where to go then; anything but a path of the desk is dropped. */
  to: orElse(z.string().check(z.regex(/^\/admin[\w/-]*$/)), '/admin'),
})

/** An address, which comes out canonical, or the id of a user or of a mail. */
export const findBody = z.object({
  query: parsedText<{ id: string } | { email: string }>((text) => {
    const query = text.trim()
    if (uuid.safeParse(query).success) return { id: query.toLowerCase() }
    const result = canonicalAddress(query)
    if (result.ok) return { email: result.address }
    return unfit(query.includes('@') ? result.problem.message : 'must be an address or an id')
  }, 'is required'),
})

export const actionBody = z.object(action)

/** Which link: the one that confirms an address, or the one that sets a new password. */
const purposeField = z.enum(['verify', 'reset'], 'must be "verify" or "reset"')

export const resendBody = z.object({ ...action, kind: z._default(purposeField, 'verify') })

export const linkBody = z.object({ ...action, purpose: purposeField })

export const liftBody = z.object({ ...action, email: emailField })

/** `user` says from whose page a form was sent; anything but an id is dropped. */
export const retryBody = z.object({ ...action, user: orElse(z.optional(uuid), undefined) })

/** The ids of a page; a form sends them as one field, separated by commas. */
export const retryAllBody = z.object({
  ...action,
  ids: z.pipe(
    z.transform((value) => (typeof value === 'string' ? value.split(',') : value)),
    z
      .array(uuid, 'must be a list of ids')
      .check(
        z.minLength(1, 'must name at least one mail'),
        z.maxLength(MAX_RETRIES, `must name at most ${MAX_RETRIES} mails`),
      ),
  ),
})
