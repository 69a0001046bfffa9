import { describe, expect, it } from 'vitest'
import type { LogFields } from '../../src/timeline/log.ts'
import { joinRepeatedLines } from '../../src/timeline/repeated-lines.ts'

const START = Date.UTC(2026, 10, 2, 12)

interface Line extends Record<string, unknown> {
  readonly event: string
  readonly at: string
  readonly repeated?: number
}

/** A log and its lines, the clock in the test's hand. */
function setUp() {
  const state = { now: START, lines: [] as Line[] }
  const log = joinRepeatedLines(
    () => state.now,
    (line) => state.lines.push(JSON.parse(line)),
  )
  return { state, log }
}

const iso = (at: number) => new Date(at).toISOString()
/** What a line stands for, as the README says. */
const total = (lines: readonly Line[]) =>
  lines.reduce((sum, { repeated }) => sum + (repeated ?? 1), 0)

describe('S14: lines that anybody can cause', () => {
  it.each([
    ['invalid_token', { reason: 'mac' }],
    ['expired_token', { userId: 'u1', reason: 'verify' }],
    ['proof_refused', { email: 'ada@example.com' }],
    ['webhook_refused', { provider: 'sendgrid', reason: 'signature' }],
    ['request_limited', { policy: 'mail-ip', path: '/auth/register' }],
  ] as const)('are written at once, and counted while they repeat: %s', (event, fields) => {
    const { state, log } = setUp()
    log(event, fields)
    expect(state.lines).toEqual([expect.objectContaining({ event, at: iso(START) })])
    for (let nth = 0; nth < 999; nth++) {
      state.now++
      log(event, fields)
    }
    expect(state.lines).toHaveLength(1)
    state.now++
    log(event, fields)
    expect(state.lines.map(({ at, repeated }) => [at, repeated])).toEqual([
      [iso(START), undefined],
      [iso(START + 999), 999],
      [iso(START + 1000), undefined],
    ])
    expect(new Set(state.lines.map((line) => line.event))).toEqual(new Set([event]))
    expect(total(state.lines)).toBe(1001)
  })

  it('are two lines a second and kind in a flood, and none is forgotten', () => {
    const { state, log } = setUp()
    for (let nth = 0; nth < 60_000; nth++) {
      state.now = START + nth / 6
      log('invalid_token', { reason: 'mac' })
    }
    state.now += 1000
    log('sweep')
    expect(state.lines.filter(({ event }) => event === 'invalid_token')).toHaveLength(20)
    expect(total(state.lines)).toBe(60_001)
  })

  it('are told apart by all they say', () => {
    const { state, log } = setUp()
    const kinds: LogFields[] = [
      { reason: 'mac' },
      { reason: 'shape' },
      { reason: 'state', userId: 'u1' },
      { reason: 'state', userId: 'u2' },
    ]
    for (const fields of [...kinds, ...kinds]) log('invalid_token', fields)
    expect(state.lines).toHaveLength(4)
    state.now += 1000
    log('sweep')
    expect(state.lines.slice(4, 8)).toEqual(state.lines.slice(0, 4))
    expect(state.lines.slice(8)).toEqual([{ event: 'sweep', at: iso(state.now) }])
  })

  it('that came twice are two lines of the usual look', () => {
    const { state, log } = setUp()
    log('invalid_token', { reason: 'mac' })
    state.now += 5
    log('invalid_token', { reason: 'mac' })
    state.now += 5000
    log('signed_in', { userId: 'u1' })
    expect(state.lines).toEqual([
      { event: 'invalid_token', at: iso(START), reason: 'mac' },
      { event: 'invalid_token', at: iso(START + 5), reason: 'mac' },
      { event: 'signed_in', at: iso(START + 5005), user_id: 'u1' },
    ])
  })

  it('never hold up another line, nor come twice', () => {
    const { state, log } = setUp()
    for (let nth = 0; nth < 5; nth++) log('invalid_token', { reason: 'mac' })
    log('verified', { userId: 'u1' })
    expect(state.lines.map(({ event }) => event)).toEqual(['invalid_token', 'verified'])
    state.now += 1000
    log('verified', { userId: 'u2' })
    log('verified', { userId: 'u3' })
    expect(state.lines.map(({ event, repeated }) => [event, repeated])).toEqual([
      ['invalid_token', undefined],
      ['verified', undefined],
      ['invalid_token', 4],
      ['verified', undefined],
      ['verified', undefined],
    ])
  })

  it('outlive a clock that is set back', () => {
    const { state, log } = setUp()
    log('invalid_token', { reason: 'mac' })
    log('invalid_token', { reason: 'mac' })
    state.now -= 60_000
    log('invalid_token', { reason: 'mac' })
    expect(state.lines).toHaveLength(3)
  })
})

describe('S14: lines that tell of somebody', () => {
  it.each(['registered', 'sign_in_refused', 'desk_refused', 'outage', 'error'] as const)(
    'are written each time: %s',
    (event) => {
      const { state, log } = setUp()
      for (let nth = 0; nth < 3; nth++) log(event, { email: 'ada@example.com' })
      expect(state.lines).toEqual(
        Array(3).fill({ event, at: iso(START), email: 'a***@example.com' }),
      )
    },
  )
})
