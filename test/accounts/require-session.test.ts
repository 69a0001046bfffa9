import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { requireVerifiedEmail } from '../../src/accounts/routes/require-session.ts'
import { createHarness, freshAddress, linkIn } from '../support/harness.ts'

describe('requireVerifiedEmail', () => {
  it('S11: guards a route of any Hono app: 401, 403, and the user once verified', async () => {
    const h = await createHarness()
    const app = new Hono().post('/invoices', requireVerifiedEmail(h.deps), (c) =>
      c.json({ for: c.var.signedIn.user.email }),
    )
    const email = freshAddress()
    const ada = h.browser()
    const invoice = async () => {
      const headers = { Cookie: `__Host-session=${ada.cookies.get('__Host-session') ?? ''}` }
      const init = { method: 'POST', headers }
      const response = await app.request('/invoices', init, env, createExecutionContext())
      return { status: response.status, body: await response.json() }
    }
    expect(await invoice()).toMatchObject({ status: 401, body: { error: 'not_signed_in' } })
    await ada.register(email)
    expect(await invoice()).toMatchObject({ status: 403, body: { error: 'email_not_verified' } })
    await h.deliver()
    await ada.confirm(linkIn((await h.mails(email))[0]).token)
    h.bindings.resetCounts()
    expect(await invoice()).toEqual({ status: 200, body: { for: email } })
    expect(h.bindings.counts.d1).toBe(1)
  })
})
