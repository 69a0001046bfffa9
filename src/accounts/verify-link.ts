// The two things one does with a verification link, open it and confirm it, for JSON and pages alike.

import type { Deps } from '../deps.ts'
import { confirmSubjects } from '../limits/policies.ts'
import type { Verdict } from '../limits/window.ts'
import type { Claims } from '../signing/token.ts'
import { verifyToken } from '../signing/token.ts'
import type { Client } from './sessions.ts'
import {
  type LinkPreview,
  previewVerification,
  type VerifyResult,
  verifyByClick,
  verifyByPassword,
  verifyBySession,
} from './verify-email.ts'

/** What is wrong with the link itself. Known without touching D1. */
export type BadLink =
  | { readonly outcome: 'invalid' }
  /** The fingerprint names the address, so that a page can offer a new link. */
  | { readonly outcome: 'expired' }

export type OpenResult = BadLink | LinkPreview | VerifyResult
export type ConfirmResult =
  | BadLink
  | VerifyResult
  | { readonly outcome: 'rate_limited'; readonly verdict: Verdict }

/**
 * Opens a link. Inert: nothing is written, except for a GET in `VERIFY_MODE=click`.
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
  const link = await readVerifyLink(deps, input.token)
  if ('outcome' in link) return link
  return deps.config.VERIFY_MODE === 'click' && input.method === 'GET'
    ? verifyByClick(deps, link, input.presentedToken)
    : previewVerification(deps, link, input.presentedToken)
}

/**
 * Confirms a link, with the password where one is given, else with the session. Failed attempts with a
 * genuine link are limited: whoever reads the mail could otherwise guess the claim's password for ever.
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
  const link = await readVerifyLink(deps, input.token)
  if ('outcome' in link) return link

  const { password, client } = input
  const guessed = password === undefined ? undefined : link.addressFingerprint
  const gate = await deps.counters.check(confirmSubjects(deps.config, client.ip, guessed))
  if (gate.refusedBy !== null) return { outcome: 'rate_limited', verdict: gate.refusedBy }

  const result =
    password === undefined
      ? await verifyBySession(deps, link, input.presentedToken)
      : await verifyByPassword(deps, link, { password, client })
  if (result.outcome === 'proof_required') await gate.charge()
  return result
}

/** The log learns which check failed, the client does not: it would help nobody but a forger. */
async function readVerifyLink(deps: Deps, token: string): Promise<Claims | BadLink> {
  const result = await verifyToken(deps.keyRing, 'verify', token, deps.now())
  if (result.ok) return result.claims
  if (result.failure === 'expired') {
    deps.log('expired_token', { userId: result.claims.userId })
    return { outcome: 'expired' }
  }
  deps.log('invalid_token', { reason: result.failure })
  return { outcome: 'invalid' }
}
