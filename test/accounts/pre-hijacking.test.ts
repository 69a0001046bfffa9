// F2: account pre-hijacking (Sudhodanan & Paverd, USENIX Security 2022), in both orders, with sessions and
// with passwords; and F1, the scanner that opens, runs and posts everything it finds in a mail.
import { describe, expect, it } from 'vitest'
import { createHarness, freshAddress, linkIn } from '../support/harness.ts'

const HIS = 'the attackers password'
const HERS = 'the victims own password'

async function bothRegister(order: 'attacker first' | 'victim first') {
  const h = await createHarness()
  const email = freshAddress('victim')
  const [mallory, ada] = [h.browser(), h.browser()]
  const people = [
    { browser: mallory, password: HIS },
    { browser: ada, password: HERS },
  ]
  for (const { browser, password } of order === 'attacker first' ? people : people.reverse()) {
    expect((await browser.register(email, password)).status).toBe(201)
    h.now += 1000
  }
  await h.deliver()
  // Both mails are in the victim's mailbox, and nobody else's.
  const tokens = (await h.mails(email)).map((mail) => linkIn(mail).token)
  expect(tokens).toHaveLength(2)
  return { h, email, mallory, ada, tokens }
}

describe.each(['attacker first', 'victim first'] as const)('F2: pre-hijacking, %s', (order) => {
  it.each([0, 1])(
    'her session proves her claim with link %i; his claim and sessions vanish',
    async (i) => {
      const { h, email, mallory, ada, tokens } = await bothRegister(order)
      expect((await ada.confirm(tokens[i] ?? '')).body.status).toBe('verified')

      expect((await mallory.session()).status).toBe(401)
      expect((await mallory.login(email, HIS)).status).toBe(401)
      const owner = await h.browser().login(email, HERS)
      expect(owner.body.user.is_email_verified).toBe(true)
      expect(await h.rows('select id from users where email = ?', email)).toHaveLength(1)
    },
  )

  it.each([0, 1])(
    'her password proves her claim with link %i, on a device of its own',
    async (i) => {
      const { h, email, mallory, tokens } = await bothRegister(order)
      const phone = h.browser()
      const confirmed = await phone.confirm(tokens[i] ?? '', HERS)
      expect(confirmed.body.status).toBe('verified')
      expect((await phone.session()).body.user.id).toBe(confirmed.body.user.id)
      expect((await mallory.session()).status).toBe(401)
      expect((await h.browser().login(email, HIS)).status).toBe(401)
    },
  )

  it('her click alone, in a browser without her session, verifies neither claim', async () => {
    const { h, email, tokens } = await bothRegister(order)
    for (const token of tokens) {
      expect((await h.browser().confirm(token)).body.error).toBe('proof_required')
    }
    expect(await verifiedRows(h, email)).toBe(0)
  })

  it('his session is worth nothing without the link, and his guess at a link is refused', async () => {
    const { h, email, mallory } = await bothRegister(order)
    expect((await mallory.confirm('x.y')).body.error).toBe('invalid')
    expect(await verifiedRows(h, email)).toBe(0)
  })
})

describe('F2: after she owns it', () => {
  it('a later registration by him answers as ever, gets nothing, and mails her a notice', async () => {
    const h = await createHarness()
    const email = freshAddress('victim')
    const ada = h.browser()
    await ada.register(email, HERS)
    await h.deliver()
    const { token } = linkIn((await h.mails(email))[0])
    await ada.confirm(token)
    h.now += 1000

    const mallory = h.browser()
    expect((await mallory.register(email, HIS)).status).toBe(201)
    await h.deliver()
    const [notice] = await h.mails(email)
    expect(notice?.subject).toBe('You already have an account at Testproof')
    expect(notice?.text).not.toContain('token=')
    // Even with her link, which is still within its time, his claim cannot be verified.
    expect((await mallory.confirm(token)).body.status).toBe('already_verified')
    expect((await mallory.confirm(token, HIS)).body.status).toBe('already_verified')
    expect((await mallory.session()).body.user.is_email_verified).toBe(false)
    expect((await ada.session()).body.user.is_email_verified).toBe(true)
    expect((await h.browser().login(email, HERS)).body.user.is_email_verified).toBe(true)
  })
})

describe('F1: a link scanner', () => {
  it('that GETs, HEADs, reads the page and posts its form from a fresh browser verifies nothing', async () => {
    const h = await createHarness()
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const { url } = linkIn((await h.mails(email))[0])
    // All of it but that the link was looked at, which the timeline says.
    const claims = async () =>
      (await h.rows<object>('select * from users where email = ?', email)).map((row) => ({
        ...row,
        link_opened_at: null,
      }))
    const before = await claims()

    const scanner = h.browser()
    expect((await scanner.send('HEAD', url)).status).toBe(200)
    expect((await scanner.get(url)).status).toBe(200)
    const page = await scanner.open(url)
    expect(page.status).toBe(200)
    const action = /<form method="post" action="([^"]+)"/.exec(page.text)?.[1] ?? ''
    const fields = [
      ...page.text.matchAll(/<input type="hidden" name="(\w+)"[^>]* value="([^"]*)"/g),
    ]
    expect(fields.length).toBeGreaterThan(0)
    const form = Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]))
    for (const password of [undefined, '', 'password']) {
      const posted = await scanner.submit(
        action,
        password === undefined ? form : { ...form, password },
      )
      expect(posted.status).toBe(403)
    }
    expect(await claims()).toEqual(before)
    expect(scanner.cookies.size).toBe(0)
  })
})

async function verifiedRows(h: Awaited<ReturnType<typeof createHarness>>, email: string) {
  return (await h.rows('select id from users where email = ? and is_email_verified = 1', email))
    .length
}
