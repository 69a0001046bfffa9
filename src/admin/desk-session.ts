// What a browser holds while somebody is at the desk: their name and when it ends, signed under a key made of
// ADMIN_TOKEN. The token itself is not in it, and a new token ends all sessions at once. Nothing is stored.

import * as z from 'zod/mini'
import { decodeBase64Url, encodeBase64Url } from '../signing/base64url.ts'
import { importHmacKey } from '../signing/key-ring.ts'

/** A working day. */
export const DESK_SESSION_MS = 12 * 60 * 60 * 1000

/** Who is at the desk. */
export interface DeskSession {
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** `expired` was genuine once: presenting it is no guess. */
export type DeskSessionResult =
  | { readonly ok: true; readonly session: DeskSession }
  | { readonly ok: false; readonly failure: 'forged' | 'expired' }

const encoder = new TextEncoder()
const payloadShape = z.object({ n: z.string(), x: z.int() })

/**
 * Signs a session.
 * @param adminToken `ADMIN_TOKEN`
 * @param session who, and until when
 * @returns the cookie's value
 */
export async function signDeskSession(adminToken: string, session: DeskSession): Promise<string> {
  const body = JSON.stringify({ n: session.name, x: session.expiresAt })
  const payload = encodeBase64Url(encoder.encode(body))
  const mac = await crypto.subtle.sign('HMAC', await keyOf(adminToken), macInput(payload))
  return `${payload}.${encodeBase64Url(new Uint8Array(mac))}`
}

/**
 * Checks a session: MAC first (constant time), then its end. Never throws.
 * @param adminToken `ADMIN_TOKEN`
 * @param value the cookie's
 * @param now milliseconds since the epoch
 */
export async function readDeskSession(
  adminToken: string,
  value: string,
  now: number,
): Promise<DeskSessionResult> {
  const [payload = '', signature = '', ...rest] = value.split('.')
  const mac = decodeBase64Url(signature)
  const bytes = decodeBase64Url(payload)
  if (rest.length > 0 || mac === null || bytes === null) return { ok: false, failure: 'forged' }
  const isGenuine = await crypto.subtle
    .verify('HMAC', await keyOf(adminToken), mac, macInput(payload))
    .catch(() => false)
  if (!isGenuine) return { ok: false, failure: 'forged' }
  // Ours, as it was signed.
  const { n: name, x: expiresAt } = payloadShape.parse(JSON.parse(new TextDecoder().decode(bytes)))
  if (now >= expiresAt) return { ok: false, failure: 'expired' }
  return { ok: true, session: { name, expiresAt } }
}

function keyOf(adminToken: string): Promise<CryptoKey> {
  return importHmacKey(encoder.encode(adminToken))
}

function macInput(payload: string): Uint8Array {
  return encoder.encode(`mailproof desk v1\n${payload}`)
}
