// Password hashing: node:crypto scrypt in a PHC string.
//
// The salt is derived from the address, HMAC(PASSWORD_KEY, address), and stored in the string as any salt
// is. All claims on one address therefore share it, so one scrypt checks a password against all of them,
// and login takes the same time for none, one or many. Without PASSWORD_KEY nobody can compute the salt of
// an address ahead of a leak.

import { scrypt, timingSafeEqual } from 'node:crypto'

/** scrypt's cost parameters (RFC 7914 §2). */
export interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

/**
 * OWASP Password Storage and ASVS 5 Appendix C: N=2^15, r=8, p=3. workerd refuses N·r·p above 2^20, and
 * one hash takes a fifth of a second of CPU: the free plan's 10 ms cannot hold any acceptable hash.
 */
export const SCRYPT_COST: ScryptCost = { N: 2 ** 15, r: 8, p: 3 }
/** N·r·p beyond this throws in workerd. */
export const WORKERD_MAX_COST = 2 ** 20
/** scrypt needs 128·N·r = 32 MiB and a little; node's default limit of 32 MiB would throw. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024
const SALT_BYTES = 16
const HASH_BYTES = 32

const encoder = new TextEncoder()

/** A function that hashes one password for one address. */
export type PasswordHasher = (password: string, canonicalEmail: string) => Promise<string>

/**
 * Makes the hasher for one deployment.
 * @param passwordKey the imported `PASSWORD_KEY`
 * @param cost scrypt's parameters; {@link SCRYPT_COST} everywhere but in tests of other things
 * @returns a function from (password, canonical address) to a PHC string. Equal inputs give equal strings.
 */
export function createPasswordHasher(passwordKey: CryptoKey, cost: ScryptCost): PasswordHasher {
  return async (password, canonicalEmail) => {
    const mac = await crypto.subtle.sign(
      'HMAC',
      passwordKey,
      encoder.encode(`mailproof password salt v1\n${canonicalEmail}`),
    )
    const salt = new Uint8Array(mac, 0, SALT_BYTES)
    const hash = await deriveKey(encoder.encode(password.normalize('NFC')), salt, cost)
    return formatPhc(cost, salt, hash)
  }
}

/** `outdated`: it matches, but was made with other parameters or another salt and should be replaced. */
export type PasswordCheck = 'match' | 'outdated' | 'mismatch'

/**
 * Checks a password against a stored hash, given what the hasher makes of it today. No further hashing where
 * the two were made with the same parameters and salt, which is nearly always.
 * @param stored the PHC string in D1
 * @param computed the hasher's answer for the password just typed
 * @param password as typed
 */
export async function checkPassword(
  stored: string,
  computed: string,
  password: string,
): Promise<PasswordCheck> {
  if (sameSaltAndCost(stored, computed)) {
    return equalInConstantTime(stored, computed) ? 'match' : 'mismatch'
  }
  return (await matchesForeignHash(password, stored)) ? 'outdated' : 'mismatch'
}

/** For hashes of an earlier cost, an earlier `PASSWORD_KEY`, or an earlier address of the account. */
async function matchesForeignHash(password: string, stored: string): Promise<boolean> {
  const parts = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)$/.exec(
    stored,
  )
  if (parts === null) return false
  const [, ln, r, p, salt = '', hash = ''] = parts
  const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p) }
  if (cost.N * cost.r * cost.p > WORKERD_MAX_COST) return false
  try {
    const secret = encoder.encode(password.normalize('NFC'))
    const actual = await deriveKey(secret, Uint8Array.fromBase64(salt), cost)
    const expected = Uint8Array.fromBase64(hash)
    return expected.length === actual.length && timingSafeEqual(expected, actual)
  } catch {
    return false // not base64: nothing matches it
  }
}

function equalInConstantTime(a: string, b: string): boolean {
  const [x, y] = [encoder.encode(a), encoder.encode(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}

/**
 * Whether two hashes were made with the same algorithm, parameters and salt, so that comparing them needs no
 * further hashing.
 * @param a a PHC string
 * @param b another
 */
export function sameSaltAndCost(a: string, b: string): boolean {
  return a.slice(0, a.lastIndexOf('$')) === b.slice(0, b.lastIndexOf('$'))
}

function deriveKey(password: Uint8Array, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, { ...cost, maxmem: MAX_MEMORY_BYTES }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

/** The PHC string format: `$scrypt$ln=15,r=8,p=3$salt$hash`, base64 without padding. */
function formatPhc({ N, r, p }: ScryptCost, salt: Uint8Array, hash: Uint8Array): string {
  const parameters = `ln=${Math.log2(N)},r=${r},p=${p}`
  return `$scrypt$${parameters}$${base64(salt)}$${base64(hash)}`
}

function base64(bytes: Uint8Array): string {
  return new Uint8Array(bytes).toBase64({ omitPadding: true })
}
