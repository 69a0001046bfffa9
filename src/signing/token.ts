// Link tokens: `base64url(claims) . base64url(HMAC-SHA-256)`.
// No I/O and no clock: `now` is a parameter. The purpose goes into the MAC, so a token of one purpose is simply not a
// token of another, whatever it says of itself.

import { decodeBase64Url, encodeBase64Url } from './base64url.ts'
import type { KeyRing } from './key-ring.ts'

/** What a link may do. A new purpose gets its own name here and thereby its own MAC. */
export type Purpose = 'verify' | 'reset' | 'change' | 'undo' | 'disown'

/** What a link says. It carries no address: URLs end in logs and histories. */
export interface Claims {
  /** User id the link was minted for. */
  readonly userId: string
  /** The user's `generation` when the message was written. */
  readonly generation: number
  /** Fingerprint of the canonical address the link was mailed to. */
  readonly addressFingerprint: string
  /** Last second in which the link is good, in seconds since the epoch. */
  readonly expiresAtSeconds: number
}

/** Which check failed. Rich for the log; the client is told `expired` or `invalid` and no more. */
export type TokenFailure = 'shape' | 'unknown_key' | 'mac' | 'claims' | 'expired'

export type TokenResult<P extends Purpose = Purpose> =
  | { readonly ok: true; readonly purpose: P; readonly claims: Claims }
  // An expired token was genuine once: its claims are for the log, never to act on.
  | {
      readonly ok: false
      readonly failure: 'expired'
      readonly purpose: P
      readonly claims: Claims
    }
  | { readonly ok: false; readonly failure: Exclude<TokenFailure, 'expired'> }

/** A token of ours is about 190 characters; anything far longer is not worth decoding. */
const MAX_TOKEN_LENGTH = 512

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function macInput(purpose: Purpose, payload: string): Uint8Array {
  return encoder.encode(`mailproof link v1\n${purpose}\n${payload}`)
}

/**
 * Signs claims for one purpose with the newest key.
 * @param ring the key ring
 * @param purpose what the link may do
 * @param claims what it says; the key id is added here
 * @returns the token, safe in a URL as it is
 */
export async function signToken(ring: KeyRing, purpose: Purpose, claims: Claims): Promise<string> {
  const payload = encodeBase64Url(
    encoder.encode(
      JSON.stringify({
        k: ring.newest.id,
        s: claims.userId,
        g: claims.generation,
        a: claims.addressFingerprint,
        x: claims.expiresAtSeconds,
        // It opens where links to verify open, too: see `verifyToken`.
        ...(purpose === 'change' ? { p: purpose } : {}),
      }),
    ),
  )
  const mac = await crypto.subtle.sign('HMAC', ring.newest.key, macInput(purpose, payload))
  return `${payload}.${encodeBase64Url(new Uint8Array(mac))}`
}

/**
 * Checks a token in this order: shape, MAC (constant time, under the key it names), claims, expiry.
 * What D1 has to say about the user comes after this, in the caller. Never throws.
 * Where several purposes are welcome, the token itself says which of them to hold against the MAC, and one that says
 * nothing is held against the first. So anybody's guess costs one MAC, and a lie only fails.
 * @param ring the key ring
 * @param welcome what the caller is about to do: one of these
 * @param token what came from outside
 * @param nowMs the current instant, in milliseconds since the epoch
 */
export async function verifyToken<P extends Purpose>(
  ring: KeyRing,
  welcome: readonly [P, ...P[]],
  token: string,
  nowMs: number,
): Promise<TokenResult<P>> {
  const parts = token.length <= MAX_TOKEN_LENGTH ? token.split('.') : []
  const [payload, signature] = parts
  if (parts.length !== 2 || !payload || !signature) return { ok: false, failure: 'shape' }
  const mac = decodeBase64Url(signature)
  const body = readPayload(payload)
  if (mac === null || mac.length !== 32 || body === null) return { ok: false, failure: 'shape' }

  const key = typeof body.k === 'string' ? ring.byId.get(body.k) : undefined
  if (key === undefined) return { ok: false, failure: 'unknown_key' }
  const purpose = welcome.find((one) => one === body.p) ?? welcome[0]
  const genuine = await crypto.subtle
    .verify('HMAC', key, mac, macInput(purpose, payload))
    .catch(() => false) // a failed Web Crypto call is a failed verification, never an outage
  if (!genuine) return { ok: false, failure: 'mac' }

  const claims = readClaims(body)
  if (claims === null) return { ok: false, failure: 'claims' }
  if (Math.floor(nowMs / 1000) > claims.expiresAtSeconds) {
    return { ok: false, failure: 'expired', purpose, claims }
  }
  return { ok: true, purpose, claims }
}

function readPayload(payload: string): Record<string, unknown> | null {
  const bytes = decodeBase64Url(payload)
  if (bytes === null) return null
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes))
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readClaims(body: Record<string, unknown>): Claims | null {
  const { s, g, a, x } = body
  if (typeof s !== 'string' || typeof a !== 'string') return null
  if (!Number.isSafeInteger(g) || !Number.isSafeInteger(x)) return null
  return {
    userId: s,
    generation: Number(g),
    addressFingerprint: a,
    expiresAtSeconds: Number(x),
  }
}
