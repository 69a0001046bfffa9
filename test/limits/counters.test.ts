// Over workerd's own KV, which does not enforce production's rules: a TTL of at least 60 seconds and a key of at
// most 512 bytes. What was asked of it is therefore written down and checked here.

import { env } from 'cloudflare:workers'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  createCounters,
  KV_MIN_TTL_SECONDS,
  MAX_REMEMBERED,
  type Subject,
} from '../../src/limits/counters.ts'
import { importHmacKey } from '../../src/signing/key-ring.ts'

let key: CryptoKey
beforeAll(async () => {
  key = await importHmacKey(new Uint8Array(32).fill(1))
})

const perIp = { name: 'mail-ip', limit: 2, windowMs: 3_600_000 }
const perAddress = { name: 'mail-address', limit: 3, windowMs: 900_000 }

let used = 0
/** A value that no other test counts. */
const fresh = (stem: string) => `${++used}-${stem}`

interface Put {
  readonly key: string
  readonly value: string
  readonly ttlSeconds: number
}

function setUp(
  faults: { get?: () => boolean; put?: () => boolean } = {},
  by = key,
  burst: (name: string) => Promise<boolean> = async () => true,
) {
  const puts: Put[] = []
  const gets: string[] = []
  const failures: unknown[] = []
  const clock = { now: 1_800_000_000_000 }
  const counters = createCounters(
    {
      async get(name) {
        gets.push(name)
        if (faults.get?.()) throw new Error('KV is away')
        return env.KV.get(name)
      },
      async put(name, value, ttlSeconds) {
        puts.push({ key: name, value, ttlSeconds })
        if (faults.put?.()) throw new Error('KV PUT failed: 429 Too Many Requests')
        await env.KV.put(name, value, { expirationTtl: ttlSeconds })
      },
    },
    (name) => burst(name),
    by,
    () => clock.now,
    (error) => failures.push(error),
  )
  async function request(...subjects: Subject[]) {
    const gate = await counters.check(subjects)
    await gate.charge()
    return gate.refusedBy
  }
  return { counters, request, puts, gets, failures, clock }
}

describe('counters in KV', () => {
  it('S10: allow up to the limit, refuse the next, and name policy and time', async () => {
    const { request, clock } = setUp()
    const subject = { policy: perIp, value: fresh('203.0.113.7') }
    expect(await request(subject)).toBeNull()
    clock.now += 1000
    expect(await request(subject)).toBeNull()
    expect(await request(subject)).toEqual({
      policy: perIp,
      allowed: false,
      remaining: 0,
      resetSeconds: 3599,
    })
  })

  it('count again after the window, and not before', async () => {
    const { request, clock } = setUp()
    const subject = { policy: perIp, value: fresh('203.0.113.7') }
    await request(subject)
    await request(subject)
    clock.now += perIp.windowMs - 1
    expect(await request(subject)).not.toBeNull()
    clock.now += 1
    expect(await request(subject)).toBeNull()
  })

  it('count every value and every policy apart', async () => {
    const { request } = setUp()
    const [one, two] = [fresh('203.0.113.7'), fresh('203.0.113.8')]
    const policies = [perIp, { ...perIp, name: 'login-ip' }]
    for (const value of [one, two]) {
      for (const policy of policies) {
        expect(await request({ policy, value })).toBeNull()
        expect(await request({ policy, value })).toBeNull()
        expect(await request({ policy, value })).not.toBeNull()
      }
    }
  })

  it('are shared by everything that counts under the same key', async () => {
    const subject = { policy: perIp, value: fresh('203.0.113.7') }
    await setUp().request(subject)
    await setUp().request(subject)
    expect(await setUp().request(subject)).not.toBeNull()
  })

  it('name the refusal that lasts longest', async () => {
    const { request } = setUp()
    const address = { policy: { ...perAddress, limit: 2 }, value: fresh('ada@example.com') }
    const ip = { policy: perIp, value: fresh('203.0.113.7') }
    await request(address, ip)
    await request(address, ip)
    expect((await request(address, ip))?.policy).toBe(perIp)
    expect((await request(ip, address))?.policy).toBe(perIp)
    expect((await request(address))?.resetSeconds).toBe(900)
  })

  it('write nothing for a refused request, not even for what would have allowed it', async () => {
    const { request, puts } = setUp()
    const ip = { policy: perIp, value: fresh('203.0.113.7') }
    const address = { policy: perAddress, value: fresh('ada@example.com') }
    await request(ip)
    await request(ip)
    puts.length = 0
    expect(await request(ip, address)).not.toBeNull()
    expect(puts).toEqual([])
  })

  it('write nothing until they are charged', async () => {
    const { counters, puts } = setUp()
    const gate = await counters.check([{ policy: perIp, value: fresh('203.0.113.7') }])
    expect(puts).toEqual([])
    await gate.charge()
    expect(puts).toHaveLength(1)
  })

  it('read all counters of a request at once', async () => {
    let waiting = 0
    let most = 0
    const counters = createCounters(
      {
        async get() {
          most = Math.max(most, ++waiting)
          await scheduler.wait(5)
          waiting--
          return null
        },
        put: async () => {},
      },
      async () => true,
      key,
      () => 0,
      () => {},
    )
    await counters.check([
      { policy: perIp, value: 'x' },
      { policy: perAddress, value: 'y' },
    ])
    expect(most).toBe(2)
  })
})

describe('what an isolate keeps to itself', () => {
  const tenAnHour = { name: 'mail-ip', limit: 10, windowMs: 3_600_000 }
  const counted = (puts: readonly Put[]) => puts.map(({ value }) => JSON.parse(value).count)

  it('is the first request of a window: most see no second one, and cost KV nothing', async () => {
    const { request, puts, gets } = setUp()
    for (let i = 0; i < 5; i++)
      await request({ policy: tenAnHour, value: fresh('203.0.113.7'), isClient: true })
    expect({ puts, gets }).toEqual({ puts: [], gets: [] })
  })

  it('is not even given a name for the outside; and where none can be made, it counts all the same', async () => {
    const bytes = new Uint8Array(32)
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    const cannotSign = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['verify'])
    const { request, failures } = setUp({}, cannotSign)
    const subject = { policy: tenAnHour, value: fresh('203.0.113.7'), isClient: true } as const
    await request(subject)
    expect(failures).toEqual([])
    for (let i = 2; i <= 10; i++) expect(await request(subject)).toBeNull()
    expect(failures).not.toEqual([])
    expect(await request(subject)).toMatchObject({ allowed: false })
  })

  it('is not what others may have asked about an address: the work must not tell', async () => {
    const { request, gets } = setUp()
    const subject = { policy: perAddress, value: fresh('ada@example.com') }
    for (let i = 1; i <= 3; i++) {
      await request({ ...subject, policy: { ...perAddress, limit: 100 } })
      expect(gets).toHaveLength(i)
    }
  })

  it('is told with the second, by the window that it began', async () => {
    const { request, puts, clock } = setUp()
    const subject = { policy: tenAnHour, value: fresh('203.0.113.7') }
    const endsAt = clock.now + tenAnHour.windowMs
    await request(subject)
    clock.now += 60_000
    await request(subject)
    expect(puts.map(({ value }) => JSON.parse(value))).toEqual([{ count: 2, endsAt }])
  })

  it('S10: counts all the same: ten pass and the eleventh does not, for half the writes', async () => {
    const { request, puts } = setUp()
    const subject = { policy: tenAnHour, value: fresh('203.0.113.7') }
    for (let i = 0; i < 10; i++) expect(await request(subject)).toBeNull()
    expect(await request(subject)).toMatchObject({ policy: tenAnHour, remaining: 0 })
    expect(counted(puts)).toEqual([2, 4, 6, 8, 10])
  })

  it('is a twentieth of a high limit', async () => {
    const flood = { name: 'mail-requests-address', limit: 100, windowMs: 900_000 }
    const { request, puts } = setUp()
    const subject = { policy: flood, value: fresh('ada@example.com') }
    for (let i = 0; i < 100; i++) expect(await request(subject)).toBeNull()
    expect(await request(subject)).toMatchObject({ policy: flood })
    expect(counted(puts)).toEqual(Array.from({ length: 20 }, (_, nth) => (nth + 1) * 5))
  })

  it('is nothing where the limit is too low to give one away', async () => {
    const { request, puts, gets } = setUp()
    await request({ policy: { ...tenAnHour, limit: 9 }, value: fresh('203.0.113.7') })
    expect([gets.length, puts.length]).toEqual([1, 1])
  })

  it('is forgotten with its window', async () => {
    const { request, puts, clock } = setUp()
    const subject = { policy: tenAnHour, value: fresh('203.0.113.7') }
    await request(subject)
    clock.now += tenAnHour.windowMs
    await request(subject)
    expect(puts).toEqual([])
  })

  it('adds to what another isolate told: each gives away one request at most', async () => {
    const [one, two] = [setUp(), setUp()]
    const subject = { policy: tenAnHour, value: fresh('203.0.113.7') }
    await one.request(subject)
    for (let i = 0; i < 9; i++) expect(await two.request(subject)).toBeNull()
    // Eight are told, one is its own.
    expect(await one.request(subject)).toBeNull()
    expect(await one.request(subject)).toMatchObject({ policy: tenAnHour })
    expect(await two.request(subject)).toMatchObject({ policy: tenAnHour })
  })

  it('holds where KV does not yet know what it was told', async () => {
    const stale = setUp({ get: () => true })
    const subject = { policy: tenAnHour, value: fresh('203.0.113.7') }
    for (let i = 0; i < 10; i++) expect(await stale.request(subject)).toBeNull()
    expect(await stale.request(subject)).toMatchObject({ policy: tenAnHour })
  })

  it('counts each of several that come at once', async () => {
    const { request } = setUp()
    const subject = { policy: tenAnHour, value: fresh('203.0.113.7') }
    await Promise.all(Array.from({ length: 10 }, () => request(subject)))
    expect(await request(subject)).toMatchObject({ policy: tenAnHour })
  })

  it('takes a bounded memory: the oldest is forgotten', async () => {
    const { request, puts } = setUp({ get: () => true })
    const subjects = Array.from({ length: MAX_REMEMBERED + 1 }, (_, i) => ({
      policy: tenAnHour,
      value: fresh(`crowd-${i}`),
    }))
    for (let i = 0; i < subjects.length; i += 500) {
      await request(...subjects.slice(i, i + 500))
    }
    await request(subjects[0] as Subject)
    expect(puts).toEqual([])
    await request(subjects[MAX_REMEMBERED] as Subject)
    expect(puts).toHaveLength(1)
  })
})

describe('what KV is asked for', () => {
  it('F12: shows neither address nor IP, in names and in values', async () => {
    const { request, puts, gets } = setUp()
    await request(
      { policy: perIp, value: '203.0.113.7' },
      { policy: perAddress, value: 'ada.lovelace@example.com' },
    )
    expect(puts).toHaveLength(2)
    for (const name of gets) expect(name).toMatch(/^mail-(ip|address):[A-Za-z0-9_-]{22}$/)
    expect(JSON.stringify({ puts, gets })).not.toMatch(/ada|lovelace|example|203|113/)
  })

  it('F12: is named under a secret: without it, nobody can tell whose counter it is', async () => {
    const one = setUp()
    const two = setUp({}, await importHmacKey(new Uint8Array(32).fill(2)))
    await one.request({ policy: perIp, value: '203.0.113.9' })
    await two.request({ policy: perIp, value: '203.0.113.9' })
    expect(one.gets[0]).not.toBe(two.gets[0])
  })

  it('F14: is a TTL that production takes, and lasts to the end of the window', async () => {
    const policies = fc.record({
      windowMs: fc.integer({ min: 60_000, max: 7 * 86_400_000 }),
      elapsed: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    })
    await fc.assert(
      fc.asyncProperty(policies, async ({ windowMs, elapsed }) => {
        const { request, puts, clock } = setUp()
        const policy = { name: 'any', limit: 5, windowMs }
        const value = fresh('ttl')
        const end = clock.now + windowMs
        await request({ policy, value })
        clock.now += Math.floor(windowMs * elapsed)
        await request({ policy, value })
        expect(puts).toHaveLength(2)
        for (const { ttlSeconds, key: name } of puts) {
          expect(Number.isInteger(ttlSeconds)).toBe(true)
          expect(ttlSeconds).toBeGreaterThanOrEqual(60)
          expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(512)
        }
        expect(clock.now + (puts[1]?.ttlSeconds ?? 0) * 1000).toBeGreaterThanOrEqual(end)
      }),
    )
  })

  it('F14: is 60 seconds at the very end of a window, where production would refuse less', async () => {
    expect(KV_MIN_TTL_SECONDS).toBe(60)
    const { request, puts, clock } = setUp()
    const subject = { policy: { ...perAddress, windowMs: 60_000 }, value: fresh('ada@example.com') }
    await request(subject)
    clock.now += 59_999
    await request(subject)
    expect(puts.map((put) => put.ttlSeconds)).toEqual([60, 60])
  })
})

describe('a KV that fails', () => {
  it.each(['get', 'put'])('lets requests through where it cannot %s, and says so', async (op) => {
    const { request, failures } = setUp({ [op]: () => true })
    for (let i = 0; i < 3; i++) {
      const subject = { policy: { ...perIp, limit: 1 }, value: fresh('203.0.113.7') }
      expect(await request(subject)).toBeNull()
    }
    expect(failures).toHaveLength(3)
  })

  it('leaves each isolate with what it counted itself', async () => {
    const { request } = setUp({ get: () => true, put: () => true })
    const subject = { policy: perIp, value: fresh('203.0.113.7') }
    expect([await request(subject), await request(subject)]).toEqual([null, null])
    expect(await request(subject)).toMatchObject({ policy: perIp })
  })

  it('does not keep the other counters from counting', async () => {
    let reads = 0
    const { request, failures } = setUp({ get: () => ++reads % 2 === 1 })
    const broken = { policy: perAddress, value: fresh('ada@example.com') }
    const working = { policy: { ...perIp, limit: 1 }, value: fresh('203.0.113.7') }
    expect(await request(broken, working)).toBeNull()
    expect(await request(broken, working)).toMatchObject({ policy: { name: 'mail-ip' } })
    expect(failures).toHaveLength(2)
  })

  it.each([
    'not json',
    '',
    'null',
    '[]',
    '{}',
    '{"count":"many","endsAt":1900000000000}',
    '{"count":-1,"endsAt":1900000000000}',
    '{"count":99}',
    '{"count":99,"endsAt":null}',
  ])(
    'is taken for empty where a counter holds %j, and is mended by the next count',
    async (garbage) => {
      const subject = { policy: perIp, value: fresh('203.0.113.7') }
      const before = setUp()
      await before.request(subject)
      const [name = ''] = before.gets
      await env.KV.put(name, garbage)
      const { request, failures } = setUp()
      expect(await request(subject)).toBeNull()
      expect(failures).toHaveLength(1)
      expect(await request(subject)).toBeNull()
      expect(await request(subject)).not.toBeNull()
      expect(failures).toHaveLength(1)
    },
  )
})

describe('bursts of guesses', () => {
  it('are stopped by the exact gate, which KV alone would let through', async () => {
    let calls = 0
    const { counters, puts } = setUp({}, key, async () => ++calls <= 3)
    const guess = { policy: perIp, value: fresh('ip'), isGuess: true as const }
    const gates = await Promise.all(Array.from({ length: 8 }, () => counters.check([guess])))
    const refused = gates.filter(({ refusedBy }) => refusedBy !== null)
    expect(refused).toHaveLength(5)
    expect(refused[0]?.refusedBy).toMatchObject({ policy: perIp, allowed: false, resetSeconds: 60 })
    expect(puts).toEqual([])
  })

  it('are only counted softly while the gate is out, and what is no guess never meets it', async () => {
    const out = setUp({}, key, async () => Promise.reject(new Error('out')))
    const guess = { policy: perIp, value: fresh('ip'), isGuess: true as const }
    expect(await out.request(guess)).toBeNull()
    expect(out.failures).toHaveLength(1)
    const closed = setUp({}, key, async () => false)
    expect(await closed.request({ policy: perIp, value: fresh('ip') })).toBeNull()
  })
})
