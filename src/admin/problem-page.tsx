// A problem, for the person at the desk.

import type { Context } from 'hono'
import { isFormPost, prefersHtml } from '../http/negotiation.ts'
import { describeProblem, type ProblemCode, type ProblemDetails, problem } from '../http/problem.ts'
import type { Brand } from '../pages/layout.tsx'
import { DeskPage, sendDesk } from './desk-layout.tsx'

/**
 * Whether the answer is for a person's browser.
 * @param c the request's context
 */
export function isForPerson(c: Context): boolean {
  return prefersHtml(c) || isFormPost(c)
}

/**
 * Answers with a problem: a page for a person, a problem document for a program.
 * @param c the request's context
 * @param brand whose desk it is
 * @param code a stable code of the contract
 * @param details for a program
 */
export function deskProblem(
  c: Context,
  brand: Brand,
  code: ProblemCode,
  details: ProblemDetails = {},
): Response {
  if (!isForPerson(c)) return problem(c, code, details)
  const { status, title } = describeProblem(code)
  const page = (
    <DeskPage brand={brand} title={title}>
      <h1>{title}</h1>
      <p>
        <a href="/admin">Find a user</a>
      </p>
    </DeskPage>
  )
  return sendDesk(c, page, status)
}
