// What is counted against whom. Counting never looks at what is stored, so a 429 tells nothing about an
// address: a known, an unknown and a verified one are counted alike.

import type { Config } from '../config.ts'
import type { Subject } from './counters.ts'

/**
 * Everything that can send mail: registration, resends, forgotten passwords, changes of address.
 * @param config the limits
 * @param ip from `clientIp`
 * @param address canonical; absent where the request names a session instead (D1 limits that address)
 */
export function mailSubjects(config: Config, ip: string, address?: string): Subject[] {
  const perIp: Subject = { policy: config.MAIL_LIMIT_PER_IP, value: ip, isClient: true }
  if (address === undefined) return [perIp]
  return [perIp, { policy: config.MAIL_REQUESTS_PER_ADDRESS, value: address }]
}

/**
 * Password guesses. All attempts count, successful ones too: counting failures alone would answer
 * differently for a password that is right.
 *
 * The limit per address lets a stranger lock a person out of signing in for a window. The alternative,
 * no such limit, lets a botnet guess without end; a reset link still gets the person in.
 * @param config the limits
 * @param ip from `clientIp`
 * @param address canonical
 */
export function loginSubjects(config: Config, ip: string, address: string): Subject[] {
  return [
    { policy: config.LOGIN_LIMIT_PER_IP, value: ip, isClient: true, isGuess: true },
    { policy: config.LOGIN_LIMIT_PER_ADDRESS, value: address, isGuess: true },
  ]
}

/**
 * Wrong passwords with a genuine link. Forged links are not counted, they cost nothing; nor are attempts without a
 * password: a stranger must not keep the browser that registered from confirming by its session.
 * @param config the limits
 * @param ip from `clientIp`
 * @param addressFingerprint from the link
 */
export function confirmSubjects(config: Config, ip: string, addressFingerprint: string): Subject[] {
  return [
    { policy: config.CONFIRM_LIMIT_PER_IP, value: ip, isClient: true, isGuess: true },
    { policy: config.CONFIRM_LIMIT_PER_ADDRESS, value: addressFingerprint, isGuess: true },
  ]
}

/**
 * Requests to the desk with a wrong or missing token. Judged before the token is looked at, so that of a
 * burst of guesses none beyond the limit is ever compared.
 * @param config the limit
 * @param ip from `clientIp`
 */
export function adminSubjects(config: Config, ip: string): Subject[] {
  return [{ policy: config.ADMIN_LIMIT_PER_IP, value: ip, isClient: true, isGuess: true }]
}
