// ECDSA signatures come in DER from SendGrid, as OpenSSL writes them (RFC 3279 §2.2.3); Web Crypto wants the two
// numbers side by side, each as wide as the curve.

/** Bytes of a number of P-256. */
const WIDTH = 32

/**
 * Rewrites `SEQUENCE { INTEGER r, INTEGER s }` as r ‖ s.
 * @param der a signature over P-256
 * @returns 64 bytes, or null where it is anything but the shortest DER of two positive numbers that fit
 */
export function rawSignature(der: Uint8Array): Uint8Array | null {
  const [tag, length] = der
  if (tag !== 0x30 || length !== der.length - 2 || length > 127) return null
  const r = readInteger(der, 2)
  if (r === null) return null
  const s = readInteger(der, r.end)
  if (s === null || s.end !== der.length) return null
  const raw = new Uint8Array(2 * WIDTH)
  raw.set(r.digits, WIDTH - r.digits.length)
  raw.set(s.digits, 2 * WIDTH - s.digits.length)
  return raw
}

function readInteger(der: Uint8Array, start: number) {
  const length = der[start + 1] ?? 0
  const end = start + 2 + length
  if (der[start] !== 0x02 || length === 0 || end > der.length) return null
  const bytes = der.subarray(start + 2, end)
  const [first = 0, second = 0] = bytes
  if (first > 127) return null // negative
  if (first !== 0) return length > WIDTH ? null : { digits: bytes, end }
  // A zero in front is there to keep a large number positive, and for nothing else.
  if (second < 128 || length > WIDTH + 1) return null
  return { digits: bytes.subarray(1), end }
}
