// A walk through what the consumer asks of D1 where providers know keys and a daily cap is set.

import { expect } from 'vitest'
import { recordOutcomes } from '../../src/mail/record-outcomes.ts'
import { utcDay } from '../../src/mail/utc-day.ts'
import type { Harness, Settings } from '../support/harness.ts'
import { mailRows, seedMails } from '../support/seed-mails.ts'

export const CONSUMER_SETTINGS: Settings = {
  MAIL_PROVIDERS: 'resend,sendgrid',
  RESEND_API_KEY: 're_a_key_for_tests',
  MAIL_DAILY_CAP: '3',
}

/** Sends, loses an answer, repeats the call, holds what exceeds the cap, and records all that a run may say. */
export async function walkConsumer(h: Harness): Promise<void> {
  const ids = await seedMails(h, 4)
  h.network = async () => {
    throw new TypeError('network')
  }
  await h.deliver({ ids })
  h.network = async () => Response.json({ data: [] })
  h.now += 60_000
  await h.deliver({ ids })
  expect((await mailRows(h, ids)).map(({ state }) => state)).toEqual([
    'sent',
    'sent',
    'sent',
    'queued',
  ])
  // What a run says nothing of gets no statement.
  const [id = ''] = ids
  const outcome = {
    id,
    leasedAttempt: 2,
    attempts: 2,
    state: 'failed',
    notBefore: null,
    provider: 'sendgrid',
    providerMessageId: null,
    error: 'refused',
    sentAt: null,
    settledAt: h.now,
    batchId: null,
    freesPlace: true,
    events: [{ type: 'mail_failed', at: h.now, provider: 'sendgrid', detail: 'refused' }],
  } as const
  const outage = { failures: 1, since: h.now, downUntil: h.now, reason: '503' }
  await recordOutcomes(
    h.deps,
    { until: h.now, day: utcDay(h.now) },
    {
      outcomes: [outcome],
      down: [{ provider: 'sendgrid', ...outage }],
      recovered: ['resend'],
      calls: [{ id: h.deps.newId(), messageIds: [id] }],
    },
  )
  expect(await h.rows('select provider from provider_outages')).toEqual([{ provider: 'sendgrid' }])
  // Nobody's lease: the mail stays as it was.
  expect(await mailRows(h, [id])).toMatchObject([{ state: 'sent', error: null }])
}
