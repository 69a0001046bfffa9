// The same password hash for both: node:crypto scrypt, N=2^15 r=8 p=3, in a PHC string. The salt is random, as
// better-auth's own hash has it.

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 }
const HASH_BYTES = 32

function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, HASH_BYTES, COST, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

const unpadded = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes)).replace(/=+$/, '')

export async function hash(password: string): Promise<string> {
  const salt = randomBytes(16)
  return `$scrypt$ln=15,r=8,p=3$${unpadded(salt)}$${unpadded(await derive(password, salt))}`
}

export async function verify(input: { hash: string; password: string }): Promise<boolean> {
  const [salt = '', expected = ''] = input.hash.split('$').slice(3)
  const actual = await derive(input.password, Buffer.from(salt, 'base64'))
  const stored = Buffer.from(expected, 'base64')
  return stored.length === actual.length && timingSafeEqual(stored, actual)
}
