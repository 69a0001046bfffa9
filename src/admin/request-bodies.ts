// What bodies sent to the desk must be. Forms and JSON are held against the same schemas.

import * as z from 'zod'
import { canonicalAddress } from '../accounts/email-address.ts'
import { emailField } from '../accounts/request-bodies.ts'

const MIN_REASON = 3
const MAX_REASON = 500
const MAX_NAME = 80
/** A page of failed mails. */
export const MAX_RETRIES = 50

/** A person's name, as it stands in timelines and in the log: on one line. */
export const actorField = z
  .string('is required')
  .trim()
  .min(1, 'is required')
  .max(MAX_NAME, `must have at most ${MAX_NAME} characters`)
  .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters')

/** Why: the one who reads it later was not there. */
const reasonField = z
  .string('is required')
  .trim()
  .min(MIN_REASON, `must have at least ${MIN_REASON} characters`)
  .max(MAX_REASON, `must have at most ${MAX_REASON} characters`)

/** Who does it, and why. */
const action = { actor: actorField, reason: reasonField }

const uuid = z.uuid('must be an id')

export const signInBody = z.object({
  name: actorField,
  token: z.string('is required').min(1, 'is required'),
  /** Where to go then; anything but a path of the desk is dropped. */
  to: z
    .string()
    .regex(/^\/admin[\w/-]*$/)
    .catch('/admin'),
})

/** An address, which comes out canonical, or the id of a user or of a mail. */
export const findBody = z.object({
  query: z.string('is required').transform((text, ctx) => {
    const query = text.trim()
    if (uuid.safeParse(query).success) return { id: query.toLowerCase() }
    const result = canonicalAddress(query)
    if (result.ok) return { email: result.address }
    const message = query.includes('@') ? result.problem.message : 'must be an address or an id'
    ctx.addIssue({ code: 'custom', message })
    return z.NEVER
  }),
})

export const actionBody = z.object(action)

/** Which link: the one that confirms an address, or the one that sets a new password. */
const purposeField = z.enum(['verify', 'reset'], 'must be "verify" or "reset"')

export const resendBody = z.object({ ...action, kind: purposeField.default('verify') })

export const linkBody = z.object({ ...action, purpose: purposeField })

export const liftBody = z.object({ ...action, email: emailField })

/** `user` says from whose page a form was sent; anything but an id is dropped. */
export const retryBody = z.object({ ...action, user: uuid.optional().catch(undefined) })

/** The ids of a page; a form sends them as one field, separated by commas. */
export const retryAllBody = z.object({
  ...action,
  ids: z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',') : value),
    z
      .array(uuid, 'must be a list of ids')
      .min(1, 'must name at least one mail')
      .max(MAX_RETRIES, `must name at most ${MAX_RETRIES} mails`),
  ),
})
