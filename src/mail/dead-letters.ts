// The dead-letter queue's consumer. What arrives here was never acknowledged in all its retries, and would
// vanish after four days if nobody read it; here it becomes a failure that somebody can see.

import { sql } from 'drizzle-orm'
import { reasonOf } from '../bounded.ts'
import type { Deps } from '../deps.ts'
import { messages } from '../schema.ts'
import { recordMailEvents } from '../timeline/record.ts'
import { retryDelaySeconds } from './backoff.ts'
import { queuedMail } from './queued-mail.ts'

const ERROR = 'dead letter: the Queue gave up delivering it to the consumer'

/**
 * Records dead letters as failed, unless they were settled after all. Never throws.
 * @param deps capabilities
 * @param batch as the Queue delivers it
 */
export async function consumeDeadLetters(deps: Deps, batch: MessageBatch): Promise<void> {
  const ids = batch.messages.flatMap((message) => {
    const body = queuedMail.safeParse(message.body)
    return body.success ? [body.data.id] : []
  })
  const now = deps.now()
  // Not what another consumer is sending right now.
  const isDead = sql`messages.id in (select value from json_each(${JSON.stringify(ids)}))
    and (state = 'queued' or (state = 'sending' and lease_until <= ${now}))`
  try {
    const [, failed] = await deps.batch([
      recordMailEvents(deps.db, { which: isDead, type: 'mail_failed', at: now, detail: ERROR }),
      deps.db
        .update(messages)
        .set({ state: 'failed', error: ERROR, settledAt: now, leaseUntil: null, notBefore: null })
        .where(isDead)
        .returning({ id: messages.id }),
    ])
    for (const { id } of failed) deps.log('dead_letter', { messageId: id })
    batch.ackAll()
  } catch (error) {
    deps.log('consumer_failed', { reason: reasonOf(error), count: ids.length })
    for (const message of batch.messages) {
      message.retry({ delaySeconds: retryDelaySeconds(message.attempts, deps.random()) })
    }
  }
}
