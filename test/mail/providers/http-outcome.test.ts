import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  outcomeOfError,
  retryAfterSeconds,
  withoutAddresses,
} from '../../../src/mail/providers/http-outcome.ts'

const NOW = Date.UTC(2026, 10, 2, 12)

function outcomeOf(status: number, headers: Record<string, string> = {}) {
  return outcomeOfError(new Response(null, { status, headers }), '', NOW)
}

describe('a status that is not 2xx', () => {
  it.each([408, 429, 500, 501, 502, 503, 504, 520, 529, 599])(
    'is worth another try: %i',
    (status) => {
      expect(outcomeOf(status)).toMatchObject({ kind: 'retry', reason: String(status) })
    },
  )

  it.each([
    300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 410, 413, 415, 422,
  ])('S3: is a refusal, visible as one: %i', (status) => {
    expect(outcomeOf(status)).toMatchObject({ kind: 'refused', reason: String(status) })
  })

  it.each([
    [401, true],
    [403, true],
    [400, false],
    [404, true],
    [405, true],
    [413, false],
    [422, false],
  ])('%i is a refusal of the account: %s', (status, isAccountRefused) => {
    expect(outcomeOf(status)).toMatchObject({ isAccountRefused })
  })

  it.each([
    [429, false],
    [503, false],
    [500, true],
    [502, true],
    [504, true],
    [408, true],
  ])(
    '%i is trouble of the provider, and leaves room for acceptance: %s',
    (status, mayBeAccepted) => {
      expect(outcomeOf(status)).toMatchObject({ isProviderDown: true, mayBeAccepted })
    },
  )

  it('comes with what the other side said', () => {
    const response = new Response(null, { status: 400 })
    expect(outcomeOfError(response, 'no content', NOW)).toEqual({
      kind: 'refused',
      reason: '400: no content',
      isAccountRefused: false,
    })
  })

  it('comes with how long to wait', () => {
    expect(outcomeOf(429, { 'Retry-After': '7' })).toMatchObject({ afterSeconds: 7 })
    expect(outcomeOf(503)).toMatchObject({ afterSeconds: null })
  })
})

describe('how long the other side asks to wait', () => {
  const after = (headers: Record<string, string>) => retryAfterSeconds(new Headers(headers), NOW)
  const seconds = NOW / 1000

  it.each([
    ['in seconds', { 'Retry-After': '120' }, 120],
    ['not at all', { 'Retry-After': '0' }, 0],
    ['in seconds, with space around', { 'Retry-After': ' 30 ' }, 30],
    ['as an HTTP date', { 'Retry-After': 'Mon, 02 Nov 2026 12:01:30 GMT' }, 90],
    ['as an HTTP date that has passed', { 'Retry-After': 'Mon, 02 Nov 2026 11:59:59 GMT' }, 0],
    ['as an epoch in X-RateLimit-Reset', { 'X-RateLimit-Reset': String(seconds + 45) }, 45],
    ['as an epoch that has passed', { 'X-RateLimit-Reset': String(seconds - 45) }, 0],
    ['twice: Retry-After wins', { 'Retry-After': '5', 'X-RateLimit-Reset': `${seconds + 9}` }, 5],
    ['with nothing', {}, null],
    ['with an empty Retry-After', { 'Retry-After': '' }, null],
    ['with words', { 'Retry-After': 'soon' }, null],
    ['with an unreadable epoch', { 'X-RateLimit-Reset': 'tomorrow' }, null],
    ['with a negative epoch', { 'X-RateLimit-Reset': '-1' }, null],
  ])('may be said %s', (_, headers, expected) => {
    expect(after(headers)).toBe(expected)
  })

  it('is rounded up to whole seconds', () => {
    const headers = new Headers({ 'X-RateLimit-Reset': String(seconds + 10) })
    expect(retryAfterSeconds(headers, NOW + 1)).toBe(10)
    expect(retryAfterSeconds(headers, NOW + 9999)).toBe(1)
  })

  it.each(['-5', '2.5', 'soon 3', '1,5'])(
    'is not guessed from %j, which is neither seconds nor a date: the other header counts',
    (garbage) => {
      expect(after({ 'Retry-After': garbage })).toBeNull()
      expect(after({ 'Retry-After': garbage, 'X-RateLimit-Reset': `${seconds + 9}` })).toBe(9)
    },
  )

  it('is null or a whole number of seconds that is not negative, whatever the headers hold', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme-ascii' }).map((text) => text.replace(/[^\x20-\x7e]/g, '')),
      fc.integer().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    )
    fc.assert(
      fc.property(value, value, (retry, reset) => {
        const wait = after({ 'Retry-After': retry, 'X-RateLimit-Reset': reset })
        if (wait === null) return
        expect(Number.isInteger(wait)).toBe(true)
        expect(wait).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})

describe("a provider's words", () => {
  it.each([
    ['The address ada@example.com is bad', 'The address <address> is bad'],
    ['"Ada" <ada@example.com>, <bob@example.com>', '"Ada" <address> <address>'],
    ['ada@example.com', '<address>'],
    ['no address here', 'no address here'],
    ['at @ alone', 'at @ alone'],
    ['', ''],
  ])('F12: are kept without addresses: %j', (text, kept) => {
    expect(withoutAddresses(text)).toBe(kept)
  })

  it('F12: never show an address, wherever it stands', () => {
    fc.assert(
      fc.property(fc.string(), fc.emailAddress(), fc.string(), (before, address, after) => {
        expect(withoutAddresses(`${before}${address}${after}`)).not.toContain(address)
      }),
    )
  })

  it('are cut at 300 characters, after addresses are gone', () => {
    expect(withoutAddresses('x '.repeat(1000))).toHaveLength(300)
    const atTheCut = `${'x '.repeat(148)}ada.lovelace@example.com`
    expect(withoutAddresses(atTheCut)).not.toContain('ada')
  })

  it('are read in no time, however long a word there is in them', () => {
    const started = Date.now()
    withoutAddresses('x'.repeat(50_000))
    expect(Date.now() - started).toBeLessThan(200)
  })
})
