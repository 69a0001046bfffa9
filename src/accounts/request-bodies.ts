// What request bodies must be. Pages and JSON routes validate with the same schemas.

import * as z from 'zod'
import { canonicalAddress } from './email-address.ts'
import { passwordProblem } from './password-policy.ts'

/** An address as typed; comes out canonical. */
export const emailField = z.string('is required').transform((text, ctx) => {
  const result = canonicalAddress(text)
  if (result.ok) return result.address
  ctx.addIssue({ code: 'custom', message: result.problem.message })
  return z.NEVER
})

/** A password to be set. */
export const newPasswordField = z.string('is required').superRefine((password, ctx) => {
  const message = passwordProblem(password)
  if (message !== null) ctx.addIssue({ code: 'custom', message })
})

/** A password to be checked. No policy here: an account keeps working when the policy changes. */
export const passwordField = z
  .string('is required')
  .min(1, 'is required')
  .max(1024, 'must have at most 1024 characters')

const transportField = z.enum(['cookie', 'bearer'], 'must be "cookie" or "bearer"')

export const registerBody = z.object({
  email: emailField,
  password: newPasswordField,
  transport: transportField.default('cookie'),
})

export const loginBody = z.object({
  email: emailField,
  password: passwordField,
  transport: transportField.default('cookie'),
})

export const verifyBody = z.object({
  token: z.string('is required').min(1, 'is required'),
  password: passwordField.optional(),
  /** Unless said, the way the session came. */
  transport: transportField.optional(),
})

/** Without an address it is the session's own. */
export const resendBody = z.object({ email: emailField.optional() })

/** The older envelope. Its shape and its address are judged apart: 400 and 422. */
export const resendEnvelope = z.object({ data: z.object({ email: z.unknown().nonoptional() }) })

export const forgotPasswordBody = z.object({ email: emailField })

export const resetPasswordBody = z.object({
  token: z.string('is required').min(1, 'is required'),
  password: newPasswordField,
})

export const changePasswordBody = z.object({
  current_password: passwordField,
  new_password: newPasswordField,
})

export const changeEmailBody = z.object({ new_email: emailField, password: passwordField })

/** For links that need nothing else. */
export const tokenBody = z.object({ token: z.string('is required').min(1, 'is required') })

export const deleteAccountBody = z.object({ password: passwordField })
