// The one token that opens the desk.

const encoder = new TextEncoder()

/**
 * Whether a token is the right one. Digests are compared, in constant time: neither how far two tokens agree
 * nor how long the right one is can be told from how long the answer takes.
 * @param expected `ADMIN_TOKEN`
 * @param presented as it came
 */
export async function isAdminToken(expected: string, presented: string): Promise<boolean> {
  const [a, b] = await Promise.all([digest(expected), digest(presented)])
  return crypto.subtle.timingSafeEqual(a, b)
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', encoder.encode(text))
}
