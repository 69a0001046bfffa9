import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { type Config, parseConfig } from '../../src/config.ts'
import { confirmSubjects, loginSubjects, mailSubjects } from '../../src/limits/policies.ts'

function configOf(settings: Record<string, string> = {}): Config {
  const result = parseConfig({ ...env, ...settings })
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.config
}

const IP = '203.0.113.7'
const EMAIL = 'ada@example.com'

describe('what is counted', () => {
  it('S10: is 10 requests an hour per IP for whatever can send mail', () => {
    expect(mailSubjects(configOf(), IP)).toEqual([
      { policy: { name: 'mail-ip', limit: 10, windowMs: 3_600_000 }, value: IP, isClient: true },
    ])
  })

  it('F3: is the address too where a request names one, whether or not it is known', () => {
    expect(mailSubjects(configOf(), IP, EMAIL)).toEqual([
      { policy: { name: 'mail-ip', limit: 10, windowMs: 3_600_000 }, value: IP, isClient: true },
      { policy: { name: 'mail-requests-address', limit: 100, windowMs: 900_000 }, value: EMAIL },
    ])
  })

  it('never refuses in KV what D1 would still allow to an address', () => {
    const config = configOf()
    expect(config.MAIL_REQUESTS_PER_ADDRESS.limit).toBeGreaterThan(
      config.MAIL_LIMIT_PER_ADDRESS.limit,
    )
  })

  it('is every sign-in, per IP and per address', () => {
    expect(loginSubjects(configOf(), IP, EMAIL)).toEqual([
      {
        policy: { name: 'login-ip', limit: 50, windowMs: 900_000 },
        value: IP,
        isClient: true,
        isGuess: true,
      },
      {
        policy: { name: 'login-address', limit: 25, windowMs: 900_000 },
        value: EMAIL,
        isGuess: true,
      },
    ])
  })

  it('is every wrong password with a genuine link, per IP and per fingerprint', () => {
    expect(confirmSubjects(configOf(), IP, 'fingerprint')).toEqual([
      {
        policy: { name: 'confirm-ip', limit: 50, windowMs: 900_000 },
        value: IP,
        isClient: true,
        isGuess: true,
      },
      {
        policy: { name: 'confirm-address', limit: 25, windowMs: 900_000 },
        value: 'fingerprint',
        isGuess: true,
      },
    ])
  })

  it('S10: follows the settings', () => {
    const config = configOf({ MAIL_LIMIT_PER_IP: '2/2d', LOGIN_LIMIT_PER_ADDRESS: '7/90s' })
    expect(mailSubjects(config, IP)[0]?.policy).toEqual({
      name: 'mail-ip',
      limit: 2,
      windowMs: 172_800_000,
    })
    expect(loginSubjects(config, IP, EMAIL)[1]?.policy).toEqual({
      name: 'login-address',
      limit: 7,
      windowMs: 90_000,
    })
  })

  it('has a name of its own for every policy: two of one name would share a counter', () => {
    const config = configOf()
    const subjects = [
      ...mailSubjects(config, IP, EMAIL),
      ...loginSubjects(config, IP, EMAIL),
      ...confirmSubjects(config, IP, EMAIL),
    ]
    const names = subjects.map(({ policy }) => policy.name)
    expect(new Set([...names, config.MAIL_LIMIT_PER_ADDRESS.name]).size).toBe(7)
  })
})
