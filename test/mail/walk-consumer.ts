// A walk through what the consumer asks of D1 where providers know keys and a daily cap is set.

import { expect } from 'vitest'
import type { Harness, Settings } from '../support/harness.ts'
import { mailRows, seedMails } from '../support/seed-mails.ts'

export const CONSUMER_SETTINGS: Settings = {
  MAIL_PROVIDERS: 'resend,sendgrid',
  RESEND_API_KEY: 're_a_key_for_tests',
  MAIL_DAILY_CAP: '3',
}

/** Sends, loses an answer, repeats the call, and holds what exceeds the cap. */
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
}
