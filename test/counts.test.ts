// What an operation costs, in what Cloudflare counts and bills: the same on every machine, and a regression when it
// grows. Prices per million (November 2026): D1 rows written $1, rows read $0.001; KV writes $5, reads $0.50; Queue
// operations $0.40, three to a message.
import { describe, expect, it } from 'vitest'
import { PASSWORD } from './support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from './support/harness.ts'

interface Cost {
  readonly trips: number
  readonly written: number
  readonly kvReads: number
  readonly kvWrites: number
  readonly queued: number
  readonly http: number
}

async function cost(h: Harness, act: () => Promise<unknown>): Promise<Cost & { read: number }> {
  h.bindings.resetCounts()
  const before = { http: h.httpCalls, queued: h.bindings.queueBodies.length }
  await act()
  const { d1, rowsWritten, rowsRead, kvReads, kvWrites } = h.bindings.counts
  return {
    trips: d1,
    written: rowsWritten,
    read: rowsRead,
    kvReads,
    kvWrites,
    queued: h.bindings.queueBodies.length - before.queued,
    http: h.httpCalls - before.http,
  }
}

const nothing: Cost = { trips: 0, written: 0, kvReads: 0, kvWrites: 0, queued: 0, http: 0 }

describe('promise 6: what each operation costs', () => {
  it('on the way of a sign-up, from the claim to the confirmed address', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    const costs: Record<string, Awaited<ReturnType<typeof cost>>> = {}
    const measure = async (name: string, act: () => Promise<unknown>) => {
      costs[name] = await cost(h, act)
      h.now += 2000
    }
    await measure('register', () => ada.register(email))
    const mails = h.bindings.queued.splice(0)
    await h.deliver({ ids: mails })
    const { token, url } = linkIn((await h.mails(email))[0])
    await measure('session check', () => ada.get('/auth/check'))
    await measure('open the link', () => ada.open(url))
    await measure('resend, signed in', () => ada.post('/auth/resend-verification'))
    await measure('resend, by address', () =>
      h.browser().post('/auth/resend-verification', { email }),
    )
    await measure('confirm', () => ada.confirm(token))
    await measure('confirm again', () => ada.confirm(token))
    await measure('log in', () => h.browser().login(email, PASSWORD))
    await measure('forged token', () => ada.confirm(`${token.slice(0, -4)}AAAA`))

    for (const [name, { read }] of Object.entries(costs))
      expect([name, read < 40]).toEqual([name, true])
    const exact = Object.fromEntries(
      Object.entries(costs).map(([name, { read: _, ...counted }]) => [name, counted]),
    )
    const mailing = { ...nothing, trips: 1, queued: 1 }
    expect(exact).toEqual({
      // The claim 2 rows with its index, the session 1, the mail 2 with the index of the limit.
      register: { ...mailing, written: 5, kvReads: 1 },
      'session check': { ...nothing, trips: 1 },
      'open the link': { ...nothing, trips: 1, written: 1 },
      // The mail 2 rows, the user who names it 1, the timeline 1. The second request from her IP: KV is asked, and told
      // of both.
      'resend, signed in': { ...mailing, written: 4, kvReads: 1, kvWrites: 1 },
      // Within a minute of the other: one entry in the timeline.
      'resend, by address': { ...mailing, written: 3, kvReads: 1 },
      // The owner 2 rows with the unique index, the session 1.
      confirm: { ...nothing, trips: 1, written: 3 },
      'confirm again': { ...nothing, trips: 1, written: 1 },
      'log in': { ...nothing, trips: 2, written: 2, kvReads: 1 },
      'forged token': nothing,
    })
  })

  it('of mails that wait: two round trips and one call for a hundred, two rows each', async () => {
    const h = await createHarness()
    for (let nth = 0; nth < 100; nth++) await h.browser().register(freshAddress())
    const { read, kvWrites: _mailbox, ...counted } = await cost(h, () => h.deliver())
    expect(counted).toEqual({ trips: 2, written: 200, kvReads: 0, queued: 0, http: 1 })
    expect(read).toBeLessThan(2500)
  })

  it('of a minute with nothing to do: three round trips, and hardly a row', async () => {
    const h = await createHarness()
    await h.sweep()
    const { read, ...counted } = await cost(h, () => h.sweep())
    expect(counted.trips).toBe(3)
    expect(counted.written).toBeLessThanOrEqual(4)
    expect(read).toBeLessThan(100)
  })
})
