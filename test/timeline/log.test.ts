import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatLogLine, maskEmail } from '../../src/timeline/log.ts'

const AT = Date.UTC(2026, 10, 2, 12, 0, 0, 5)

describe('S14: a log line', () => {
  it('is JSON with the event, the instant, and stable names', () => {
    const line = formatLogLine(
      'provider_accepted',
      {
        userId: 'u1',
        messageId: 'm1',
        email: 'ada@example.com',
        reason: 'why',
        provider: 'sendgrid',
        providerMessageId: 'sg-1',
        attempt: 2,
        delaySeconds: 30,
        status: 202,
        policy: 'mail-ip',
        count: 0,
        pruned: { claims: 1 },
        path: '/auth/register',
        problems: [{ name: 'APP_NAME', message: 'is required' }],
      },
      AT,
    )
    expect(JSON.parse(line)).toEqual({
      event: 'provider_accepted',
      at: '2026-11-02T12:00:00.005Z',
      user_id: 'u1',
      message_id: 'm1',
      email: 'a***@example.com',
      reason: 'why',
      provider: 'sendgrid',
      provider_message_id: 'sg-1',
      attempt: 2,
      delay_seconds: 30,
      status: 202,
      policy: 'mail-ip',
      count: 0,
      pruned: { claims: 1 },
      path: '/auth/register',
      problems: [{ name: 'APP_NAME', message: 'is required' }],
    })
  })

  it('leaves out what is not known, and keeps what is zero or empty', () => {
    const line = formatLogLine('sweep', { userId: null, count: 0, reason: '' }, AT)
    expect(JSON.parse(line)).toEqual({
      event: 'sweep',
      at: '2026-11-02T12:00:00.005Z',
      count: 0,
      reason: '',
    })
  })

  it('F12: carries nothing that is not on the list, even when a whole row is spread into it', () => {
    const row = { userId: 'u1', passwordHash: '$scrypt$…', token: 'secret', email_fingerprint: 'x' }
    expect(JSON.parse(formatLogLine('registered', row, AT))).toEqual({
      event: 'registered',
      at: '2026-11-02T12:00:00.005Z',
      user_id: 'u1',
    })
  })

  it('is one line, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const line = formatLogLine('error', { reason: `${text}\r\n`, path: text, email: text }, AT)
        expect(line).not.toMatch(/[\r\n]/)
        expect(JSON.parse(line)).toMatchObject({ event: 'error', path: text })
      }),
    )
  })
})

describe('F12: a masked address', () => {
  it.each([
    ['ada@example.com', 'a***@example.com'],
    ['a@example.com', 'a***@example.com'],
    ['🦊fox@example.com', '🦊***@example.com'],
    ['a@b@example.com', 'a***@example.com'],
    ['@example.com', '***'],
    ['ada', '***'],
    ['', '***'],
  ])('of %j is %j', (email, masked) => {
    expect(maskEmail(email)).toBe(masked)
  })

  it('keeps the first letter of the name and the domain, and nothing else', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (email) => {
        const [local = '', domain = ''] = email.split('@')
        expect(maskEmail(email)).toBe(`${local[0]}***@${domain}`)
      }),
    )
  })
})
