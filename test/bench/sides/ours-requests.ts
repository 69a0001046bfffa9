// What people send to our Worker: links are minted and sessions named by the Worker's own functions.

import '../polyfill.ts'
import { createHash } from 'node:crypto'
import { tokenOf } from '../../../src/accounts/session-token.ts'
import { createKeyRing, parseKeyList } from '../../../src/signing/key-ring.ts'
import { signToken } from '../../../src/signing/token.ts'
import { addressOf, ipOf, PASSWORD, secretOf, USER_AGENT, uuidOf } from '../population.ts'
import { type BenchRequest, NOW, type Operation } from './side.ts'

export const TOKEN_KEYS = `k1:${'A'.repeat(43)}`

const keys = parseKeyList(TOKEN_KEYS)
if (typeof keys === 'string') throw new Error(keys)
const keyRing = await createKeyRing(keys)

/** What a browser knows of the claim that it made. */
export interface Claim {
  readonly userId: string
  readonly sessionToken: string
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest()

/** As `addressFingerprint` makes it. */
export const fingerprintOf = (email: string) => sha256(email).subarray(0, 16).toString('base64url')

const sessionSecretOf = (i: number) => Buffer.from(secretOf('our session', i), 'base64url')
export const sessionTokenOf = (i: number) => tokenOf(uuidOf(i), sessionSecretOf(i))

/** The key that the session of person `i` is stored under. */
export const sessionIdOf = (i: number) => sha256(sessionSecretOf(i)).toString('base64url')

/**
 * The token of the link that person `i` is mailed.
 * @param i who
 * @param userId of their claim
 */
export async function linkOf(i: number, userId = uuidOf(i)): Promise<string> {
  return signToken(keyRing, 'verify', {
    userId,
    generation: 0,
    addressFingerprint: fingerprintOf(addressOf(i)),
    expiresAtSeconds: Math.floor(NOW / 1000) + 20 * 3600,
  })
}

/**
 * The request of person `i`.
 * @param operation which
 * @param i who
 * @param claim made in the course of the run, where the person was not in the database before
 */
export async function request(
  operation: Operation,
  i: number,
  claim: Claim = { userId: uuidOf(i), sessionToken: sessionTokenOf(i) },
): Promise<BenchRequest> {
  const headers = {
    'CF-Connecting-IP': ipOf(i),
    'User-Agent': USER_AGENT,
    Accept: 'application/json',
  }
  const cookie = { Cookie: `__Host-session=${claim.sessionToken}` }
  const get = (path: string, expect: number, more = {}): BenchRequest => ({
    method: 'GET',
    path,
    headers: { ...headers, ...more },
    body: null,
    expect,
  })
  const post = (path: string, body: object, expect: number, more = {}): BenchRequest => ({
    method: 'POST',
    path,
    headers: { ...headers, 'Content-Type': 'application/json', ...more },
    body: JSON.stringify(body),
    expect,
  })
  const email = addressOf(i)
  switch (operation) {
    case 'register':
      return post('/auth/register', { email, password: PASSWORD }, 201)
    case 'login':
      return post('/auth/login', { email, password: PASSWORD }, 200)
    case 'open':
      return get(`/auth/verify-email?token=${await linkOf(i, claim.userId)}`, 200, cookie)
    case 'confirm':
    case 'repeat':
      return post('/auth/verify-email', { token: await linkOf(i, claim.userId) }, 200, cookie)
    case 'resend':
      return post('/auth/resend-verification', {}, 200, cookie)
    case 'public_resend':
      return post('/auth/resend-verification', { email }, 202)
    case 'check':
      return get('/auth/check', 200, cookie)
    case 'session':
      return get('/auth/session', 200, cookie)
    case 'forged': {
      // Genuine but for the signature, so that the whole check is made.
      const [payload] = (await linkOf(i)).split('.')
      return get(`/auth/verify-email?token=${payload}.${secretOf('forged', i)}`, 400)
    }
  }
}
