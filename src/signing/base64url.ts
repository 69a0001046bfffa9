// base64url without padding (RFC 4648 §5), in its one canonical spelling.

/**
 * Encodes bytes as unpadded base64url.
 * @param bytes any bytes
 * @returns the text; empty for no bytes
 */
export function encodeBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
}

/**
 * Decodes unpadded base64url and accepts only the spelling that {@link encodeBase64Url} produces.
 * RFC 4648 §3.5 leaves the unused bits of the last character open, so a lenient decoder gives one
 * signature several spellings; a link must have exactly one.
 * @param text what came from outside
 * @returns the bytes, or null where the text is anything else
 */
export function decodeBase64Url(text: string): Uint8Array | null {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: 'base64url' })
    // Any other spelling, padding and white space included, is not what comes out again.
    return encodeBase64Url(bytes) === text ? bytes : null
  } catch {
    return null
  }
}
