// The account's page, by its forms alone.
import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, linkIn } from '../support/harness.ts'
import { linkTo, settled, submitAndFollow, waiting } from './people.ts'

const NEXT_PASSWORD = 'quite another password'

describe('the account page', () => {
  it('shows the address and its state, in one round trip; strangers are led to sign in', async () => {
    const h = await createHarness()
    const { browser, email } = await settled(h)
    h.bindings.resetCounts()
    const page = await browser.open('/account')
    expect(h.bindings.counts.d1).toBe(1)
    expect(page.text).toContain(email)
    expect(page.text).toContain('Confirmed.')
    const stranger = await h.browser().open('/account')
    expect([stranger.status, stranger.headers.get('Location')]).toEqual([303, '/login'])
  })

  it('S11: is open to the unverified, except for deletion', async () => {
    const h = await createHarness()
    const { browser } = await waiting(h)
    const page = await browser.open('/account')
    expect(page.status).toBe(200)
    expect(page.text).toContain('Not confirmed yet.')
    expect(page.text).not.toContain('action="/account/delete"')
    const refused = await browser.send('POST', '/account/delete', {
      form: { password: PASSWORD },
      headers: { Accept: 'text/html' },
    })
    expect(refused.status).toBe(403)
    expect((await browser.session()).status).toBe(200)
  })

  it('only notices from the list are shown', async () => {
    const h = await createHarness()
    const { browser } = await settled(h)
    expect((await browser.open('/account?notice=mail_sent')).text).toContain('class="notice"')
    for (const name of ['Call+0800', 'constructor', '__proto__', 'toString', '']) {
      const page = await browser.open(`/account?notice=${name}`)
      expect(page.status).toBe(200)
      expect(page.text).not.toContain('class="notice"')
      expect(page.text).not.toContain('0800')
    }
  })
})

describe('S13: changing the address', () => {
  it('is pending, shown, sent again, and confirmed by the session', async () => {
    const h = await createHarness()
    const { browser, email } = await settled(h)
    const next = freshAddress('next')
    const form = { new_email: next, password: PASSWORD }
    const pending = await submitAndFollow(browser, '/account/email', form)
    expect(pending.text).toContain('We mailed a link to the new address')
    expect(pending.text).toContain(next)
    expect(pending.text).toContain('action="/account/email/cancel"')

    expect((await submitAndFollow(browser, '/account/email/resend', {})).text).toContain(
      'A new mail is on its way',
    )
    await h.deliver()
    expect(await h.mails(next)).toHaveLength(2)
    const { url, token } = linkIn((await h.mails(next))[0])
    const confirm = await browser.open(url)
    expect(confirm.text).toContain('<h1>Confirm your new address</h1>')
    expect(confirm.text).toContain(next)
    expect(confirm.text).not.toContain('type="password"')
    expect((await browser.session()).body.user.email).toBe(email)
    const done = await browser.submit('/auth/verify-email', { token })
    expect(done.text).toContain('Address confirmed')
    expect((await browser.open('/account')).text).toContain(next)
    expect((await browser.submit('/auth/verify-email', { token })).text).toContain(
      'Already confirmed',
    )
  })

  it('is confirmed by the password on another device', async () => {
    const h = await createHarness()
    const { browser } = await settled(h)
    const next = freshAddress('next')
    await submitAndFollow(browser, '/account/email', { new_email: next, password: PASSWORD })
    await h.deliver()
    const { url, token } = linkIn((await h.mails(next))[0])
    const phone = h.browser()
    const page = await phone.open(url)
    expect(page.text).toContain('This browser is not signed in to it.')
    const wrong = await phone.submit('/auth/verify-email', { token, password: 'a wrong guess' })
    expect(wrong.status).toBe(403)
    expect(wrong.text).toContain('This is not the password of the account.')
    expect(wrong.text).toContain('<h1>Confirm your new address</h1>')
    const right = await phone.submit('/auth/verify-email', { token, password: PASSWORD })
    expect(right.text).toContain('Address confirmed')
    expect((await phone.open('/account')).text).toContain(next)
  })

  it('is cancelled, and its link says where to look', async () => {
    const h = await createHarness()
    const { browser, email } = await settled(h)
    const next = freshAddress('next')
    await submitAndFollow(browser, '/account/email', { new_email: next, password: PASSWORD })
    await h.deliver()
    const { url, token } = linkIn((await h.mails(next))[0])
    const page = await submitAndFollow(browser, '/account/email/cancel', {})
    expect(page.text).toContain('The change is cancelled')
    expect(page.text).not.toContain(next)
    for (const dead of [
      await browser.open(url),
      await browser.submit('/auth/verify-email', { token }),
    ]) {
      expect(dead.status).toBe(400)
      expect(dead.text).toContain('cancelled, undone or replaced')
      expect(dead.text).toContain('href="/account"')
      expect(dead.text).not.toContain('action="/resend"')
    }
    expect((await browser.session()).body.user.email).toBe(email)
  })

  it('the limit is told with the time until it can be sent again', async () => {
    const h = await createHarness()
    const { browser } = await settled(h)
    await submitAndFollow(browser, '/account/email', {
      new_email: freshAddress('next'),
      password: PASSWORD,
    })
    for (let i = 0; i < 2; i++) await submitAndFollow(browser, '/account/email/resend', {})
    const limited = await browser.submit('/account/email/resend', {})
    expect(limited.status).toBe(429)
    expect(limited.text).toContain('You can send it again in 15 minutes.')
    expect(limited.text).not.toContain('action="/account/email/resend"')
  })

  it('one that was taken meanwhile is refused, with the way back', async () => {
    const h = await createHarness()
    const { browser, email } = await settled(h)
    const next = freshAddress('next')
    await submitAndFollow(browser, '/account/email', { new_email: next, password: PASSWORD })
    await h.deliver()
    const { token } = linkIn((await h.mails(next))[0])
    await settled(h, next)
    const taken = await browser.submit('/auth/verify-email', { token })
    expect(taken.status).toBe(409)
    expect(taken.text).toContain('This address is taken')
    expect((await browser.session()).body.user.email).toBe(email)
  })

  it('an expired link sends to the account, where a new one is to be had', async () => {
    const h = await createHarness()
    const { browser } = await settled(h)
    const next = freshAddress('next')
    await submitAndFollow(browser, '/account/email', { new_email: next, password: PASSWORD })
    await h.deliver()
    const { url } = linkIn((await h.mails(next))[0])
    h.now += 24 * 3_600_000 + 1000
    const page = await browser.open(url)
    expect(page.text).toContain('This link has expired')
    expect(page.text).toContain('href="/account"')
  })

  it('under unverify_at_once the pending address is shown, and deleting waits for it', async () => {
    const h = await createHarness({ EMAIL_CHANGE: 'unverify_at_once' })
    const { browser } = await settled(h)
    const next = freshAddress('next')
    const page = await submitAndFollow(browser, '/account/email', {
      new_email: next,
      password: PASSWORD,
    })
    expect(page.text).toContain(next)
    const deleted = await browser.submit('/account/delete', { password: PASSWORD })
    expect(deleted.status).toBe(403)
    expect((await browser.session()).body.user.is_email_verified).toBe(false)
  })

  it('errors stand beside their fields; the typed address is kept, the password never', async () => {
    const h = await createHarness()
    const { browser, email } = await settled(h)
    const post = (form: Record<string, string>) => browser.submit('/account/email', form)
    const malformed = await post({ new_email: 'ada@nowhere', password: 'secret words' })
    expect(malformed.status).toBe(422)
    expect(malformed.text).toContain('value="ada@nowhere"')
    expect(malformed.text).toContain('id="email-new_email-error"')
    expect(malformed.text).not.toContain('secret words')
    const wrong = await post({ new_email: freshAddress('next'), password: 'not mine at all' })
    expect(wrong.status).toBe(401)
    expect(wrong.text).toContain('id="email-password-error"')
    expect(wrong.text).not.toContain('not mine at all')
    expect((await post({ new_email: email, password: PASSWORD })).status).toBe(422)
  })
})

describe('S19: the password', () => {
  it('is changed by who knows it; other devices are signed out, this one stays', async () => {
    const h = await createHarness()
    const { browser, email } = await settled(h)
    const phone = h.browser()
    await phone.login(email)
    const form = { current_password: PASSWORD, new_password: NEXT_PASSWORD }
    const page = await submitAndFollow(browser, '/account/password', form)
    expect(page.text).toContain('Your password is changed')
    expect((await phone.session()).status).toBe(401)
    expect((await h.browser().login(email)).status).toBe(401)
    expect((await h.browser().login(email, NEXT_PASSWORD)).status).toBe(200)
    await h.deliver()
    expect((await h.mails(email))[0]?.subject).toContain('was changed')
  })

  it('errors stand beside their fields', async () => {
    const h = await createHarness()
    const { browser } = await settled(h)
    const post = (current_password: string, new_password: string) =>
      browser.submit('/account/password', { current_password, new_password })
    const weak = await post(PASSWORD, 'short')
    expect(weak.status).toBe(422)
    expect(weak.text).toContain('id="password-new_password-error"')
    expect(weak.text).toContain('The password must have at least 8 characters.')
    const wrong = await post('not the password', NEXT_PASSWORD)
    expect(wrong.status).toBe(401)
    expect(wrong.text).toContain('id="password-current_password-error"')
  })
})

describe('sessions', () => {
  it('are listed in plain words, and ended one by one', async () => {
    const h = await createHarness()
    const { browser, email } = await settled(h)
    h.now += 1000
    const phone = h.browser()
    await phone.send('POST', '/login', {
      form: { email, password: PASSWORD },
      headers: {
        'User-Agent':
          'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
      },
    })
    const page = await browser.open('/account')
    expect(page.text).toContain('Safari on an iPhone')
    expect(page.text.match(/This device/g)).toHaveLength(1)
    const ids = [...page.text.matchAll(/name="id" value="([^"]+)"/g)].map(([, id]) => id ?? '')
    expect(ids).toHaveLength(1)
    const after = await submitAndFollow(browser, '/account/sessions/revoke', { id: ids[0] ?? '' })
    expect(after.text).toContain('That device is signed out')
    expect(after.text).not.toContain('Safari on an iPhone')
    expect((await phone.session()).status).toBe(401)
    // Somebody else's, or one that is gone: nothing happens, and nothing is told.
    const mallory = await settled(h)
    const [own] = await h.rows<{ id: string }>(
      'select s.id from sessions s join users u on u.id = s.user_id where u.email = ?',
      email,
    )
    await submitAndFollow(mallory.browser, '/account/sessions/revoke', { id: own?.id ?? '' })
    expect((await browser.session()).status).toBe(200)
  })

  it('ending the one in hand signs out', async () => {
    const h = await createHarness()
    const { browser } = await settled(h)
    const [row] = await h.rows<{ id: string }>('select id from sessions')
    await browser.submit('/account/sessions/revoke', { id: row?.id ?? '' })
    expect((await browser.open('/account')).headers.get('Location')).toBe('/login')
  })
})

describe('deleting the account', () => {
  it('asks the password, and takes it all away', async () => {
    const h = await createHarness()
    const { browser, email } = await settled(h)
    const wrong = await browser.submit('/account/delete', { password: 'not the password' })
    expect(wrong.status).toBe(401)
    expect(wrong.text).toContain('id="delete-password-error"')
    const gone = await submitAndFollow(browser, '/account/delete', { password: PASSWORD })
    expect(gone.text).toContain('Your account is deleted.')
    expect(browser.cookies.size).toBe(0)
    expect((await h.browser().login(email)).status).toBe(401)
  })
})

describe('F9: undoing a change of address', () => {
  it('asks first; restores the address, ends all sessions, and mails a link for a new password', async () => {
    const h = await createHarness()
    const { browser: mallory, email } = await settled(h)
    await submitAndFollow(mallory, '/account/email', {
      new_email: freshAddress('mallory'),
      password: PASSWORD,
    })
    await h.deliver()
    const { url, token } = await linkTo(h, email, '/undo-email-change')
    const victim = h.browser()
    const asking = await victim.open(url)
    expect(asking.headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(asking.text).toContain('Undo the change of address?')
    expect((await mallory.session()).body.user.pending_email).not.toBeNull()

    const undone = await victim.submit('/undo-email-change', { token })
    expect(undone.status).toBe(200)
    expect(undone.text).toContain(email)
    expect(undone.text).toContain('is on its way to you')
    expect(undone.headers.get('Referrer-Policy')).toBe('no-referrer')
    expect((await mallory.session()).status).toBe(401)
    await h.deliver()
    const reset = await linkTo(h, email, '/reset-password')
    expect((await victim.open(reset.url)).text).toContain('Choose a new password')

    const again = await victim.submit('/undo-email-change', { token })
    expect(again.status).toBe(400)
    expect(again.text).toContain('href="/forgot-password"')
  })
})
