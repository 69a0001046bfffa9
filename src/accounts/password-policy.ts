// What a new password must be. Length and a blocklist, no rules of composition: NIST SP 800-63B §3.1.1.2.

import { commonPasswords } from './common-passwords.ts'

/** In code points. */
export const MIN_PASSWORD_LENGTH = 8
/** In code points: long enough for any passphrase, short enough to bound the work before hashing. */
export const MAX_PASSWORD_LENGTH = 128

/**
 * Says what is wrong with a new password.
 * @param password as typed
 * @returns a sentence for the person, or null where nothing is wrong
 */
export function passwordProblem(password: string): string | null {
  if (!password.isWellFormed()) return 'must be valid Unicode text'
  const length = [...password.normalize('NFC')].length
  if (length < MIN_PASSWORD_LENGTH) return `must have at least ${MIN_PASSWORD_LENGTH} characters`
  if (length > MAX_PASSWORD_LENGTH) return `must have at most ${MAX_PASSWORD_LENGTH} characters`
  if (commonPasswords.has(password.toLowerCase())) {
    return 'is one of the most common passwords: choose another'
  }
  return null
}
