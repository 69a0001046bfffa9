import { describe, expect, it } from 'vitest'
import { type Browser, PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'

async function verifiedUser(h: Harness, name = 'ada') {
  const email = freshAddress(name)
  const ada = h.browser()
  await ada.register(email)
  await h.deliver()
  await ada.confirm(linkIn((await h.mails(email))[0]).token)
  h.now += 1000
  return { email, ada }
}

const change = (browser: Browser, new_email: string, password = PASSWORD) =>
  browser.post('/auth/change-email', { new_email, password })

const newest = async (h: Harness, to: string) => linkIn((await h.mails(to))[0])

describe('S13: change of address, kept until confirmed', () => {
  it('mails a link to the new and a notice to the old; the old one works until then', async () => {
    const h = await createHarness()
    const { email, ada } = await verifiedUser(h)
    const next = freshAddress('next')

    expect((await change(ada, next, 'not the password')).body.error).toBe('invalid_credentials')
    expect((await change(ada, email)).body.errors[0].path).toBe('new_email')
    const asked = await change(ada, next)
    expect([asked.status, asked.body]).toEqual([202, { ok: true, status: 'confirmation_sent' }])
    const pending = (await ada.session()).body.user
    expect(pending).toMatchObject({ email, is_email_verified: true, pending_email: next })

    await h.deliver()
    const { url, token } = await newest(h, next)
    expect(url).toMatch(/^https:\/\/auth\.testproof\.dev\/auth\/verify-email\?token=/)
    const [notice] = await h.mails(email)
    expect(notice?.text).toContain('/undo-email-change?token=')
    expect(notice?.text).not.toContain(next)

    // Inert to open; a stranger with the link alone applies nothing.
    const opened = await ada.get(url)
    expect(opened.body).toMatchObject({ status: 'confirm_required', password_required: false })
    const stranger = h.browser()
    expect((await stranger.get(url)).body.password_required).toBe(true)
    expect((await stranger.confirm(token)).body.error).toBe('proof_required')
    expect((await stranger.confirm(token, 'a wrong guess')).body.error).toBe('proof_required')
    expect((await ada.session()).body.user.email).toBe(email)

    const applied = await ada.confirm(token)
    expect(applied.body).toMatchObject({ status: 'verified', user: { email: next } })
    expect((await ada.session()).body.user).toMatchObject({
      email: next,
      is_email_verified: true,
      pending_email: null,
    })
    expect((await ada.confirm(token)).body.status).toBe('already_verified')
    expect((await h.browser().login(email)).status).toBe(401)
    expect((await h.browser().login(next)).status).toBe(200)
    const [row] = await h.rows<{ password_hash: string }>('select password_hash from users')
    h.hashes = 0
    await h.browser().login(next)
    // The new address's own salt came with it: no second hash, no rehash.
    expect(h.hashes).toBe(1)
    expect(await h.rows('select password_hash from users')).toEqual([row])
  })

  it('confirms with the password on another device, and signs it in', async () => {
    const h = await createHarness()
    const { ada } = await verifiedUser(h)
    const next = freshAddress('next')
    await change(ada, next)
    await h.deliver()
    const { token } = await newest(h, next)
    const phone = h.browser()
    expect((await phone.confirm(token, PASSWORD)).body.status).toBe('verified')
    expect((await phone.session()).body.user.email).toBe(next)
  })

  it('can be sent again, and cancelled, after which its link is dead', async () => {
    const h = await createHarness()
    const { email, ada } = await verifiedUser(h)
    const next = freshAddress('next')
    await change(ada, next)
    await h.deliver()
    h.now += 1000
    expect((await ada.post('/auth/resend-verification')).body.status).toBe('sent')
    await h.deliver()
    expect(await h.mails(next)).toHaveLength(2)
    const [second, first] = (await h.mails(next)).map((mail) => linkIn(mail))
    expect((await ada.get(first?.url ?? '')).body.status).toBe('confirm_required')

    expect((await ada.send('DELETE', '/auth/change-email')).body.status).toBe('cancelled')
    expect((await ada.send('DELETE', '/auth/change-email')).body.status).toBe('cancelled')
    expect((await h.browser().send('DELETE', '/auth/change-email')).status).toBe(401)
    for (const link of [first, second]) {
      expect((await ada.get(link?.url ?? '')).body.error).toBe('invalid')
      expect((await ada.confirm(link?.token ?? '')).body.error).toBe('invalid')
    }
    expect((await ada.session()).body.user).toMatchObject({ email, pending_email: null })
  })

  it('two concurrent changes end in one winner whose link matches its address', async () => {
    const h = await createHarness()
    const { ada } = await verifiedUser(h)
    const targets = [freshAddress('b'), freshAddress('c'), freshAddress('d')]
    const answers = await Promise.all(targets.map((target) => change(ada, target)))
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202])
    await h.deliver()
    const winner: string = (await ada.session()).body.user.pending_email
    expect(targets).toContain(winner)
    for (const target of targets) {
      const [mail] = await h.mails(target)
      if (target !== winner && mail !== undefined) {
        expect((await ada.confirm(linkIn(mail).token)).body.error).toBe('invalid')
      }
    }
    const applied = await ada.confirm((await newest(h, winner)).token)
    expect(applied.body.user.email).toBe(winner)
  })

  it('does not reveal a taken address, and refuses one that was taken meanwhile', async () => {
    const h = await createHarness()
    const { email, ada } = await verifiedUser(h)
    const { email: taken } = await verifiedUser(h, 'bob')
    const free = freshAddress('free')
    const [toTaken, toFree] = [await change(ada, taken), await change(ada, free)]
    expect([toTaken.status, toTaken.text]).toEqual([toFree.status, toFree.text])
    await h.deliver()
    const { token } = await newest(h, free)

    const carol = h.browser()
    h.now += 1000
    await carol.register(free)
    await h.deliver()
    expect((await carol.confirm(linkIn((await h.mails(free))[0]).token)).body.status).toBe(
      'verified',
    )
    const refused = await ada.confirm(token)
    expect([refused.status, refused.body.error]).toEqual([409, 'email_taken'])
    expect((await ada.session()).body.user.email).toBe(email)
  })

  it('applying ends rival claims on the new address', async () => {
    const h = await createHarness()
    const { ada } = await verifiedUser(h)
    const next = freshAddress('next')
    const mallory = h.browser()
    await mallory.register(next, 'a rivals password')
    await change(ada, next)
    await h.deliver()
    const tokens = (await h.mails(next)).map((mail) => linkIn(mail).token)
    const outcomes = []
    for (const token of tokens) outcomes.push((await ada.confirm(token)).body.status)
    expect(outcomes).toContain('verified')
    expect((await mallory.session()).status).toBe(401)
  })

  it('a new password cancels it', async () => {
    const h = await createHarness()
    const { ada } = await verifiedUser(h)
    const next = freshAddress('next')
    await change(ada, next)
    await h.deliver()
    const { token } = await newest(h, next)
    const body = { current_password: PASSWORD, new_password: 'an entirely new one' }
    await ada.post('/auth/change-password', body)
    expect((await ada.session()).body.user.pending_email).toBeNull()
    expect((await ada.confirm(token)).body.error).toBe('invalid')
  })
})

describe('S13: EMAIL_CHANGE=unverify_at_once', () => {
  it('counts as unverified until the new address is confirmed, everywhere at once', async () => {
    const h = await createHarness({ EMAIL_CHANGE: 'unverify_at_once' })
    const { email, ada } = await verifiedUser(h)
    const next = freshAddress('next')
    await change(ada, next)
    expect((await ada.session()).body.user).toMatchObject({
      email,
      is_email_verified: false,
      email_verified_at: null,
      pending_email: next,
    })
    expect((await ada.get('/auth/check?verified=1')).status).toBe(403)
    const deletion = await ada.send('DELETE', '/auth/account', { json: { password: PASSWORD } })
    expect(deletion.body.error).toBe('email_not_verified')
    await h.deliver()
    expect((await h.mails(email))[0]?.text).toContain('/undo-email-change?token=')
    expect((await ada.confirm((await newest(h, next)).token)).body.status).toBe('verified')
    expect((await ada.get('/auth/check?verified=1')).headers.get('X-Auth-Email')).toBe(next)
    expect((await h.browser().login(next)).body.user.is_email_verified).toBe(true)
  })

  it('counts as verified again once the change is cancelled', async () => {
    const h = await createHarness({ EMAIL_CHANGE: 'unverify_at_once' })
    const { ada } = await verifiedUser(h)
    await change(ada, freshAddress('next'))
    await ada.send('DELETE', '/auth/change-email')
    expect((await ada.session()).body.user.is_email_verified).toBe(true)
  })

  it('loses nothing by the wait: not to the cron, not to who owns the mistyped address, not to its reset link', async () => {
    const h = await createHarness({ EMAIL_CHANGE: 'unverify_at_once' })
    const { email, ada } = await verifiedUser(h)
    h.now += 10 * 86_400_000
    const typo = freshAddress('typo')
    await change(ada, typo)
    await h.sweep()
    const stranger = h.browser()
    await stranger.register(typo, 'a strangers password')
    await h.deliver()
    const links = await Promise.all((await h.mails(typo)).map(async (mail) => linkIn(mail).token))
    for (const token of links) await stranger.confirm(token)
    await stranger.post('/auth/forgot-password', { email: typo })
    await h.deliver()
    expect((await ada.session()).body.user.email).toBe(email)
    const { token } = await newest(h, email)
    const undone = await h.browser().post('/auth/undo-email-change', { token })
    expect(undone.body.status).toBe('restored')
  })
})

describe('what a thief with the password cannot do', () => {
  it('silence the undo link by changing the password until notices run out', async () => {
    const h = await createHarness()
    const { email } = await verifiedUser(h)
    const thief = h.browser()
    await thief.login(email)
    const passwords = [PASSWORD, 'thiefs password 1', 'thiefs password 2', 'thiefs password 3']
    for (let i = 0; i < 3; i++) {
      const body = { current_password: passwords[i], new_password: passwords[i + 1] }
      expect((await thief.post('/auth/change-password', body)).status).toBe(200)
    }
    await change(thief, freshAddress('thief'), passwords[3])
    await h.deliver()
    const texts = (await h.mails(email)).map(({ text }) => text).join()
    expect(texts).toContain('/undo-email-change?token=')
  })

  it('kill a reset link that is under way by asking for another address', async () => {
    const h = await createHarness()
    const { email } = await verifiedUser(h)
    await h.browser().post('/auth/forgot-password', { email })
    await h.deliver()
    const { token } = await newest(h, email)
    const thief = h.browser()
    await thief.login(email)
    await change(thief, freshAddress('thief'))
    const body = { token, password: 'a password of her own' }
    expect((await h.browser().post('/auth/reset-password', body)).body.status).toBe(
      'password_reset',
    )
    expect(
      (await h.browser().login(email, 'a password of her own')).body.user.pending_email,
    ).toBeNull()
  })

  it('come back by his own undo link after she has come back by a change of her own', async () => {
    const h = await createHarness()
    const { email, ada } = await verifiedUser(h)
    const his = freshAddress('thief')
    await change(ada, his)
    await h.deliver()
    await ada.confirm((await newest(h, his)).token)
    h.now += 60_000
    await change(ada, email)
    await h.deliver()
    const hisUndo = linkIn((await h.mails(his)).find(({ text }) => text.includes('/undo-')))
    await ada.confirm((await newest(h, email)).token)
    const undone = await h.browser().post('/auth/undo-email-change', { token: hisUndo.token })
    expect(undone.body.error).toBe('invalid')
    expect(await h.rows('select email from users')).toEqual([{ email }])
  })
})

describe('what a claim cannot do', () => {
  it('ring false alarms in a stranger’s mailbox', async () => {
    const h = await createHarness()
    const email = freshAddress('victim')
    const mallory = h.browser()
    await mallory.register(email)
    const body = { current_password: PASSWORD, new_password: 'another password' }
    expect((await mallory.post('/auth/change-password', body)).status).toBe(200)
    await h.deliver()
    expect(await h.mails(email)).toHaveLength(1)
  })

  it('turn a confirmed account back into one by racing the confirm with a change', async () => {
    for (let i = 0; i < 5; i++) {
      const h = await createHarness()
      const email = freshAddress()
      const ada = h.browser()
      await ada.register(email)
      await h.deliver()
      const { token } = await newest(h, email)
      const other = h.browser()
      await other.login(email)
      await Promise.all([ada.confirm(token), change(other, freshAddress('next'))])
      const [row] = await h.rows<{ email: string; v: number | null }>(
        'select email, email_verified_at as v from users',
      )
      // Either the change came first, to a claim, or the confirm did, and the change was refused or pends.
      if (row?.v === null) expect(row.email).not.toBe(email)
      else expect(row?.email).toBe(email)
    }
  })
})

describe('F9: a typo is mended before verifying', () => {
  it('replaces the address of a claim at once, mails the new one only, and kills the old link', async () => {
    const h = await createHarness()
    const ada = h.browser()
    const [typo, right] = [freshAddress('adda'), freshAddress('ada')]
    await ada.register(typo)
    await h.deliver()
    const old = await newest(h, typo)
    h.now += 1000
    expect((await change(ada, right)).status).toBe(202)
    await h.deliver()
    expect(await h.mails(typo)).toHaveLength(1)
    expect((await ada.session()).body.user).toMatchObject({
      email: right,
      is_email_verified: false,
    })
    expect((await ada.confirm(old.token)).body.error).toBe('not_found')
    expect((await ada.confirm((await newest(h, right)).token)).body.status).toBe('verified')
    expect((await h.browser().login(right)).status).toBe(200)
  })
})

describe('F9: undo', () => {
  async function changedByThief(h: Harness) {
    const { email, ada } = await verifiedUser(h)
    const thief = h.browser()
    await thief.login(email) // knows the password
    const his = freshAddress('thief')
    await change(thief, his)
    await h.deliver()
    const undo = await newest(h, email)
    return { email, ada, thief, his, undo }
  }

  it('brings back an address whose change was applied, ends sessions, voids the password, mails a reset', async () => {
    const h = await createHarness()
    const { email, thief, his, undo } = await changedByThief(h)
    await thief.confirm((await newest(h, his)).token)
    h.now += 6 * 86_400_000
    const undone = await h.browser().post('/auth/undo-email-change', { token: undo.token })
    expect(undone.body).toMatchObject({ ok: true, status: 'restored', email })
    expect((await thief.session()).status).toBe(401)
    for (const address of [his, email]) {
      expect((await thief.login(address)).status).toBe(401)
    }
    await h.deliver()
    const reset = await newest(h, email)
    expect((await h.mails(email))[0]?.text).toContain('that password no longer works')
    const body = { token: reset.token, password: 'a password of her own' }
    expect((await h.browser().post('/auth/reset-password', body)).status).toBe(200)
    const back = await h.browser().login(email, 'a password of her own')
    expect(back.body.user).toMatchObject({ email, is_email_verified: true })
    const again = await h.browser().post('/auth/undo-email-change', { token: undo.token })
    expect(again.body.error).toBe('invalid')
  })

  it('cancels a change that is still pending', async () => {
    const h = await createHarness()
    const { email, thief, his, undo } = await changedByThief(h)
    await h.browser().post('/auth/undo-email-change', { token: undo.token })
    expect((await thief.confirm((await newest(h, his)).token, PASSWORD)).body.error).toBe('invalid')
    const rows = await h.rows('select email, pending_email from users')
    expect(rows).toEqual([{ email, pending_email: null }])
  })

  it('is not outrun by further changes, whose own undo links then bring nothing back', async () => {
    const h = await createHarness()
    const { email, thief, his, undo } = await changedByThief(h)
    await thief.confirm((await newest(h, his)).token)
    h.now += 3_600_000
    const second = freshAddress('thief')
    await change(thief, second)
    await h.deliver()
    const hisUndo = await newest(h, his)
    await thief.confirm((await newest(h, second)).token)
    h.now += 1000
    expect((await h.browser().post('/auth/undo-email-change', { token: undo.token })).status).toBe(
      200,
    )
    const outrun = await thief.post('/auth/undo-email-change', { token: hisUndo.token })
    expect(outrun.body.error).toBe('invalid')
    expect(await h.rows('select email from users')).toEqual([{ email }])
  })

  it('works for seven days and not longer', async () => {
    const h = await createHarness()
    const { undo } = await changedByThief(h)
    h.now += 7 * 86_400_000 + 1000
    const late = await h.browser().post('/auth/undo-email-change', { token: undo.token })
    expect(late.body.error).toBe('expired')
  })

  it('20 concurrent undos: one restores', async () => {
    const h = await createHarness()
    const { undo } = await changedByThief(h)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        h.browser().post('/auth/undo-email-change', { token: undo.token }),
      ),
    )
    expect(answers.filter(({ body }) => body.status === 'restored')).toHaveLength(1)
    expect(await h.rows("select id from messages where kind = 'reset_after_undo'")).toHaveLength(1)
  })
})
