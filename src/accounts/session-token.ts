// A session token says whose session it is and proves it: base64url of the user's UUID (16 bytes) and a secret
// (32 random bytes). The id is what the row is found by; the secret alone is what nobody can guess, and D1 holds
// only its hash.

import { decodeBase64Url, encodeBase64Url } from '../signing/base64url.ts'

/** The key of a row in `sessions`. */
export interface SessionKey {
  readonly userId: string
  /** SHA-256 of the secret, in base64url. */
  readonly id: string
}

/** The key of no session: for statements that are run whether or not a session was presented. */
export const NOBODY: SessionKey = { userId: '', id: '' }

const UUID_BYTES = 16
const SECRET_BYTES = 32
/** Both together are whole groups of three bytes: the last character has no spare bits. */
const TOKEN_LENGTH = ((UUID_BYTES + SECRET_BYTES) / 3) * 4

/** 256 random bits. */
export function makeSecret(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
}

/**
 * The part of a key that a secret makes. A fast hash will do: the secret is random, and long.
 * @param secret 32 bytes
 */
export async function hashSecret(secret: Uint8Array): Promise<string> {
  return encodeBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', secret)))
}

/**
 * The token of a session.
 * @param userId whose it is: a UUID
 * @param secret 32 bytes
 * @returns 64 characters, safe in a cookie and in a header as they are
 */
export function tokenOf(userId: string, secret: Uint8Array): string {
  const bytes = new Uint8Array(UUID_BYTES + SECRET_BYTES)
  bytes.set(bytesOfUuid(userId))
  bytes.set(secret, UUID_BYTES)
  return encodeBase64Url(bytes)
}

/**
 * The key under which a token's session is stored. Whether there is one, and whether it holds, D1 says.
 * @param token as presented, or null
 * @returns {@link NOBODY}, the very object, for null and for what is no token of ours
 */
export async function sessionKeyOf(token: string | null): Promise<SessionKey> {
  if (token?.length !== TOKEN_LENGTH) return NOBODY
  const bytes = decodeBase64Url(token)
  if (bytes === null) return NOBODY
  return {
    userId: uuidOf(bytes.subarray(0, UUID_BYTES)),
    id: await hashSecret(bytes.subarray(UUID_BYTES)),
  }
}

function bytesOfUuid(uuid: string): Uint8Array {
  return Uint8Array.fromHex(uuid.replaceAll('-', ''))
}

function uuidOf(bytes: Uint8Array): string {
  return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
