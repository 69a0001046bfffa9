// The whole loop in development: the Worker mails, the mailbox accepts and reports by its signed webhook, and the
// person who waits is told. Nothing between is replaced but the pauses.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { devRoutes } from '../../src/dev/routes.tsx'
import type { Browser } from '../support/browser.ts'
import { createHarness, freshAddress, type Harness } from '../support/harness.ts'

const P256 = { name: 'ECDSA', namedCurve: 'P-256' }

interface Loop {
  readonly h: Harness
  /** Statuses of the webhook's answers. */
  readonly answers: number[]
  /** Lets the mailbox report on what it has accepted, and waits until it has. */
  readonly report: () => Promise<void>
}

/**
 * A Worker whose mailbox reports.
 * @param isEarly whether it does so before the consumer has even heard that the mail was accepted
 */
async function start(isEarly: boolean): Promise<Loop> {
  const pair = (await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])) as CryptoKeyPair
  const inBase64 = async (format: 'pkcs8' | 'spki', key: CryptoKey) =>
    new Uint8Array((await crypto.subtle.exportKey(format, key)) as ArrayBuffer).toBase64()
  const h = await createHarness({
    SENDGRID_WEBHOOK_KEYS: await inBase64('spki', pair.publicKey),
    DEV_WEBHOOK_SIGNING_KEY: await inBase64('pkcs8', pair.privateKey),
  })
  const gate = Promise.withResolvers<void>()
  if (isEarly) gate.resolve()
  const answers: number[] = []
  const accepted: ExecutionContext[] = []
  const dev = new Hono().route(
    '/dev',
    devRoutes(h.deps, async (ms) => {
      await gate.promise
      h.now += ms
    }),
  )
  h.network = async (request) => {
    if (new URL(request.url).pathname === '/webhooks/sendgrid') {
      const { method, headers } = request
      const response = await h.fetch(request.url, { method, headers, body: await request.text() })
      answers.push(response.status)
      return response
    }
    const ctx = createExecutionContext()
    const response = await dev.fetch(request, env, ctx)
    if (isEarly) await waitOnExecutionContext(ctx)
    else accepted.push(ctx)
    return response
  }
  return {
    h,
    answers,
    async report() {
      gate.resolve()
      await Promise.all(accepted.splice(0).map((ctx) => waitOnExecutionContext(ctx)))
    },
  }
}

async function stateSeenBy(browser: Browser): Promise<unknown> {
  return (await browser.session()).body.mail.state
}

interface Case {
  readonly name: string
  readonly state: string
  readonly suppressed?: string
}

describe.each([
  ['after the consumer recorded it', false],
  ['before the consumer knows that it was accepted', true],
])('F5: a mail that is reported on %s', (_when, isEarly) => {
  it.each<Case>([
    { name: 'ada', state: 'delivered' },
    { name: 'deferred', state: 'delivered' },
    { name: 'soft-bounce', state: 'bounced' },
    { name: 'bounce', state: 'bounced', suppressed: 'hard_bounce' },
    { name: 'complaint', state: 'complained', suppressed: 'complaint' },
    { name: 'silence', state: 'sent' },
  ])('$name@… ends $state', async ({ name, state, suppressed }) => {
    const { h, answers, report } = await start(isEarly)
    const browser = h.browser()
    const email = freshAddress(name)
    await browser.register(email)
    await h.deliver()
    if (!isEarly) expect(await stateSeenBy(browser)).toBe('sent')
    await report()

    expect(await stateSeenBy(browser)).toBe(state)
    expect(answers.filter((status) => status < 200 || status > 299)).toEqual([])
    expect(await h.rows('select email, reason from suppressions')).toEqual(
      suppressed === undefined ? [] : [{ email, reason: suppressed }],
    )
    const [row] = await h.rows<{ settled_at: number | null }>('select settled_at from messages')
    expect(row?.settled_at === null).toBe(state === 'sent')
  })
})

describe('F5: mails of one batch', () => {
  it('each end as their own address makes them', async () => {
    const { h, report } = await start(false)
    const wanted = { ada: 'delivered', bounce: 'bounced', silence: 'sent', bob: 'delivered' }
    const people = await Promise.all(
      Object.entries(wanted).map(async ([name, state]) => {
        const browser = h.browser()
        await browser.register(freshAddress(name))
        return { browser, state }
      }),
    )
    await h.deliver()
    await report()
    for (const { browser, state } of people) expect(await stateSeenBy(browser)).toBe(state)
  })
})
