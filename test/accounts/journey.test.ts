import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, linkIn } from '../support/harness.ts'

describe('the journey', () => {
  it('S4, S8, S9, S11, S12: register, get the mail, confirm, verified, and the gate opens', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()

    // Register: answered at once, unverified, signed in.
    const registered = await ada.register(email)
    expect(registered.status).toBe(201)
    expect(registered.body).toMatchObject({
      ok: true,
      status: 'verification_sent',
      user: { email, is_email_verified: false, email_verified_at: null, pending_email: null },
    })
    expect(registered.headers.get('Set-Cookie')).toMatch(
      /^__Host-session=[\w-]{64}; Path=\/; Expires=.+; HttpOnly; Secure; SameSite=Lax$/,
    )

    // The gate is closed, the rest is open.
    expect((await ada.get('/auth/check?verified=1')).body.error).toBe('email_not_verified')
    expect((await ada.get('/auth/check')).status).toBe(200)
    const refused = await ada.send('DELETE', '/auth/account', { json: { password: PASSWORD } })
    expect([refused.status, refused.body.error]).toEqual([403, 'email_not_verified'])

    // The mail arrives: text and HTML, with the raw link in both.
    expect((await ada.session()).body.mail.state).toBe('queued')
    await h.deliver()
    const [mail] = await h.mails(email)
    const { url, token } = linkIn(mail)
    expect(mail).toMatchObject({ to: email, from: 'noreply@testproof.dev' })
    expect(url).toMatch(/^https:\/\/auth\.testproof\.dev\/auth\/verify-email\?token=/)
    expect(mail?.html).toContain(url)
    expect(url).not.toContain(email.split('@')[0])
    expect((await ada.session()).body.mail.state).toBe('sent')
    const [row] = await h.rows<{ provider_message_id: string; provider: string }>(
      'select provider, provider_message_id from messages where to_email = ?',
      email,
    )
    expect(row?.provider).toBe('sendgrid')
    expect(row?.provider_message_id).toBeTruthy()

    // Opening the link changes nothing.
    const opened = await ada.get(url)
    expect(opened.body).toMatchObject({ status: 'confirm_required', password_required: false })
    expect((await ada.session()).body.user.is_email_verified).toBe(false)

    // Confirming does, and the session shows it at once, under a new token.
    const before = ada.cookies.get('__Host-session')
    const confirmed = await ada.confirm(token)
    expect([confirmed.status, confirmed.body.status]).toEqual([200, 'verified'])
    expect(confirmed.body.user).toMatchObject({ email, is_email_verified: true })
    expect(ada.cookies.get('__Host-session')).not.toBe(before)
    expect((await ada.session()).body.user.is_email_verified).toBe(true)

    // Again: friendly.
    expect((await ada.confirm(token)).body.status).toBe('already_verified')

    // The gate is open, for a proxy and for this Worker's own route.
    const check = await ada.get('/auth/check?verified=1')
    expect(check.status).toBe(200)
    expect(check.headers.get('X-Auth-Email')).toBe(email)
    expect(check.headers.get('X-Auth-Email-Verified')).toBe('true')
    expect(check.headers.get('X-Auth-User-Id')).toBe(confirmed.body.user.id)
    expect(
      (await ada.send('DELETE', '/auth/account', { json: { password: 'wrong' } })).status,
    ).toBe(401)
    expect(
      (await ada.send('DELETE', '/auth/account', { json: { password: PASSWORD } })).status,
    ).toBe(204)
    expect((await ada.session()).status).toBe(401)
  })

  it('works with a bearer token and no cookie', async () => {
    const h = await createHarness()
    const app = h.browser()
    const email = freshAddress()
    const registered = await app.post('/auth/register', {
      email,
      password: PASSWORD,
      transport: 'bearer',
    })
    expect(registered.headers.get('Set-Cookie')).toBeNull()
    const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])

    const confirmed = await app.send('POST', '/auth/verify-email', {
      json: { token },
      headers: bearer(registered.body.session.token),
    })
    expect(confirmed.body).toMatchObject({ status: 'verified' })
    expect(confirmed.headers.get('Set-Cookie')).toBeNull()
    const old = await app.get('/auth/session', bearer(registered.body.session.token))
    expect(old.status).toBe(401)
    const fresh = await app.get('/auth/session', bearer(confirmed.body.session.token))
    expect(fresh.body.user.is_email_verified).toBe(true)
    expect(Date.parse(fresh.body.session.expires_at)).toBe(h.now + h.deps.config.SESSION_TTL)

    const login = await app.post('/auth/login', { email, password: PASSWORD, transport: 'bearer' })
    expect(login.body).toMatchObject({ status: 'signed_in' })
    const signedOut = await app.send('POST', '/auth/logout', {
      headers: bearer(login.body.session.token),
    })
    expect(signedOut.status).toBe(204)
    const gone = await app.get('/auth/session', bearer(login.body.session.token))
    expect(gone.body.error).toBe('not_signed_in')
  })

  it('S12, F11: confirms with the password on another device, signs it in, and the waiting tab learns of it', async () => {
    const h = await createHarness()
    const [laptop, phone] = [h.browser(), h.browser()]
    const email = freshAddress()
    await laptop.register(email)
    await h.deliver()
    const { url, token } = linkIn((await h.mails(email))[0])

    expect((await phone.get(url)).body.password_required).toBe(true)
    expect((await phone.confirm(token)).body.error).toBe('proof_required')
    expect((await phone.confirm(token, 'not the password')).body.error).toBe('proof_required')
    expect((await phone.confirm(token, PASSWORD)).body.status).toBe('verified')
    expect((await phone.session()).body.user.is_email_verified).toBe(true)
    // The tab that waits sees it by its own session.
    expect((await laptop.session()).body.user.is_email_verified).toBe(true)
  })

  it('S9, F10: a claim expires, and its link says not_found', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    await h.deliver()
    const { url, token } = linkIn((await h.mails(email))[0])
    // Pruned while its link is still good: a claim of a week ago whose mail was sent again today.
    await h.rows('update users set created_at = ? where email = ?', h.now - 8 * 86_400_000, email)
    expect((await h.sweep()).pruned.claims).toBe(1)
    expect((await ada.get(url)).body.error).toBe('not_found')
    expect((await ada.confirm(token)).status).toBe(404)
    expect((await ada.confirm(token, PASSWORD)).status).toBe(404)
    expect((await ada.session()).status).toBe(401)
  })

  it('F10: a claim never squats: another person claims and verifies its address beside it, and after it', async () => {
    const h = await createHarness()
    const [squatter, ada] = [h.browser(), h.browser()]
    const [beside, after] = [freshAddress(), freshAddress()]
    await squatter.register(beside, 'the squatter’s password')
    h.now += 1000
    expect((await ada.register(beside)).status).toBe(201)
    await h.deliver()
    const { token } = linkIn((await h.mails(beside))[0])
    expect((await ada.confirm(token)).body.status).toBe('verified')
    expect((await squatter.session()).status).toBe(401)
    expect(await h.rows('select is_email_verified as owns from users')).toEqual([{ owns: 1 }])

    // Its claim expires, and leaves nothing in the way.
    await squatter.register(after, 'the squatter’s password')
    await h.deliver()
    h.now += 7 * 86_400_000 + 1
    expect((await h.sweep()).pruned.claims).toBe(1)
    const bob = h.browser()
    expect((await bob.register(after)).status).toBe(201)
    await h.deliver()
    const later = linkIn((await h.mails(after))[0]).token
    expect((await bob.confirm(later)).body.status).toBe('verified')
    expect((await h.browser().login(after)).body.user.is_email_verified).toBe(true)
    expect((await h.browser().login(after, 'the squatter’s password')).status).toBe(401)
  })

  it('F4: a resend leaves delivered links working, and the first use settles all of them', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    await h.deliver()
    h.now += 1000
    expect((await ada.post('/auth/resend-verification')).body).toEqual({ ok: true, status: 'sent' })
    await h.deliver()
    const [second, first] = (await h.mails(email)).map((mail) => linkIn(mail).token)
    expect(second).not.toBe(first)
    expect((await ada.confirm(first ?? '')).body.status).toBe('verified')
    expect((await ada.confirm(second ?? '')).body.status).toBe('already_verified')
  })

  it('registering again from the same browser renews the claim instead of adding one', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress()
    const first = await ada.register(email)
    const cookie = ada.cookies.get('__Host-session')
    const second = await ada.register(email, 'another good password')
    expect(second.body.user.id).toBe(first.body.user.id)
    expect(await h.rows('select id from users where email = ?', email)).toHaveLength(1)
    expect(
      await h.rows('select id from sessions where user_id = ?', first.body.user.id),
    ).toHaveLength(1)
    expect(ada.cookies.get('__Host-session')).not.toBe(cookie)
    const phone = h.browser()
    expect((await phone.login(email)).status).toBe(401)
    expect((await phone.login(email, 'another good password')).status).toBe(200)
  })

  it('S5: one address in every spelling', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const email = freshAddress('Grüße'.normalize('NFC').replace(/[^a-z]/gi, ''))
    const local = email.split('@')[0] ?? ''
    const shouted = ` ${local.toUpperCase()}@BÜCHER.Example `
    const registered = await ada.register(shouted)
    expect(registered.body.user.email).toBe(`${local.toLowerCase()}@xn--bcher-kva.example`)
    const canonical = registered.body.user.email
    expect((await h.browser().login(`${local}@xn--bcher-kva.example`)).status).toBe(200)
    await h.deliver()
    h.now += 1
    const again = await h
      .browser()
      .post('/auth/resend-verification', { email: `${local}@bu\u0308cher.example` })
    expect(again.status).toBe(202)
    expect(h.bindings.queued).toHaveLength(1)
    await h.deliver()
    expect(await h.mails(canonical)).toHaveLength(2)
  })
})
