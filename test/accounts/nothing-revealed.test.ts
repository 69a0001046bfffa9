// Promise 3: register, login and resend answer the same for every kind of address, and do the same work.
import { beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type Browser, PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'

const KINDS = ['new', 'claimed', 'verified', 'limited', 'suppressed'] as const
type Kind = (typeof KINDS)[number]

const ACTIONS: Record<string, (browser: Browser, email: string) => Promise<Answer>> = {
  register: (browser, email) => browser.register(email, 'a password of a stranger'),
  'login with a wrong password': (browser, email) => browser.login(email, 'a wrong password'),
  'public resend': (browser, email) => browser.post('/auth/resend-verification', { email }),
  'resend by the older envelope': (browser, email) =>
    browser.post('/resend-verification-email', { data: { email } }),
  'register form': (browser, email) =>
    browser.submit('/register', { email, password: 'a password of a stranger' }),
  'login form': (browser, email) => browser.submit('/login', { email, password: 'wrong password' }),
  'resend form': (browser, email) => browser.submit('/resend', { email }),
}

describe.each(Object.entries(ACTIONS))('promise 3, F3: %s', (_name, act) => {
  let h: Harness
  const seen = new Map<Kind, { answer: Answer; email: string; work: unknown }>()

  beforeAll(async () => {
    h = await createHarness()
    for (const kind of KINDS) {
      const email = await prepare(h, kind)
      h.bindings.resetCounts()
      h.hashes = 0
      const answer = await act(h.browser(), email)
      const { d1, statements, kvReads, kvWrites } = h.bindings.counts
      seen.set(kind, {
        answer,
        email,
        work: { d1, statements, kvReads, kvWrites, hashes: h.hashes },
      })
    }
  })

  it.each(KINDS)('answers byte for byte the same for a %s address', (kind) => {
    expect(comparable(seen.get(kind))).toBe(comparable(seen.get('new')))
  })

  it.each(KINDS)('does the same D1, KV and hash operations for a %s address', (kind) => {
    expect(seen.get(kind)?.work).toEqual(seen.get('new')?.work)
  })
})

describe('promise 3: what the client sees as 429 depends only on what it sent', () => {
  it('F3: a known, an unknown and a verified address are turned away after the same number', async () => {
    const h = await createHarness({ MAIL_REQUESTS_PER_ADDRESS: '5/15m' })
    const allowed: number[] = []
    for (const kind of ['new', 'verified'] as const) {
      const email = kind === 'verified' ? await prepare(h, kind) : freshAddress()
      h.now += 3_600_000
      let count = 0
      while ((await h.browser().post('/auth/resend-verification', { email })).status === 202)
        count++
      allowed.push(count)
    }
    expect(allowed).toEqual([5, 5])
  })
})

async function prepare(h: Harness, kind: Kind): Promise<string> {
  const email = freshAddress()
  if (kind === 'new') return email
  const owner = h.browser()
  await owner.register(email, PASSWORD)
  await h.deliver()
  if (kind === 'verified') await owner.confirm(linkIn((await h.mails(email))[0]).token)
  if (kind === 'limited') for (let i = 0; i < 3; i++) await owner.post('/auth/resend-verification')
  if (kind === 'suppressed') {
    await h.rows(
      'insert into suppressions (email, reason, created_at) values (?, ?, ?)',
      email,
      'bounce',
      h.now,
    )
  }
  return email
}

/** The whole answer, with ids, tokens, dates and the address itself blanked. */
function comparable(seen: { answer: Answer; email: string } | undefined): string {
  if (seen === undefined) return ''
  const { answer, email } = seen
  const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
  return `${answer.status}\n${headers}\n\n${answer.text}`
    .replaceAll(email, '<email>')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replace(/(__Host-session=)[\w-]{43}/g, '$1<token>')
    .replace(/Expires=[^;]+/g, 'Expires=<date>')
}
