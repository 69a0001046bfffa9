import { describe, expect, it } from 'vitest'
import { FakeMailApi } from '../support/fake-mail-api.ts'
import { harnessWith, seedMails } from '../support/seed-mails.ts'

const MAILS = 10_000

describe('a backlog', () => {
  it.each(['sendgrid', 'resend'] as const)(
    'of 10,000 mails drains by %s with two round trips to D1 and one HTTP call per hundred',
    async (name) => {
      const api = new FakeMailApi(name)
      const h = await harnessWith([api])
      const ids = await seedMails(h, MAILS)
      h.bindings.resetCounts()
      for (let start = 0; start < MAILS; start += 100) {
        const { acked } = await h.deliver({ ids: ids.slice(start, start + 100) })
        expect(acked).toHaveLength(100)
      }
      expect([h.bindings.counts.d1, h.httpCalls]).toEqual([200, 100])
      expect(h.bindings.counts).toMatchObject({ kvReads: 0, kvWrites: 0, queueSends: 0 })
      expect(api.copies.size).toBe(MAILS)
      expect([...api.copies.values()].every((copies) => copies === 1)).toBe(true)
      expect(await h.rows('select state, count(*) as n from messages group by state')).toEqual([
        { state: 'sent', n: MAILS },
      ])
    },
    120_000,
  )
})
