import { describe, expect, it } from 'vitest'
import { createHarness, freshAddress, linkIn } from '../support/harness.ts'

const OLD = `old:${'C'.repeat(42)}A`
const NEW = `new:${'D'.repeat(42)}A`

describe('links', () => {
  it('F12: a link made under the old key verifies after rotation, and not once the key is gone', async () => {
    const before = await createHarness({ TOKEN_KEYS: OLD })
    const email = freshAddress()
    await before.browser().register(email)
    await before.deliver()
    const { token } = linkIn((await before.mails(email))[0])
    const users = await before.rows('select * from users')

    for (const [keys, status] of [
      [NEW, 'invalid'],
      [`${NEW},${OLD}`, 'verified'],
    ] as const) {
      const after = await createHarness({ TOKEN_KEYS: keys })
      for (const { is_email_verified: _generated, ...user } of users) {
        const names = Object.keys(user)
        await after.rows(
          `insert into users (${names}) values (${names.map(() => '?')})`,
          ...Object.values(user),
        )
      }
      const answer = await after.browser().confirm(token, 'correct horse battery')
      expect(answer.body.status === 400 ? answer.body.error : answer.body.status).toBe(status)
    }
  })

  it('S6: valid at its last second, expired at the next', async () => {
    const h = await createHarness({ VERIFY_TTL: '15m' })
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    h.now += 400
    const mintedAt = h.now
    await h.deliver()
    const { url, token } = linkIn((await h.mails(email))[0])
    const lastSecond = Math.floor((mintedAt + 15 * 60_000) / 1000)
    h.now = lastSecond * 1000 + 999
    expect((await ada.get(url)).body.status).toBe('confirm_required')
    h.now += 1
    expect((await ada.get(url)).body.error).toBe('expired')
    expect((await ada.confirm(token)).body.error).toBe('expired')
    h.now -= 1
    expect((await ada.confirm(token)).body.status).toBe('verified')
  })

  it('every flipped bit of a real link is refused without D1', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    h.bindings.resetCounts()
    for (let i = 0; i < token.length; i++) {
      for (let bit = 0; bit < 7; bit++) {
        const flipped = String.fromCharCode(token.charCodeAt(i) ^ (1 << bit))
        const forged = token.slice(0, i) + flipped + token.slice(i + 1)
        const answer = await ada.confirm(forged)
        expect([answer.status, answer.body.error]).toEqual([400, 'invalid'])
      }
    }
    expect(h.bindings.counts).toEqual({
      d1: 0,
      statements: 0,
      rowsRead: 0,
      rowsWritten: 0,
      kvReads: 0,
      kvWrites: 0,
      queueSends: 0,
    })
  })

  it('a link for one address does not confirm a claim on another', async () => {
    const h = await createHarness()
    const [mine, theirs] = [freshAddress(), freshAddress()]
    const mallory = h.browser()
    await mallory.register(mine)
    await h.deliver()
    const { token } = linkIn((await h.mails(mine))[0])
    await mallory.register(theirs)
    expect((await mallory.confirm(token)).body.error).toBe('proof_required')
    expect(await h.rows('select id from users where is_email_verified = 1')).toEqual([])
  })
})
