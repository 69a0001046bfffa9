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
  it('replaces the address, unverified, and the ordinary link verifies it', async () => {
    const h = await createHarness({ EMAIL_CHANGE: 'unverify_at_once' })
    const { email, ada } = await verifiedUser(h)
    const next = freshAddress('next')
    await change(ada, next)
    expect((await ada.session()).body.user).toMatchObject({
      email: next,
      is_email_verified: false,
      pending_email: null,
    })
    expect((await ada.get('/auth/check?verified=1')).status).toBe(403)
    await h.deliver()
    expect((await h.mails(email))[0]?.text).toContain('/undo-email-change?token=')
    expect((await ada.confirm((await newest(h, next)).token)).body.status).toBe('verified')
    expect((await h.browser().login(next)).body.user.is_email_verified).toBe(true)
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
    expect(await h.rows("select id from messages where kind = 'reset_password'")).toHaveLength(1)
  })
})
