import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commonPasswords } from '../../src/accounts/common-passwords.ts'
import { passwordProblem } from '../../src/accounts/password-policy.ts'

describe('a new password', () => {
  it.each([
    ['8 characters', 'tr0ub4dr'],
    ['128 characters', 'x'.repeat(128)],
    ['8 emoji, which are 16 code units', '🦊'.repeat(8)],
    ['128 emoji, which are 512 bytes', '🦊'.repeat(128)],
    ['letters alone, in one case', 'correcthorsebatterystaple'],
    ['spaces', '        '],
    ['a control character', 'abc\0defg'],
    ['a common password with more to it', 'password-of-mine'],
  ])('may be %s', (_, password) => {
    expect(passwordProblem(password)).toBeNull()
  })

  it.each([
    ['nothing', '', 'at least 8'],
    ['7 characters', 'tr0ub4d', 'at least 8'],
    ['4 emoji, though they are 8 code units', '🦊'.repeat(4), 'at least 8'],
    ['7 accented letters, though they are 14 when decomposed', 'u\u0308'.repeat(7), 'at least 8'],
    ['129 characters', 'x'.repeat(129), 'at most 128'],
    ['129 emoji', '🦊'.repeat(129), 'at most 128'],
    ['a lone surrogate', 'abcdefgh\ud800', 'valid Unicode'],
    ['surrogates in the wrong order', 'abcdefgh\udc00\ud800', 'valid Unicode'],
    ['a common password', 'password', 'most common'],
    ['a common password in capitals', 'PASSWORD', 'most common'],
    ['a common password in mixed case', 'TrustNo1', 'most common'],
  ])('may not be %s', (_, password, words) => {
    expect(passwordProblem(password)).toContain(words)
  })

  it('counts 128 accented letters as 128 in either spelling', () => {
    expect(passwordProblem('\u00fc'.repeat(128))).toBeNull()
    expect(passwordProblem('u\u0308'.repeat(128))).toBeNull()
  })

  it('is never quoted in the sentence that refuses it', () => {
    for (const password of ['dragons', 'sunshine', `dragons${'x'.repeat(122)}`]) {
      expect(passwordProblem(password)).toMatch(/^(must|is) /)
      expect(passwordProblem(password)).not.toContain(password.slice(0, 7))
    }
  })

  it('gets a verdict and no exception, whatever it is', () => {
    const codeUnits = fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 })
      .map((units) => String.fromCharCode(...units))
    fc.assert(
      fc.property(fc.oneof(codeUnits, fc.string({ unit: 'binary' })), (password) => {
        const length = [...password.normalize('NFC')].length
        const fits = password.isWellFormed() && length >= 8 && length <= 128
        if (!fits) expect(passwordProblem(password)).not.toBeNull()
        else if (!commonPasswords.has(password.toLowerCase()))
          expect(passwordProblem(password)).toBeNull()
      }),
    )
  })
})

describe('the list of common passwords', () => {
  it('holds only what the length rule lets through, in lower case', () => {
    for (const word of commonPasswords) {
      expect([...word].length).toBeGreaterThanOrEqual(8)
      expect(word).toBe(word.toLowerCase())
      expect(passwordProblem(word)).toContain('most common')
    }
  })

  it('is as long as its comment says', () => {
    expect(commonPasswords.size).toBe(1500)
  })
})
