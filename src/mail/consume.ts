// The consumer: a batch of ids becomes mails. Two round trips to D1 per batch, one to claim and one to record.
//
// At least once is what the Queue promises, so a row is claimed before it is sent: a second delivery of the
// same id finds it claimed or settled and does nothing. A consumer that dies after the provider accepted
// leaves a lease that runs out; the call is repeated then, under its key where the provider knows keys. Where it
// does not, one more copy goes out: harmless for a verification mail, while a missing one is not.

import { reasonOf } from '../bounded.ts'
import type { Deps } from '../deps.ts'
import { secondsUntil } from '../limits/window.ts'
import { MAX_DELAY_SECONDS, retryDelaySeconds } from './backoff.ts'
import { type Composition, composeMail } from './compose.ts'
import { handOver } from './hand-over.ts'
import { type Lease, type LeasedMessage, leaseMessages } from './lease-messages.ts'
import { aboutOf, judge, putBackUntried, settled } from './outcome-of-letter.ts'
import type { MailProvider, OutgoingMail } from './providers/provider.ts'
import { queuedMail } from './queued-mail.ts'
import { type RecordedOutcome, type RunRecord, recordOutcomes } from './record-outcomes.ts'

/** A record that fails is tried again at once: losing it would send every mail of the batch twice. */
const RECORD_TRIES = 3

/**
 * Sends a batch. Never throws: each message is acknowledged or sent back on its own.
 * @param deps capabilities
 * @param providers the mail APIs, in the order they are asked
 * @param batch as the Queue delivers it
 */
export async function consumeMail(
  deps: Deps,
  providers: readonly MailProvider[],
  batch: MessageBatch,
): Promise<void> {
  const byId = new Map<string, Message[]>()
  for (const message of batch.messages) {
    const body = queuedMail.safeParse(message.body)
    if (body.success) byId.set(body.data.id, [...(byId.get(body.data.id) ?? []), message])
    else {
      deps.log('consumer_failed', { reason: 'a message without an id' })
      message.ack()
    }
  }

  let lease: Lease
  try {
    lease = await leaseMessages(deps, providers, [...byId.keys()])
  } catch (error) {
    deps.log('consumer_failed', { reason: reasonOf(error), count: byId.size })
    for (const message of [...byId.values()].flat()) {
      bringBack(message, retryDelaySeconds(message.attempts, deps.random()))
    }
    return
  }
  if (lease.held > 0) deps.log('daily_cap_reached', { count: lease.held })

  const run = await sendAll(deps, providers, lease)
  const isRecorded = run.outcomes.length === 0 || (await record(deps, lease, run))

  const retryAt = new Map(lease.notDue)
  for (const outcome of run.outcomes) {
    if (!isRecorded) retryAt.set(outcome.id, lease.until)
    else if (outcome.notBefore !== null) retryAt.set(outcome.id, outcome.notBefore)
  }
  for (const [id, copies] of byId) {
    const at = retryAt.get(id)
    for (const message of copies) {
      // What is neither due nor ours is settled, or another consumer's under a lease that the sweeper watches.
      if (at === undefined) message.ack()
      else bringBack(message, secondsUntil(at, deps.now()))
    }
  }
}

/**
 * The Queue counts every delivery, also those that cost the mail no attempt, and after the last of `max_retries`
 * (wrangler.toml) it calls the message dead. The row in D1 is what counts: a message that has come often is let go,
 * and the sweeper enqueues a fresh one.
 */
const LET_GO_AFTER = 40

function bringBack(message: Message, delaySeconds: number): void {
  if (message.attempts >= LET_GO_AFTER) message.ack()
  else message.retry({ delaySeconds: Math.min(MAX_DELAY_SECONDS, delaySeconds) })
}

async function record(deps: Deps, lease: Lease, run: RunRecord): Promise<boolean> {
  for (let attempt = 1; attempt <= RECORD_TRIES; attempt++) {
    try {
      await recordOutcomes(deps, lease, run)
      return true
    } catch (error) {
      deps.log('consumer_failed', { reason: reasonOf(error), attempt, count: run.outcomes.length })
    }
  }
  return false
}

async function sendAll(
  deps: Deps,
  providers: readonly MailProvider[],
  lease: Lease,
): Promise<RunRecord> {
  const composed: { message: LeasedMessage; mail: OutgoingMail }[] = []
  const outcomes: RecordedOutcome[] = []
  const sizes = new Map<string | null, number>()
  for (const [message, composition] of await composeAll(deps, lease.claimed)) {
    const about = aboutOf(message)
    if (composition.kind === 'suppressed') {
      deps.log('mail_suppressed', about)
      outcomes.push(settled(deps, message, 'suppressed', 'mail_suppressed', null))
    } else if (composition.kind === 'expired') {
      deps.log('mail_expired', { ...about, reason: composition.reason })
      outcomes.push(settled(deps, message, 'expired', 'mail_expired', composition.reason))
    } else {
      sizes.set(message.batchId, (sizes.get(message.batchId) ?? 0) + 1)
      if (composition.kind === 'send') composed.push({ message, mail: composition.mail })
      else outcomes.push(putBackUntried(deps, message, composition.reason))
    }
  }
  if (composed.length === 0) return { outcomes, down: [], recovered: [], calls: [] }

  const result = await handOver(deps, providers, lease, composed, sizes)
  outcomes.push(...judge(deps, providers, result))
  for (const outage of result.down) {
    deps.log('provider_down', {
      provider: outage.provider,
      reason: outage.reason,
      delaySeconds: secondsUntil(outage.downUntil, deps.now()),
    })
  }
  for (const provider of result.recovered) deps.log('provider_recovered', { provider })
  return { ...result, outcomes }
}

type Composed = Composition | { readonly kind: 'failed'; readonly reason: string }

/** All of them before the first is sent. A bug in composing one mail must not take the batch with it. */
function composeAll(
  deps: Deps,
  claimed: readonly LeasedMessage[],
): Promise<(readonly [LeasedMessage, Composed])[]> {
  return Promise.all(
    claimed.map(async (message) => {
      try {
        return [message, await composeMail(deps, message)] as const
      } catch (error) {
        return [message, { kind: 'failed', reason: reasonOf(error) }] as const
      }
    }),
  )
}
