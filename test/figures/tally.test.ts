import { describe, expect, it } from 'vitest'
import { hourOf } from '../../src/figures/metrics.ts'
import { rollUp } from '../../src/figures/rollup.ts'
import { createHarness, freshAddress, freshIp, type Harness, linkIn } from '../support/harness.ts'

const refusals = (h: Harness) =>
  h.rows("select dimension, sum(count) as count from figures where metric = 'refused' group by 1")

/** An IP that has had its share of mail. */
async function exhaustedIp(h: Harness): Promise<string> {
  const ip = freshIp()
  for (let nth = 0; nth < 10; nth++) await h.browser(ip).register(freshAddress())
  return ip
}

describe('S10: refusals are counted without a write for each', () => {
  it('a flood touches no D1, and is written after requests that were let through, twice a minute', async () => {
    const h = await createHarness()
    const ip = await exhaustedIp(h)
    h.bindings.resetCounts()
    const flood = async (size: number) => {
      const answers = await Promise.all(
        Array.from({ length: size }, () => h.browser(ip).register(freshAddress())),
      )
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([429]))
    }
    await flood(200)
    expect(h.bindings.counts).toMatchObject({ d1: 0, kvWrites: 0 })
    const letThrough = async () => {
      h.bindings.resetCounts()
      expect((await h.browser().register(freshAddress())).status).toBe(201)
      return h.bindings.counts.d1
    }
    expect(await letThrough()).toBe(2)
    expect(await refusals(h)).toEqual([{ dimension: 'mail-ip', count: 200 }])
    h.now += 29_999
    await flood(100)
    expect(await letThrough()).toBe(1)
    h.now += 1
    await flood(1)
    expect(await letThrough()).toBe(2)
    expect(await letThrough()).toBe(1)
    expect(await refusals(h)).toEqual([{ dimension: 'mail-ip', count: 301 }])
  })

  it('the cron writes what is left', async () => {
    const h = await createHarness()
    const ip = await exhaustedIp(h)
    for (let nth = 0; nth < 3; nth++) await h.browser(ip).register(freshAddress())
    expect(await refusals(h)).toEqual([])
    await rollUp(h.deps)
    await rollUp(h.deps)
    expect(await refusals(h)).toEqual([{ dimension: 'mail-ip', count: 3 }])
  })

  it('counts each refusal in its own hour and by its own limit, on pages and links as well', async () => {
    const h = await createHarness({ CONFIRM_LIMIT_PER_IP: '2/15m', LOGIN_LIMIT_PER_IP: '1/1h' })
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    const ip = freshIp()
    const first = hourOf(h.now)
    for (let nth = 0; nth < 3; nth++) await h.browser(ip).confirm(token, 'not the password')
    const form = { token, password: 'not the password' }
    expect((await h.browser(ip).submit('/auth/verify-email', form)).status).toBe(429)
    h.now += 3_600_000
    for (let nth = 0; nth < 2; nth++) {
      await h.browser(ip).submit('/login', { email, password: 'wrong password' })
    }
    await rollUp(h.deps)
    expect(
      await h.rows("select hour, dimension, count from figures where metric = 'refused'"),
    ).toEqual([
      { hour: first, dimension: 'confirm-ip', count: 2 },
      { hour: first + 3_600_000, dimension: 'login-ip', count: 1 },
    ])
    expect(h.logs.filter(({ event }) => event === 'request_limited')).toHaveLength(3)
  })

  it('says at least: a write whose answer was lost is not made twice, and nobody waits for one', async () => {
    const h = await createHarness()
    const ip = await exhaustedIp(h)
    h.bindings.fault = (binding) => (binding === 'd1' ? 'lost' : undefined)
    expect((await h.browser(ip).register(freshAddress())).status).toBe(429)
    expect((await h.browser().register(freshAddress())).status).toBe(503)
    let calls = 0
    h.bindings.fault = (binding) => (binding === 'd1' && ++calls === 2 ? 'lost' : undefined)
    expect((await h.browser().register(freshAddress())).status).toBe(201)
    h.bindings.fault = () => undefined
    h.now += 30_000
    expect((await h.browser(ip).register(freshAddress())).status).toBe(429)
    expect((await h.browser().register(freshAddress())).status).toBe(201)
    expect(await refusals(h)).toEqual([{ dimension: 'mail-ip', count: 2 }])
    expect(h.logs.filter(({ path }) => path === 'figures')).toHaveLength(1)
  })
})
