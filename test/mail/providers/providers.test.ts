// What is true of every adapter, and how they are chosen.

import { env } from 'cloudflare:workers'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/config.ts'
import { createDeps } from '../../../src/deps.ts'
import { blankFor, type FormLetter } from '../../../src/mail/messages/form-letter.ts'
import { createProviders } from '../../../src/mail/providers/create-providers.ts'
import type { OutgoingMail } from '../../../src/mail/providers/provider.ts'
import { sendEach } from '../../../src/mail/providers/send-each.ts'
import { accepted, FORM, mailTo, never } from './networks.ts'

const KEYS = {
  SENDGRID_BASE_URL: 'https://sendgrid.example',
  RESEND_BASE_URL: 'https://resend.example',
  POSTMARK_BASE_URL: 'https://postmark.example',
  SENDGRID_API_KEY: 'key-of-sendgrid',
  RESEND_API_KEY: 'key-of-resend',
  POSTMARK_SERVER_TOKEN: 'key-of-postmark',
  MAIL_TIMEOUT_MS: '50',
}
type Fetch = (request: Request) => Promise<Response>
type SendEmailCall = (mail: EmailMessageBuilder) => Promise<EmailSendResult>

async function providersOf(list: string, fetch: Fetch, send?: SendEmailCall) {
  const given = { ...env, ...KEYS, EMAIL: { send }, MAIL_PROVIDERS: list }
  const checked = parseConfig(given)
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems))
  const binding = send === undefined ? {} : { EMAIL: { send } as SendEmail }
  const deps = await createDeps(checked.config, { ...env, ...binding }, { fetch })
  return createProviders(deps)
}

describe('F5: the providers', () => {
  it('are those of MAIL_PROVIDERS, in its order', async () => {
    const ok = async () => new Response(null, { status: 202 })
    const names = async (list: string) => (await providersOf(list, ok)).map(({ name }) => name)
    expect(await names('sendgrid')).toEqual(['sendgrid'])
    expect(await names('cloudflare,postmark,resend,sendgrid')).toEqual([
      'cloudflare',
      'postmark',
      'resend',
      'sendgrid',
    ])
  })

  it('are called where the configuration says, with their own keys, from the one sender', async () => {
    const seen: Record<string, string> = {}
    const senders: string[] = []
    const providers = await providersOf(
      'sendgrid,resend,postmark,cloudflare',
      async (request) => {
        const text = await request.text()
        const key = /key-of-\w+/.exec(JSON.stringify([...request.headers]))?.[0] ?? ''
        seen[new URL(request.url).host] = key
        if (text.includes('noreply@testproof.dev')) senders.push(new URL(request.url).host)
        return new Response(null, { status: 202 })
      },
      async ({ from }) => {
        if (typeof from === 'object' && from.email === 'noreply@testproof.dev')
          senders.push('binding')
        return { messageId: 'cf-1' }
      },
    )
    for (const provider of providers) {
      const [outcome] = await provider.send([mailTo('ada@example.com')], 'key')
      expect(outcome).toEqual(accepted(provider.name === 'cloudflare' ? 'cf-1' : null))
    }
    expect(seen).toEqual({
      'sendgrid.example': 'key-of-sendgrid',
      'resend.example': 'key-of-resend',
      'postmark.example': 'key-of-postmark',
    })
    expect(senders).toEqual(['sendgrid.example', 'resend.example', 'postmark.example', 'binding'])
  })

  it('know a repeated call only where they have a key for it', async () => {
    const providers = await providersOf('sendgrid,resend,postmark,cloudflare', never)
    expect(providers.filter((one) => one.knowsRepeatedCalls).map(({ name }) => name)).toEqual([
      'resend',
    ])
    // The Queue's batch is 100 mails, and six connections may wait at once, D1's among them.
    for (const { maxBatch, maxConcurrentCalls } of providers) {
      expect(maxBatch).toBeLessThanOrEqual(100)
      expect(maxConcurrentCalls).toBeLessThanOrEqual(4)
    }
  })
})

describe('whatever a provider answers', () => {
  const word = fc.constantFrom(
    'validation_error',
    'daily_quota_exceeded',
    'invalid_idempotent_request',
    'Maximum credits exceeded',
    'E_RATE_LIMIT_EXCEEDED',
    'E_RECIPIENT_SUPPRESSED',
  )
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc.record({ name: word, message: fc.string() }).map((one) => JSON.stringify(one)),
    fc
      .array(fc.record({ message: word, field: fc.option(fc.string()) }))
      .map((errors) => JSON.stringify({ errors })),
    fc
      .record({
        data: fc.array(fc.record({ id: fc.string() })),
        errors: fc.array(fc.record({ index: fc.integer({ min: -2, max: 12 }), message: word })),
      })
      .map((one) => JSON.stringify(one)),
    fc
      .array(fc.record({ ErrorCode: fc.constantFrom(0, 10, 101, 405, 406, 429), Message: word }))
      .map((one) => JSON.stringify(one)),
    fc
      .record({ ErrorCode: fc.constantFrom(10, 300, 405, 413), Message: word })
      .map((one) => JSON.stringify(one)),
  )
  const status = fc.constantFrom(200, 202, 302, 400, 401, 403, 409, 413, 422, 429, 451, 500, 503)
  const reply = fc.oneof(
    { weight: 8, arbitrary: fc.record({ status, body }) },
    { weight: 1, arbitrary: fc.constant(null) },
  )
  const form: FormLetter = {
    ...FORM,
    subject: blankFor('newAddress'),
    blanks: [...FORM.blanks, 'newAddress'],
  }
  const other = { ...form, text: `Otherwise: ${form.text}` }
  const recipients = fc.array(fc.record({ n: fc.nat(5), form: fc.constantFrom(form, other) }), {
    maxLength: 9,
  })
  /** Whether the words of a call to SendGrid, which has one text for all, are those of a mail in it. */
  const isWordedAs = (text: string, mail: OutgoingMail) =>
    text.includes('Otherwise:') === (mail.form === other)

  it.each(['sendgrid', 'resend', 'postmark', 'cloudflare'])(
    'there is one outcome a mail, in order, accepted only what was sent: %s',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(recipients, fc.array(reply, { minLength: 1 }), async (to, replies) => {
          let nth = 0
          const sent = new Set<string>()
          /** The last call that each mail was part of. */
          const callOf = new Map<string, string>()
          const next = () => replies[nth++ % replies.length]
          const batch = to.map((one, i) => {
            const mail = mailTo(`p${one.n}@example.com`, i, one.form)
            return { ...mail, values: { ...mail.values, newAddress: `s${i}` } }
          })
          const [provider] = await providersOf(
            name,
            async (request) => {
              const text = await request.text()
              const callId = `call-${nth}`
              for (const mail of batch) {
                if (!text.includes(mail.id)) continue
                if (name !== 'sendgrid' || isWordedAs(text, mail)) sent.add(mail.id)
                callOf.set(mail.id, callId)
              }
              const answer = next()
              if (!answer) throw new Error('no network')
              const headers = { 'X-Message-Id': callId }
              return new Response(answer.body, { status: answer.status, headers })
            },
            async ({ subject }) => {
              for (const mail of batch) if (mail.values.newAddress === subject) sent.add(mail.id)
              const answer = next()
              if (!answer || answer.status >= 300) {
                throw Object.assign(new Error('x'), { code: answer?.body })
              }
              return { messageId: subject }
            },
          )
          const outcomes = (await provider?.send(batch, 'key')) ?? []
          expect(outcomes).toHaveLength(batch.length)
          // `toHaveLength` lets holes pass.
          for (const [i, mail] of batch.entries()) {
            const outcome = outcomes[i]
            expect(['accepted', 'retry', 'refused']).toContain(outcome?.kind)
            if (outcome?.kind === 'accepted') expect(sent).toContain(mail.id)
            if (name === 'cloudflare' && outcome?.kind === 'accepted') {
              expect(outcome.providerMessageId).toBe(mail.values.newAddress)
            }
            if (name === 'sendgrid' && outcome?.kind === 'accepted') {
              expect(outcome.providerMessageId).toBe(callOf.get(mail.id))
            }
            if (outcome !== undefined && 'reason' in outcome) {
              expect(outcome.reason).not.toMatch(/key-of-|@example/)
            }
          }
        }),
        { numRuns: 60 },
      )
    },
  )
})

describe('calls that follow each other', () => {
  it('do not begin when the caller can no longer wait for them: its hold on the mails ends', async () => {
    let now = 0
    const made: number[] = []
    const outcomes = await sendEach(
      Array.from({ length: 100 }, (_, i) => i),
      async (i) => {
        made.push(i)
        await Promise.resolve()
        now += 1000
        return accepted(`id-${i}`)
      },
      { now: () => now, timeoutMs: 1000 },
    )
    expect(made.length).toBeGreaterThan(10)
    expect(made.length).toBeLessThan(20)
    expect(outcomes).toHaveLength(100)
    expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(made.length)
    expect(outcomes[99]).toEqual({
      kind: 'retry',
      reason: 'the calls before took too long',
      afterSeconds: null,
      isProviderDown: false,
      mayBeAccepted: false,
    })
  })
})
