// The door for other Workers, called as they call it.
import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { PASSWORD } from './support/browser.ts'
import { createHarness, freshAddress, linkIn } from './support/harness.ts'

describe('the RPC entrypoint', () => {
  it('S11: says who may pass: nobody, the signed-in, the verified', async () => {
    const h = await createHarness()
    h.now = Date.now() // the entrypoint has a clock of its own
    const email = freshAddress()
    const app = h.browser()
    const json = { email, password: PASSWORD, transport: 'bearer' }
    const { token } = (await app.post('/auth/register', json)).body.session
    const gate = exports.Gate
    expect(await gate.check(null)).toEqual({ ok: false, error: 'not_signed_in' })
    expect(await gate.check('forged')).toEqual({ ok: false, error: 'not_signed_in' })
    expect(await gate.check(token)).toMatchObject({ ok: true, user: { email } })
    const refused = await gate.check(token, { verified: true })
    expect(refused).toEqual({ ok: false, error: 'email_not_verified' })

    await h.deliver()
    const link = linkIn((await h.mails(email))[0])
    const confirmed = await app.send('POST', '/auth/verify-email', {
      json: { token: link.token },
      headers: { Authorization: `Bearer ${token}` },
    })
    const passed = await gate.check(confirmed.body.session.token, { verified: true })
    expect(passed).toMatchObject({ ok: true, user: { email, is_email_verified: true } })
  })
})
