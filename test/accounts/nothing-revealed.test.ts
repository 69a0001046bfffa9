// Promise 3: register, login, resend and forgotten password answer the same for every kind of address, and do
// the same work.
import { beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type Browser, PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'

const KINDS = ['new', 'claimed', 'verified', 'limited', 'suppressed'] as const
type Kind = (typeof KINDS)[number]
/** Each of them is compared with a new address. */
const KNOWN = KINDS.filter((kind) => kind !== 'new')

const ACTIONS: Record<string, (browser: Browser, email: string) => Promise<Answer>> = {
  register: (browser, email) => browser.register(email, 'a password of a stranger'),
  'login with a wrong password': (browser, email) => browser.login(email, 'a wrong password'),
  'public resend': (browser, email) => browser.post('/auth/resend-verification', { email }),
  'resend by the older envelope': (browser, email) =>
    browser.post('/resend-verification-email', { data: { email } }),
  'forgot password': (browser, email) => browser.post('/auth/forgot-password', { email }),
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

  it('reaches D1, and is not refused by a limit', () => {
    expect(seen.get('new')?.work).toMatchObject({ d1: 1 })
    expect(seen.get('new')?.answer.status).not.toBe(429)
  })

  it.each(KNOWN)('answers byte for byte the same for a %s address as for a new one', (kind) => {
    expect(comparable(seen.get(kind))).toBe(comparable(seen.get('new')))
  })

  it.each(KNOWN)('does the same D1, KV and hash work for a %s address as for a new one', (kind) => {
    expect(seen.get(kind)?.work).toEqual(seen.get('new')?.work)
  })
})

// Work that only a presented session makes necessary depends on there being one, not on whose it is.
describe('promise 3, F3: from a browser that holds a claim on another address', () => {
  const withSession = ['register', 'login with a wrong password', 'register form', 'login form']
  it.each(withSession)('%s answers and works the same for every kind', async (name) => {
    const h = await createHarness()
    const seen: { kind: Kind; answer: string; work: unknown }[] = []
    for (const kind of KINDS) {
      const email = await prepare(h, kind)
      const browser = h.browser()
      await browser.register(freshAddress())
      h.bindings.resetCounts()
      h.hashes = 0
      const answer = await ACTIONS[name]?.(browser, email)
      if (answer === undefined) throw new Error(`no such action: ${name}`)
      const { d1, statements, kvReads, kvWrites } = h.bindings.counts
      const work = { d1, statements, kvReads, kvWrites, hashes: h.hashes }
      expect(work.d1).toBe(1)
      seen.push({ kind, answer: comparable({ answer, email }), work })
    }
    for (const { kind, ...rest } of seen) {
      expect([kind, rest]).toEqual([kind, { answer: seen[0]?.answer, work: seen[0]?.work }])
    }
  })
})

describe('promise 3: what the client sees as 429 depends only on what it sent', () => {
  it('F3: a known, an unknown and a verified address are turned away after the same number', async () => {
    const h = await createHarness({ MAIL_REQUESTS_PER_ADDRESS: '5/15m' })
    const seen: Partial<Record<Kind, string[]>> = {}
    for (const kind of ['claimed', 'new', 'verified'] as const) {
      const email = await prepare(h, kind)
      h.now += 3_600_000
      seen[kind] = []
      for (let i = 0; i < 7; i++) {
        const answer = await h.browser().post('/auth/resend-verification', { email })
        seen[kind].push(comparable({ answer, email }))
      }
    }
    expect(seen.new?.map((answer) => answer.slice(0, 3))).toEqual([
      ...Array(5).fill('202'),
      ...Array(2).fill('429'),
    ])
    expect(seen.claimed).toEqual(seen.new)
    expect(seen.verified).toEqual(seen.new)
  })
})

// The person who waits must know why nothing comes. So whoever holds a claim is told of its own mail, and can
// learn from it that the address must not be mailed. Neither whether it has an owner, nor what others had sent.
describe('promise 3: what GET /auth/session tells the holder of a claim about its mail', () => {
  async function told(kind: Kind) {
    const h = await createHarness()
    const email = await prepare(h, kind)
    const stranger = h.browser()
    expect((await stranger.register(email, 'a password of a stranger')).status).toBe(201)
    const before = await stranger.session()
    h.now += 3000
    await h.deliver()
    const after = await stranger.session()
    const state = ({ body }: Answer): string | null => body.mail?.state ?? null
    return {
      states: [state(before), state(after)],
      answers: [before, after].map((answer) => comparable({ answer, email })),
    }
  }

  it.each(['claimed', 'verified', 'limited'] as const)(
    'is the same for a %s address as for a new one',
    async (kind) => {
      const ofNew = await told('new')
      expect(ofNew.states).toEqual(['queued', 'sent'])
      expect(await told(kind)).toEqual(ofNew)
    },
  )

  it('F6: is “suppressed” for an address that must not be mailed: the one exception, on purpose', async () => {
    expect((await told('suppressed')).states).toEqual(['queued', 'suppressed'])
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
    .replace(/(__Host-session=)[\w-]{64}/g, '$1<token>')
    .replace(/Expires=[^;]+/g, 'Expires=<date>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<date>')
}
