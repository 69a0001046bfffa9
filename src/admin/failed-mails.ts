// Mails that ended as failures: to look through, and to send once more.

import { getTableColumns, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { messages } from '../schema.ts'
import { wasAccepted } from '../timeline/derived-events.ts'
import { userOf } from '../timeline/mails-of-user.ts'
import { recordMailEvents } from '../timeline/record.ts'
import type { MailRow } from './read-user.ts'
import type { Action, SupportEvent } from './record-support.ts'
import { logSupport } from './record-support.ts'
import { MAX_RETRIES } from './request-bodies.ts'

export interface FailedMails {
  /** Newest first. */
  readonly mails: readonly MailRow[]
  /** Where the next page begins, for `before`; null where this is the last. */
  readonly next: string | null
}

/**
 * One page of failed mails, in one round trip.
 * @param deps D1
 * @param before from the page before, or anything else for the first page
 * @throws Outage
 */
export async function readFailedMails(
  deps: Pick<Deps, 'db' | 'batch'>,
  before: string | undefined,
): Promise<FailedMails> {
  const [, at, id] = /^(\d{1,15})_([0-9a-f-]{36})$/.exec(before ?? '') ?? []
  const older = at === undefined ? sql`true` : sql`(created_at, id) < (${Number(at)}, ${id})`
  const [rows] = await deps.batch([
    deps.db
      .select({ ...getTableColumns(messages), userId: userOf(sql`messages`).as('user_id') })
      .from(messages)
      // The partial index is found by its own condition only, spelled out.
      .where(sql`state = 'failed' and ${older}`)
      .orderBy(sql`created_at desc, id desc`)
      .limit(MAX_RETRIES + 1),
  ])
  const mails = rows.slice(0, MAX_RETRIES)
  const last = mails.at(-1)
  const next =
    rows.length > MAX_RETRIES && last !== undefined ? `${last.createdAt}_${last.id}` : null
  return { mails, next }
}

export interface RetryResult {
  /** To enqueue. */
  readonly retried: readonly string[]
  /** Ids of mails that there are, but that have not failed. */
  readonly notFailed: readonly string[]
}

const RETRIED: SupportEvent = 'support_retried_mail'

/**
 * Puts failed mails back into the queue, as if never tried: one round trip. The link in each is made when it is
 * sent, so it is as good as new. What is not failed (any more) is left alone, so of two that retry at once one
 * does.
 * @param deps capabilities
 * @param ids of mails, at most a page
 * @param action who, and why
 * @throws Outage
 */
export async function retryFailedMails(
  deps: Deps,
  ids: readonly string[],
  action: Action,
): Promise<RetryResult> {
  const now = deps.now()
  const wanted = sql`(select value from json_each(${JSON.stringify(ids)}))`
  const hasFailed = sql`messages.id in ${wanted} and messages.state = 'failed'`
  const [, , retried, known] = await deps.batch([
    // First, while the rows still show which of them failed.
    recordMailEvents(deps.db, {
      which: hasFailed,
      type: RETRIED,
      at: now,
      actor: action.actor,
      detail: action.reason,
    }),
    // What the ledger says of an earlier acceptance is overwritten.
    recordMailEvents(deps.db, {
      which: sql`${hasFailed} and ${wasAccepted(sql`messages`)}`,
      type: 'mail_accepted',
      at: sql`messages.sent_at`,
      detail: sql`messages.provider_message_id`,
      namesProvider: true,
    }),
    deps.db
      .update(messages)
      .set({
        state: 'queued',
        attempts: 0,
        // It has been waiting since now: by its age alone it would look like a Queue that stands still.
        notBefore: now,
        leaseUntil: null,
        settledAt: null,
        // The cron has passed its key: unless it is watched from now on, nobody finds it if the Queue loses it.
        watchedAt: now,
        sentAt: null,
        stalledAt: null,
        deliveryRank: 0,
        batchId: null,
        provider: null,
        providerMessageId: null,
        error: null,
      })
      .where(hasFailed)
      .returning({ id: messages.id, userId: userOf(sql`messages`).as('user_id') }),
    deps.db.select({ id: messages.id }).from(messages).where(sql`id in ${wanted}`),
  ])
  for (const { id, userId } of retried) {
    logSupport(deps, RETRIED, action, { userId, messageId: id })
  }
  const done = new Set(retried.map(({ id }) => id))
  return {
    retried: [...done],
    notFailed: known.map(({ id }) => id).filter((id) => !done.has(id)),
  }
}
