// The two things one does with a link that proves a mailbox, open it and confirm it, for JSON and pages alike:
// the verification of a claim, and the new address of an account.

import type { Deps } from '../deps.ts'
import { confirmSubjects } from '../limits/policies.ts'
import type { Verdict } from '../limits/window.ts'
import {
  type ApplyResult,
  applyByPassword,
  applyBySession,
  previewEmailChange,
} from './apply-email-change.ts'
import { type LinkPreview, previewVerification } from './preview-verification.ts'
import { type BadLink, readLink } from './read-link.ts'
import type { Client } from './sessions.ts'
import {
  type VerifyResult,
  verifyByClick,
  verifyByPassword,
  verifyBySession,
} from './verify-email.ts'

/** Both are confirmed in the same place. */
const PROVES_A_MAILBOX = ['verify', 'change'] as const

export type OpenResult = BadLink | LinkPreview | VerifyResult
export type ConfirmResult =
  | BadLink
  | VerifyResult
  | ApplyResult
  | { readonly outcome: 'rate_limited'; readonly verdict: Verdict }

/**
 * Opens a link. Inert: nothing is changed, except by a GET in `VERIFY_MODE=click`; the timeline notes the view.
 * @param deps capabilities
 * @param input the token, the session token that came with it, and the request's real method: Hono answers
 * HEAD with the GET handler, and HEAD stays inert in every mode
 * @throws Outage
 */
export async function openVerifyLink(
  deps: Deps,
  input: {
    readonly token: string
    readonly presentedToken: string | null
    readonly method: string
  },
): Promise<OpenResult> {
  const link = await readLink(deps, PROVES_A_MAILBOX, input.token)
  if ('outcome' in link) return link
  const isView = input.method === 'GET'
  if (link.purpose === 'change') {
    return previewEmailChange(deps, link, input.presentedToken, isView)
  }
  return deps.config.VERIFY_MODE === 'click' && isView
    ? verifyByClick(deps, link, input.presentedToken)
    : previewVerification(deps, link, input.presentedToken, isView)
}

/**
 * Confirms a link, with the password where one is given, else with the session. Wrong passwords with a
 * genuine link are limited: whoever reads the mail could otherwise guess the claim's password forever. A session
 * token cannot be guessed, so that proof asks no counter.
 * @param deps capabilities
 * @param input the token, the proof, and where the request comes from
 * @throws Outage
 */
export async function confirmVerifyLink(
  deps: Deps,
  input: {
    readonly token: string
    readonly password: string | undefined
    readonly presentedToken: string | null
    readonly client: Client
  },
): Promise<ConfirmResult> {
  const link = await readLink(deps, PROVES_A_MAILBOX, input.token)
  if ('outcome' in link) return link

  const { password, client } = input
  if (password === undefined) {
    return link.purpose === 'change'
      ? applyBySession(deps, link, input.presentedToken)
      : verifyBySession(deps, link, input.presentedToken)
  }

  const subjects = confirmSubjects(deps.config, client.ip, link.addressFingerprint)
  const gate = await deps.counters.check(subjects)
  if (gate.refusedBy !== null) return { outcome: 'rate_limited', verdict: gate.refusedBy }
  const result = await (link.purpose === 'change'
    ? applyByPassword(deps, link, { password, client })
    : verifyByPassword(deps, link, { password, client }))
  // A wrong password counts however it is answered: with an owner present it is `already_verified`, and
  // without the count that would be an oracle for guesses.
  const gotIn = 'session' in result && result.session !== null
  if (!gotIn) await gate.charge()
  return result
}
