// Promise 6: a row that says what another says already is not written. The desk shows it all the same, once.
import { describe, expect, it } from 'vitest'
import { ADMIN_TOKEN, claim, deliverRefused, deskHarness, Program } from '../admin/desk.ts'
import { createHarness, freshAddress, type Harness } from '../support/harness.ts'
import { timelineOf, typesOf } from '../support/timelines.ts'

const SECOND = 1000

/** A sign-up whose mail was accepted two seconds later; with the mail's row. */
async function signedUp(h: Harness) {
  const browser = h.browser()
  const at = h.now
  const email = freshAddress()
  const { id } = (await browser.register(email)).body.user
  h.now += 2 * SECOND
  await h.deliver()
  const [mail] = await h.rows<{ id: string; provider_message_id: string; sent_at: number }>(
    'select * from messages where user_id = ?',
    id,
  )
  if (mail === undefined) throw new Error('no mail')
  return { browser, email, id: String(id), at, mail }
}

const exported = async (h: Harness, id: string) =>
  (await new Program(h).get(`/admin/users/${id}/export`)).body.timeline

/** What an older version wrote beside the rows. */
const write = (h: Harness, userId: string, at: number, type: string, of: object = {}) =>
  h.rows(
    `insert into events (user_id, at, type, message_id, provider, detail)
      select ?1, ?2, ?3, coalesce(?4 ->> 'id', ''), ?4 ->> 'provider', ?4 ->> 'detail'`,
    userId,
    at,
    type,
    JSON.stringify(of),
  )

describe('F7, promise 6: what other rows say is no event of its own', () => {
  it('a sign-up with its mail writes none, and the desk shows both, with instant, provider and id', async () => {
    const h = await createHarness({ ADMIN_TOKEN })
    const { id, at, email, mail } = await signedUp(h)
    expect(await h.rows('select * from events')).toEqual([])
    const registered = { at, type: 'registered', messageId: null, provider: null, detail: null }
    const accepted = {
      at: at + 2 * SECOND,
      type: 'mail_accepted',
      messageId: mail.id,
      mailKind: 'verify_email',
      toEmail: email,
      provider: 'sendgrid',
      providerMessageId: mail.provider_message_id,
      detail: mail.provider_message_id,
      actor: null,
    }
    expect(mail.provider_message_id).toMatch(/.{5}/)
    expect(await timelineOf(h, id)).toMatchObject([registered, { type: 'mail_queued' }, accepted])
    const iso = (instant: number) => new Date(instant).toISOString()
    expect(await exported(h, id)).toEqual([
      {
        user_id: id,
        at: iso(at),
        type: 'registered',
        message_id: '',
        provider: null,
        actor: null,
        detail: null,
      },
      {
        user_id: id,
        at: iso(at + 2 * SECOND),
        type: 'mail_accepted',
        message_id: mail.id,
        provider: 'sendgrid',
        actor: null,
        detail: mail.provider_message_id,
      },
    ])
    expect(h.logs.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['registered', 'provider_accepted']),
    )
  })

  it('a claim that is renewed shows every registration; so does one of an older version', async () => {
    const h = await deskHarness()
    const { browser, id, at, email } = await signedUp(h)
    await write(h, id, at, 'registered')
    for (const wait of [SECOND, SECOND]) {
      h.now += wait
      expect((await browser.register(email)).body.user.id).toBe(id)
    }
    const registrations = (await timelineOf(h, id)).filter(({ type }) => type === 'registered')
    expect(registrations.map((entry) => entry.at - at)).toEqual([0, 3 * SECOND, 4 * SECOND])
    expect(await h.rows('select at from events order by at')).toEqual([
      { at },
      { at: at + 3 * SECOND },
    ])
  })

  it('a session of another claim, or one that is made up, keeps nothing', async () => {
    const h = await deskHarness()
    const { browser } = await signedUp(h)
    await browser.register(freshAddress())
    browser.cookies.set('__Host-session', 'A'.repeat(64))
    await browser.register(freshAddress())
    expect(await h.rows('select * from events')).toEqual([])
  })

  it('rows of an older version, with events of their own, show nothing twice', async () => {
    const h = await deskHarness()
    const { id, at, mail } = await signedUp(h)
    const { provider_message_id: detail } = mail
    await write(h, id, at, 'registered')
    // When the provider answered; the ledger had the end of the whole run.
    await write(h, id, mail.sent_at - 40, 'mail_accepted', {
      id: mail.id,
      provider: 'sendgrid',
      detail,
    })
    expect(await typesOf(h, id)).toEqual(['registered', 'mail_queued', 'mail_accepted'])
    expect(await exported(h, id)).toHaveLength(2)
    // The id was reported later.
    await h.rows("update events set detail = null where type = 'mail_accepted'")
    expect(await typesOf(h, id)).toEqual(['registered', 'mail_queued', 'mail_accepted'])
    // Somebody else had accepted it as well.
    await h.rows("update events set provider = 'postmark' where type = 'mail_accepted'")
    const types = await typesOf(h, id)
    expect(types).toEqual(['registered', 'mail_queued', 'mail_accepted', 'mail_accepted'])
  })

  it('no acceptance is told of a mail that was withheld, refused, or waits', async () => {
    const h = await deskHarness()
    const email = freshAddress()
    for (let nth = 0; nth < 3; nth++) await claim(h, email)
    const withheld = (await h.browser().register(email)).body.user.id
    const [row] = await h.rows('select sent_at, error from messages where user_id = ?', withheld)
    expect(row).toMatchObject({ sent_at: expect.any(Number), error: 'withheld' })
    expect(await typesOf(h, withheld)).toEqual(['registered', 'mail_withheld'])
    const refused = (await h.browser().register(freshAddress())).body.user.id
    await deliverRefused(h)
    expect(await typesOf(h, refused)).toEqual(['registered', 'mail_queued', 'mail_failed'])
    const waits = (await h.browser().register(freshAddress())).body.user.id
    expect(await typesOf(h, waits)).toEqual(['registered', 'mail_queued'])
  })

  it('S3: a mail that is retried at the desk keeps the acceptance it had', async () => {
    const h = await deskHarness()
    const { id, mail } = await signedUp(h)
    await h.rows("update messages set state = 'failed' where id = ?", mail.id)
    h.now += SECOND
    const reason = 'they have no mail'
    const answer = await new Program(h).post(`/admin/mails/${mail.id}/retry`, { reason })
    expect(answer.body.status).toBe('retried')
    expect(await typesOf(h, id)).toEqual([
      'registered',
      'mail_queued',
      'mail_accepted',
      'support_retried_mail',
    ])
    h.now += SECOND
    await h.deliver()
    const accepted = (await timelineOf(h, id)).filter(({ type }) => type === 'mail_accepted')
    expect(accepted).toMatchObject([
      { at: mail.sent_at, provider: 'sendgrid', detail: mail.provider_message_id },
      { at: h.now, provider: 'sendgrid', detail: expect.any(String) },
    ])
    expect(accepted[1]?.detail).not.toBe(mail.provider_message_id)
  })
})
