// Minting links, in the consumer at send time: no token ever lies in D1, KV, the Queue or a log.

import type { Config } from '../config.ts'
import type { Deps } from '../deps.ts'
import { type Claims, type Purpose, signToken } from '../signing/token.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** An undone change is the last word of somebody who reads their mail once a week. */
export const UNDO_TTL_MS = 7 * DAY_MS
/** As long as the claim that it disowns is kept by default. */
export const DISOWN_TTL_MS = 7 * DAY_MS

/** Whom a link is for. */
export type LinkRecipient = Omit<Claims, 'expiresAtSeconds'>

/** A link and how long it works from now. */
export interface MintedLink {
  readonly url: string
  readonly ttlMs: number
}

/**
 * Mints a link.
 * @param deps the key ring, the clock, where links point
 * @param purpose what it may do
 * @param recipient the user, the generation, and the fingerprint of the address it is mailed to
 */
export async function mintLink(
  deps: Pick<Deps, 'config' | 'keyRing' | 'now'>,
  purpose: Purpose,
  recipient: LinkRecipient,
): Promise<MintedLink> {
  const { template, ttlMs } = linkSettings(deps.config, purpose)
  const token = await signToken(deps.keyRing, purpose, {
    ...recipient,
    expiresAtSeconds: Math.floor((deps.now() + ttlMs) / 1000),
  })
  return { url: template.replace('{token}', token), ttlMs }
}

/**
 * Where links of a purpose point, with `{token}` in it, and how long they work.
 * @param config where it is set
 * @param purpose what they may do
 */
export function linkSettings(
  config: Config,
  purpose: Purpose,
): { template: string; ttlMs: number } {
  switch (purpose) {
    // Both prove a mailbox, and the same page confirms them.
    case 'verify':
    case 'change':
      return { template: config.VERIFY_URL, ttlMs: config.VERIFY_TTL }
    case 'reset':
      return { template: config.RESET_URL, ttlMs: config.RESET_TTL }
    case 'undo':
      return {
        template: `${config.APP_BASE_URL}/undo-email-change?token={token}`,
        ttlMs: UNDO_TTL_MS,
      }
    case 'disown':
      return { template: `${config.APP_BASE_URL}/disown?token={token}`, ttlMs: DISOWN_TTL_MS }
  }
}
