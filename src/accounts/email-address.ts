// The canonical form of an address, and its fingerprint. One function, used for registration, login,
// links, resends and every limit: two spellings of one mailbox must never be two accounts.

import { encodeBase64Url } from '../signing/base64url.ts'

/** RFC 5321 §4.5.3.1 with erratum 1690: a path of 256 octets, less its angle brackets. */
export const MAX_ADDRESS_OCTETS = 254
/** RFC 5321 §4.5.3.1.1. */
const MAX_LOCAL_PART_OCTETS = 64

/** Which rule an address broke, in words for the person who typed it. */
export interface AddressProblem {
  readonly rule: 'shape' | 'length' | 'local_part' | 'domain'
  readonly message: string
}

export type AddressResult =
  | { readonly ok: true; readonly address: string }
  | { readonly ok: false; readonly problem: AddressProblem }

/**
 * RFC 5322 §3.2.3 dot-atom in ASCII. Quoted local parts and non-ASCII ones (RFC 6531) are refused:
 * the mail APIs refuse them too, and a refusal is kinder here than as a mail that never comes.
 */
const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
/** RFC 1035 §2.3.1 labels, after conversion to Punycode; a mail domain has at least two. */
const DOMAIN =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/
/** What the URL parser would take for the end of a host; whitespace and controls would be dropped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
const NOT_IN_A_DOMAIN = /[\s\u0000-\u001f\u007f/?#@:\\[\]%<>^|]/

/**
 * Brings an address to canonical form: trimmed, NFC, lower case, domain in Punycode (UTS 46).
 * No `+tag` or dot folding: whether those name one mailbox is the receiving host's affair.
 * Idempotent. Never throws.
 * @param input what a person typed
 * @returns the canonical address, or the rule that it broke
 */
export function canonicalAddress(input: string): AddressResult {
  const text = input.trim().normalize('NFC').toLowerCase()
  const at = text.lastIndexOf('@')
  if (at < 1 || at === text.length - 1) {
    return refused('shape', 'must look like name@example.com')
  }
  const localPart = text.slice(0, at)
  if (!LOCAL_PART.test(localPart)) {
    return refused(
      'local_part',
      "the part before @ may hold only unaccented letters, digits, single dots and !#$%&'*+/=?^_`{|}~-",
    )
  }
  if (localPart.length > MAX_LOCAL_PART_OCTETS) {
    return refused(
      'length',
      `the part before @ must be at most ${MAX_LOCAL_PART_OCTETS} characters`,
    )
  }
  const domain = asciiDomain(text.slice(at + 1))
  if (domain === null) {
    return refused('domain', 'the part after @ must be a domain name such as example.com')
  }
  const address = `${localPart}@${domain}`
  // All ASCII by now, so characters are octets.
  if (address.length > MAX_ADDRESS_OCTETS) {
    return refused('length', `must be at most ${MAX_ADDRESS_OCTETS} octets`)
  }
  return { ok: true, address }
}

/** The URL parser is the platform's own UTS 46 implementation. */
function asciiDomain(domain: string): string | null {
  if (NOT_IN_A_DOMAIN.test(domain)) return null
  const url = URL.parse(`http://${domain}/`)
  if (url === null || url.host !== url.hostname || url.username !== '') return null
  return DOMAIN.test(url.hostname) && url.hostname.length <= 253 ? url.hostname : null
}

function refused(rule: AddressProblem['rule'], message: string): AddressResult {
  return { ok: false, problem: { rule, message } }
}

/**
 * Names an address without showing it: base64url of the first 16 bytes of SHA-256 over its
 * canonical form. Links carry it instead of the address.
 *
 * It is a name, not a secret: whoever guesses an address can compute it. Its 128 bits keep anybody
 * from finding a second address for a given fingerprint.
 * @param canonical an address from {@link canonicalAddress}
 * @returns 22 characters
 */
export async function addressFingerprint(canonical: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonical))
  return encodeBase64Url(new Uint8Array(digest, 0, 16))
}
