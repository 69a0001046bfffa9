// After a mail is accepted the mailbox plays the rest of the provider's part: it reports what became of it.

import { reasonOf } from '../bounded.ts'
import type { Deps } from '../deps.ts'
import { courseOf, deliveryEvent } from './delivery-events.ts'
import { createEventWebhook } from './event-webhook.ts'
import type { MailboxMail, MailboxStore, MailReport } from './mailbox-store.ts'

/** Waits so many milliseconds. Tests need not. */
export type Pause = (ms: number) => Promise<void>

/**
 * Before each step: long enough to watch, and together with the webhook's own patience within the 30 seconds
 * that a Worker has after its response.
 */
const PAUSES_MS = [0, 1_500, 3_500] as const

/** Reports what becomes of mails of one call. Never rejects. */
export type ReportDeliveries = (mails: readonly MailboxMail[]) => Promise<void>

/**
 * @param deps the signing key, the network, the clock, ids
 * @param store where the mailbox notes what was reported
 * @param pause waits
 * @returns null where there is no key to sign reports with
 */
export function createDeliveryReports(
  deps: Pick<Deps, 'config' | 'fetch' | 'now' | 'newId' | 'log'>,
  store: Pick<MailboxStore, 'noteReports'>,
  pause: Pause,
): ReportDeliveries | null {
  const key = deps.config.DEV_WEBHOOK_SIGNING_KEY
  if (key === undefined) return null
  const post = createEventWebhook(deps, key, pause)

  async function report(mails: readonly MailboxMail[]): Promise<void> {
    const reports = new Map<string, MailReport[]>()
    for (const [step, pauseMs] of PAUSES_MS.entries()) {
      const due = mails.flatMap((mail) => {
        const kind = courseOf(mail.to.email)[step]
        return kind === undefined ? [] : [{ mail, kind }]
      })
      if (due.length === 0) return
      await pause(pauseMs)
      const at = deps.now()
      // One webhook a step, as SendGrid gathers its events.
      const status = await post(
        due.map(({ mail, kind }) => deliveryEvent(kind, mail, deps.newId(), at)),
      )
      for (const { mail, kind } of due) {
        reports.set(mail.id, [...(reports.get(mail.id) ?? []), { event: kind, at, status }])
      }
      const ids = new Set(due.map(({ mail }) => mail.id))
      await store.noteReports(new Map([...reports].filter(([id]) => ids.has(id))))
    }
  }

  return async (mails) => {
    try {
      await report(mails)
    } catch (error) {
      deps.log('error', { reason: reasonOf(error), path: '/dev/v3/mail/send' })
    }
  }
}
