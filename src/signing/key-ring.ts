// The ring of HMAC keys that sign links: the newest signs, all of them verify, so that a rotation
// leaves delivered links alive.

import { decodeBase64Url } from './base64url.ts'

/** One entry of `TOKEN_KEYS`: a public id and at least 32 secret bytes. */
export interface KeyMaterial {
  readonly id: string
  readonly secret: Uint8Array
}

/** Web Crypto keys, ready for use. */
export interface KeyRing {
  readonly newest: { readonly id: string; readonly key: CryptoKey }
  readonly byId: ReadonlyMap<string, CryptoKey>
}

export type KeyListProblem = 'empty' | 'shape' | 'id' | 'secret' | 'duplicate'

/** HMAC-SHA-256 wants a key as long as its output (RFC 2104 §3). */
export const MIN_SECRET_BYTES = 32

/**
 * Reads `id:secret,id:secret…`, newest first. Ids are 1–16 of `A-Z a-z 0-9 _ -`; secrets are
 * base64url of at least 32 bytes.
 * @param text the setting's value
 * @returns the keys in the order given, or the first rule that was broken
 */
export function parseKeyList(text: string): KeyMaterial[] | KeyListProblem {
  const entries = text.split(',').map((entry) => entry.trim())
  if (text.trim() === '') return 'empty'
  const keys: KeyMaterial[] = []
  for (const entry of entries) {
    const [id, secret, ...rest] = entry.split(':')
    if (id === undefined || secret === undefined || rest.length > 0) return 'shape'
    if (!/^[A-Za-z0-9_-]{1,16}$/.test(id)) return 'id'
    if (keys.some((key) => key.id === id)) return 'duplicate'
    const bytes = decodeBase64Url(secret)
    if (bytes === null || bytes.length < MIN_SECRET_BYTES) return 'secret'
    keys.push({ id, secret: bytes })
  }
  return keys
}

/**
 * Imports bytes as an HMAC-SHA-256 key that never leaves Web Crypto again.
 * @param secret the key bytes
 */
export function importHmacKey(secret: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ])
}

/**
 * Imports every key of the list.
 * @param keys newest first, as {@link parseKeyList} returns them
 * @throws where the list is empty, which a checked configuration never is
 */
export async function createKeyRing(keys: readonly KeyMaterial[]): Promise<KeyRing> {
  const imported = await Promise.all(
    keys.map(async ({ id, secret }) => [id, await importHmacKey(secret)] as const),
  )
  const [newest] = imported
  if (newest === undefined) throw new Error('a key ring needs at least one key')
  return { newest: { id: newest[0], key: newest[1] }, byId: new Map(imported) }
}
