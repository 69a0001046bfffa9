// What request bodies must be. Pages and JSON routes validate with the same schemas.

import * as z from 'zod/mini'
import { parsedText, unfit } from '../parsed-text.ts'
import { canonicalAddress } from './email-address.ts'
import { passwordProblem } from './password-policy.ts'

/** An address as typed; comes out canonical. */
export const emailField = parsedText((text) => {
  const result = canonicalAddress(text)
  return result.ok ? result.address : unfit(result.problem.message)
}, 'is required')

/** A password to be set. */
export const newPasswordField = parsedText((password) => {
  const problem = passwordProblem(password)
  return problem === null ? password : unfit(problem)
}, 'is required')

/** A password to be checked. No policy here: an account keeps working when the policy changes. */
export const passwordField = z
  .string('is required')
  .check(z.minLength(1, 'is required'), z.maxLength(1024, 'must have at most 1024 characters'))

const tokenField = z.string('is required').check(z.minLength(1, 'is required'))

const transportField = z.enum(['cookie', 'bearer'], 'must be "cookie" or "bearer"')

/**
 * An object with these fields; others are dropped.
 * @param fields by name
 */
export function body<Fields extends z.core.$ZodLooseShape>(fields: Fields) {
  return z.object(fields, 'must be an object')
}

export const registerBody = body({
  email: emailField,
  password: newPasswordField,
  transport: z._default(transportField, 'cookie'),
})

export const loginBody = body({
  email: emailField,
  password: passwordField,
  transport: z._default(transportField, 'cookie'),
})

export const verifyBody = body({
  token: tokenField,
  password: z.optional(passwordField),
  /** Unless said, the way the session came. */
  transport: z.optional(transportField),
})

/** Without an address it is the session's own. */
export const resendBody = body({ email: z.optional(emailField) })

/** The older envelope. Its shape and its address are judged apart: 400 and 422. */
export const resendEnvelope = z.object({ data: z.object({ email: z.nonoptional(z.unknown()) }) })

export const forgotPasswordBody = body({ email: emailField })

export const resetPasswordBody = body({
  token: tokenField,
  password: newPasswordField,
})

export const changePasswordBody = body({
  current_password: passwordField,
  new_password: newPasswordField,
})

export const changeEmailBody = body({ new_email: emailField, password: passwordField })

/** For links that need nothing else. */
export const tokenBody = body({ token: tokenField })

export const deleteAccountBody = body({ password: passwordField })
