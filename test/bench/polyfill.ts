// What workerd has and Node 24 has not: base64 and hexadecimal on typed arrays, so that our own functions mint the
// links and the session tokens.

interface Base64Options {
  readonly alphabet?: 'base64' | 'base64url'
  readonly omitPadding?: boolean
}

Uint8Array.prototype.toBase64 ??= function toBase64(this: Uint8Array, options: Base64Options = {}) {
  const text = Buffer.from(this).toString(options.alphabet ?? 'base64')
  return options.omitPadding ? text.replace(/=+$/, '') : text
}

Uint8Array.fromBase64 ??= (text: string, options: Base64Options = {}) =>
  new Uint8Array(Buffer.from(text, options.alphabet ?? 'base64'))

Uint8Array.prototype.toHex ??= function toHex(this: Uint8Array) {
  return Buffer.from(this).toString('hex')
}

Uint8Array.fromHex ??= (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
