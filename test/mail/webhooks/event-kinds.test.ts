// F5: what each provider's events mean, in the shapes that its documentation shows, through the front door.

import { Webhook } from 'svix'
import { describe, expect, it } from 'vitest'
import { createHarness, type Harness } from '../../support/harness.ts'
import { createSigner, mailRow, post, report, sendGridEvent, sentMail } from './support.ts'

type Expected = readonly [state: string, rank: number, suppressed: string | null] | null
const ACCEPTED: Expected = ['sent', 1, null]
const DEFERRED: Expected = ['deferred', 2, null]
const DELIVERED: Expected = ['delivered', 3, null]
const SOFT: Expected = ['bounced', 4, null]
const HARD: Expected = ['bounced', 5, 'hard_bounce']
const COMPLAINT: Expected = ['complained', 6, 'complaint']
/** Acknowledged, and nothing more. */
const IGNORED: Expected = ['sent', 0, null]

async function expectOutcome(h: Harness, id: string, expected: Expected) {
  const { state, delivery_rank } = await mailRow(h, id)
  const [suppression] = await h.rows<{ reason: string }>('select reason from suppressions')
  expect([state, delivery_rank, suppression?.reason ?? null]).toEqual(expected)
}

describe('SendGrid', () => {
  it.each<[string, object, Expected]>([
    ['processed', {}, ACCEPTED],
    ['deferred', { response: '400 try again later', attempt: '5' }, DEFERRED],
    ['delivered', { response: '250 OK' }, DELIVERED],
    ['bounce', { reason: '500 unknown recipient', status: '5.0.0', type: 'bounce' }, HARD],
    ['bounce', { reason: '500 unknown recipient', status: '5.0.0' }, HARD],
    ['bounce', { reason: '554 blocked', type: 'blocked' }, SOFT],
    ['dropped', { reason: 'Bounced Address', status: '5.0.0' }, HARD],
    ['dropped', { reason: 'Invalid' }, HARD],
    ['dropped', { reason: 'Invalid SMTPAPI header' }, SOFT],
    ['dropped', { reason: 'Spam Reporting Address' }, COMPLAINT],
    ['dropped', { reason: 'Unsubscribed Address' }, SOFT],
    ['dropped', { reason: 'Spam Content (if spam checker app enabled)' }, SOFT],
    ['dropped', { reason: 'Recipient List over Package Quota' }, SOFT],
    ['dropped', {}, SOFT],
    ['spamreport', {}, COMPLAINT],
    ['open', { useragent: 'x', ip: '255.255.255.255' }, IGNORED],
    ['click', { url: 'https://x.example' }, IGNORED],
    ['unsubscribe', {}, IGNORED],
    ['group_unsubscribe', { asm_group_id: 10 }, IGNORED],
  ])('%s %j', async (event, more, expected) => {
    const signer = await createSigner()
    const h = await createHarness({ SENDGRID_WEBHOOK_KEYS: signer.publicKey })
    const { id } = await sentMail(h)
    const response = await report(h, signer, [sendGridEvent(h, id, event, more)])
    expect(response.status).toBe(204)
    await expectOutcome(h, id, expected)
  })
})

const RESEND = `whsec_${btoa('a secret of thirty-two bytes now')}`

describe('Resend', () => {
  async function resend(h: Harness, payload: unknown) {
    const body = JSON.stringify(payload)
    const headers = {
      'svix-id': 'msg_1',
      'svix-timestamp': String(Math.floor(h.now / 1000)),
      'svix-signature': new Webhook(RESEND).sign('msg_1', new Date(h.now), body),
    }
    return post(h, 'resend', body, headers)
  }
  const data = (id: string) => ({
    created_at: '2026-11-02T11:59:58.894719+00:00',
    email_id: '56761188-7520-42d8-8898-ff6fc54ce618',
    from: 'Acme <onboarding@resend.dev>',
    to: ['delivered@resend.dev'],
    subject: 'Sending this example',
    tags: { message_id: id },
  })
  const bounce = (type: string, subType: string) => ({
    bounce: { message: 'the words of bounce@x.example', subType, type },
  })

  it.each<[string, object, Expected]>([
    ['email.sent', {}, ACCEPTED],
    ['email.delivery_delayed', {}, DEFERRED],
    ['email.delivered', {}, DELIVERED],
    ['email.bounced', bounce('Permanent', 'General'), HARD],
    ['email.bounced', bounce('Permanent', 'Suppressed'), HARD],
    ['email.bounced', bounce('Transient', 'MailboxFull'), SOFT],
    ['email.bounced', bounce('Undetermined', 'Undetermined'), SOFT],
    ['email.bounced', {}, SOFT],
    ['email.bounced', { bounce: 'odd' }, SOFT],
    [
      'email.suppressed',
      { suppressed: { message: 'on the list', type: 'OnAccountSuppressionList' } },
      HARD,
    ],
    ['email.failed', { failed: { reason: 'reached_daily_quota' } }, SOFT],
    ['email.complained', {}, COMPLAINT],
    ['email.opened', {}, IGNORED],
    ['email.clicked', { click: { link: 'https://resend.com' } }, IGNORED],
    ['email.scheduled', {}, IGNORED],
  ])('%s %j', async (type, more, expected) => {
    const h = await createHarness({ RESEND_WEBHOOK_SECRETS: RESEND })
    const { id } = await sentMail(h, 'resend')
    const created_at = '2026-11-02T11:59:59.126Z'
    const payload = { type, created_at, data: { ...data(id), ...more } }
    expect((await resend(h, payload)).status).toBe(204)
    await expectOutcome(h, id, expected)
    expect(JSON.stringify(await mailRow(h, id))).not.toContain('bounce@x')
    const [event] = await h.rows<{ at: number }>("select at from events where provider = 'resend'")
    if (event !== undefined) expect(event.at).toBe(Date.parse(created_at))
  })

  it('reads tags in the shape they are sent in as well, and does without', async () => {
    const h = await createHarness({ RESEND_WEBHOOK_SECRETS: RESEND })
    const { id } = await sentMail(h, 'resend')
    const created_at = '2026-11-02T11:59:59.126Z'
    for (const tags of [
      undefined,
      null,
      'odd',
      [{ name: 'other', value: id }],
      { message_id: 5 },
    ]) {
      const payload = { type: 'email.delivered', created_at, data: { ...data(id), tags } }
      expect((await resend(h, payload)).status).toBe(204)
      await expectOutcome(h, id, IGNORED)
    }
    const tags = [{ name: 'message_id', value: id }]
    await resend(h, { type: 'email.delivered', created_at, data: { ...data(id), tags } })
    await expectOutcome(h, id, DELIVERED)
  })

  it.each([[[]], [{}], [{ type: 'email.sent' }], [{ data: {} }], ['x'], [null]])(
    'signed, but no event: %j is 400',
    async (payload) => {
      const h = await createHarness({ RESEND_WEBHOOK_SECRETS: RESEND })
      expect((await resend(h, payload)).status).toBe(400)
    },
  )
})

const POSTMARK = 'a-password-for-postmark-of-32-characters'

describe('Postmark', () => {
  const postmark = (h: Harness, payload: unknown) =>
    post(h, 'postmark', JSON.stringify(payload), {
      Authorization: `Basic ${btoa(`x:${POSTMARK}`)}`,
    })
  const bounce = (Type: string, TypeCode: number) => ({
    RecordType: 'Bounce',
    ID: 42,
    Type,
    TypeCode,
    Description: 'The server was unable to deliver your message to john@example.com',
    Details: '',
    Email: 'john@example.com',
    BouncedAt: '2026-11-02T06:59:59.2735393-05:00',
    Inactive: true,
  })

  it.each<[object, Expected]>([
    [{ RecordType: 'Delivery', DeliveredAt: '2026-11-02T11:59:59Z', Details: 'Test' }, DELIVERED],
    [bounce('HardBounce', 1), HARD],
    [bounce('BadEmailAddress', 100_000), HARD],
    [bounce('SpamNotification', 512), SOFT],
    [bounce('SpamComplaint', 100_001), COMPLAINT],
    [bounce('Transient', 2), DEFERRED],
    [bounce('SoftBounce', 4096), SOFT],
    [bounce('DnsError', 256), SOFT],
    [bounce('Blocked', 100_006), SOFT],
    [bounce('DMARCPolicy', 100_009), SOFT],
    [bounce('Unknown', 2048), SOFT],
    [bounce('AutoResponder', 64), IGNORED],
    [bounce('AddressChange', 128), IGNORED],
    [bounce('Unsubscribe', 16), IGNORED],
    [
      { RecordType: 'SpamComplaint', Type: 'SpamComplaint', BouncedAt: '2026-11-02T11:59:59Z' },
      COMPLAINT,
    ],
    [
      { RecordType: 'SubscriptionChange', SuppressSending: true, SuppressionReason: 'HardBounce' },
      IGNORED,
    ],
    [{ RecordType: 'Open' }, IGNORED],
    [{ RecordType: 'Click' }, IGNORED],
  ])('%j', async (payload, expected) => {
    const h = await createHarness({ POSTMARK_WEBHOOK_SECRETS: POSTMARK })
    const { id } = await sentMail(h, 'postmark')
    const body = { MessageID: '883953f4-6105-42a2-a16a-77a8eac79483', ...payload }
    expect((await postmark(h, { ...body, Metadata: { message_id: id } })).status).toBe(204)
    await expectOutcome(h, id, expected)
    const [event] = await h.rows<{ at: number; detail: string }>(
      "select at, detail from events where provider = 'postmark'",
    )
    if (event === undefined) return
    expect(Math.floor(event.at / 1000)).toBe(Date.parse('2026-11-02T11:59:59Z') / 1000)
    expect(event.detail ?? '').not.toContain('john')
  })

  it('a mail of another sender of the same account is none of ours', async () => {
    const h = await createHarness({ POSTMARK_WEBHOOK_SECRETS: POSTMARK })
    const { id } = await sentMail(h, 'postmark')
    for (const Metadata of [undefined, null, {}, { message_id: 7 }, 'odd']) {
      expect((await postmark(h, { ...bounce('HardBounce', 1), Metadata })).status).toBe(204)
    }
    await expectOutcome(h, id, IGNORED)
  })
})
