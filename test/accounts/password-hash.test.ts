import { describe, expect, it } from 'vitest'
import {
  checkPassword,
  createPasswordHasher,
  SCRYPT_COST,
  type ScryptCost,
  WORKERD_MAX_COST,
} from '../../src/accounts/password-hash.ts'
import { importHmacKey } from '../../src/signing/key-ring.ts'

const CHEAP: ScryptCost = { N: 2 ** 4, r: 8, p: 1 }
const EMAIL = 'ada@example.com'
const PASSWORD = 'correct horse battery'

async function hasher(cost: ScryptCost = CHEAP, keyFill = 1) {
  return createPasswordHasher(await importHmacKey(new Uint8Array(32).fill(keyFill)), cost)
}

const saltOf = (phc: string) => phc.split('$')[3]

describe('F14: the cost of a password hash', () => {
  it("is OWASP's: N=2^15, r=8, p=3", () => {
    expect(SCRYPT_COST).toEqual({ N: 32_768, r: 8, p: 3 })
  })

  it('fits under the cap at which scrypt throws in production', () => {
    // workerd takes no more than N·r·p = 2^20.
    expect(WORKERD_MAX_COST).toBe(1_048_576)
    expect(SCRYPT_COST.N * SCRYPT_COST.r * SCRYPT_COST.p).toBeLessThanOrEqual(1_048_576)
  })

  it('is paid by a real hash, which then matches its password and no other', async () => {
    const hash = await hasher(SCRYPT_COST)
    const stored = await hash(PASSWORD, EMAIL)
    expect(stored).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(await checkPassword(stored, stored, PASSWORD)).toBe('match')
    expect(await checkPassword(stored, await hash('wrong horse', EMAIL), 'wrong horse')).toBe(
      'mismatch',
    )
  }, 20_000)
})

describe('a password hash', () => {
  it('is a PHC string with its parameters, a salt of 16 bytes and a hash of 32', async () => {
    const phc = await (await hasher())(PASSWORD, EMAIL)
    const [, algorithm, parameters, salt = '', hash = ''] = phc.split('$')
    expect([algorithm, parameters]).toEqual(['scrypt', 'ln=4,r=8,p=1'])
    expect(Uint8Array.fromBase64(salt)).toHaveLength(16)
    expect(Uint8Array.fromBase64(hash)).toHaveLength(32)
    expect(phc).not.toMatch(/[=]$|\s/)
  })

  it('is the same for the same address and password, so that one hash checks every claim', async () => {
    const first = await (await hasher())(PASSWORD, EMAIL)
    expect(await (await hasher())(PASSWORD, EMAIL)).toBe(first)
  })

  it('has one salt an address, whatever the password', async () => {
    const hash = await hasher()
    const [one, two] = [await hash(PASSWORD, EMAIL), await hash('another one', EMAIL)]
    expect(saltOf(two)).toBe(saltOf(one))
    expect(two).not.toBe(one)
  })

  it('has another salt for another address', async () => {
    const hash = await hasher()
    const [one, two] = [await hash(PASSWORD, EMAIL), await hash(PASSWORD, `b${EMAIL}`)]
    expect(saltOf(two)).not.toBe(saltOf(one))
    expect(two.split('$')[4]).not.toBe(one.split('$')[4])
  })

  it('has another salt under another PASSWORD_KEY', async () => {
    const one = await (await hasher(CHEAP, 1))(PASSWORD, EMAIL)
    const two = await (await hasher(CHEAP, 2))(PASSWORD, EMAIL)
    expect(saltOf(two)).not.toBe(saltOf(one))
  })

  it('is one for a composed and a decomposed spelling: keyboards differ', async () => {
    const hash = await hasher()
    const stored = await hash('\u00fcberlang', EMAIL)
    expect(await hash('u\u0308berlang', EMAIL)).toBe(stored)
    expect(await hash('uberlang', EMAIL)).not.toBe(stored)
  })

  it('keeps case and space apart', async () => {
    const hash = await hasher()
    const spellings = ['correct horse', 'Correct horse', 'correct horse ', 'correcthorse']
    const hashes = await Promise.all(spellings.map((password) => hash(password, EMAIL)))
    expect(new Set(hashes).size).toBe(4)
  })
})

describe('checking a password', () => {
  it('matches, or does not, a hash of the same salt and cost', async () => {
    const hash = await hasher()
    const stored = await hash(PASSWORD, EMAIL)
    expect(await checkPassword(stored, await hash(PASSWORD, EMAIL), PASSWORD)).toBe('match')
    expect(await checkPassword(stored, await hash('wrong', EMAIL), 'wrong')).toBe('mismatch')
  })

  it.each([
    ['of an earlier cost', () => hasher({ N: 2 ** 5, r: 4, p: 2 }), EMAIL],
    ['under an earlier PASSWORD_KEY', () => hasher(CHEAP, 9), EMAIL],
    ['for an earlier address of the account', () => hasher(), 'old@example.com'],
  ])(
    'finds a hash made %s outdated, and says so only to the right password',
    async (_, made, email) => {
      const stored = await (await made())(PASSWORD, email)
      const hash = await hasher()
      expect(await checkPassword(stored, await hash(PASSWORD, EMAIL), PASSWORD)).toBe('outdated')
      expect(await checkPassword(stored, await hash('wrong', EMAIL), 'wrong')).toBe('mismatch')
    },
  )

  it('reads the hashes of other scrypt implementations', async () => {
    // node:crypto of Node.js, N=2^10 r=8 p=1, salt "0123456789abcdef".
    const stored =
      '$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$xXt6EAFzAOlee5Hgl8R5+kLA6sDARjRcMGtm6fZJsa8'
    const hash = await hasher()
    expect(await checkPassword(stored, await hash(PASSWORD, EMAIL), PASSWORD)).toBe('outdated')
    expect(await checkPassword(stored, await hash('wrong', EMAIL), 'wrong')).toBe('mismatch')
  })

  it('normalises the password for an outdated hash too', async () => {
    const stored = await (await hasher(CHEAP, 9))('\u00fcberlang', EMAIL)
    const decomposed = 'u\u0308berlang'
    const computed = await (await hasher())(decomposed, EMAIL)
    expect(await checkPassword(stored, computed, decomposed)).toBe('outdated')
  })

  it.each([
    '',
    '$',
    'garbage',
    PASSWORD,
    '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
    '$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA',
    '$scrypt$ln=4,r=8,p=1$$',
    '$scrypt$ln=4,r=8,p=1$A$A',
    '$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA',
    '$scrypt$ln=0,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA',
    '$scrypt$ln=4,r=0,p=0$MDEyMzQ1Njc4OWFiY2RlZg$AAAA',
    '$scrypt$ln=-4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA',
  ])(
    'finds nothing in a stored string that is no hash of ours, and does not throw: %j',
    async (stored) => {
      const computed = await (await hasher())(PASSWORD, EMAIL)
      expect(await checkPassword(stored, computed, PASSWORD)).toBe('mismatch')
    },
  )

  it('spends no time where the stored string asks for more than production allows, even if it is right', async () => {
    // The right hash of this password, N=2^7 r=99 p=99: a fifth above the cap, and little memory.
    const right =
      '$scrypt$ln=7,r=99,p=99$MDEyMzQ1Njc4OWFiY2RlZg$AuRNr3s3HmxqjU4UlcUtbhLi2d8KxvBVH6RMevSzfn8'
    const computed = await (await hasher())(PASSWORD, EMAIL)
    const started = Date.now()
    expect(await checkPassword(right, computed, PASSWORD)).toBe('mismatch')
    for (const parameters of ['ln=99,r=99,p=99', 'ln=20,r=8,p=1', 'ln=16,r=8,p=3']) {
      const stored = right.replace('ln=7,r=99,p=99', parameters)
      expect(await checkPassword(stored, computed, PASSWORD)).toBe('mismatch')
    }
    // One such hash takes a third of a second and more.
    expect(Date.now() - started).toBeLessThan(150)
  })
})
