// The consumer: a batch of ids becomes mails. Two round trips to D1 per batch, one to claim and one to record.
//
// At least once is what the Queue promises, so a row is claimed before it is sent: a second delivery of the
// same id finds it claimed or settled and does nothing. A consumer that dies after the provider accepted
// leaves a lease that runs out, and one more copy goes out: harmless for a verification mail, while a missing
// one is not.

import { reasonOf } from '../bounded.ts'
import type { Deps } from '../deps.ts'
import { secondsUntil } from '../limits/window.ts'
import { retryDelaySeconds } from './backoff.ts'
import { composeMail } from './compose.ts'
import { CONCURRENT_SENDS, leaseMs } from './lease.ts'
import { type LeasedMessage, type LeaseResult, leaseMessages } from './lease-messages.ts'
import type { MailProvider, SendOutcome } from './providers/provider.ts'
import { queuedMail } from './queued-mail.ts'
import { type RecordedOutcome, recordOutcomes } from './record-outcomes.ts'

/** A record that fails is tried again at once: losing it would send every mail of the batch twice. */
const RECORD_TRIES = 3

/**
 * Sends a batch. Never throws: each message is acknowledged or sent back on its own.
 * @param deps capabilities
 * @param provider the mail API
 * @param batch as the Queue delivers it
 */
export async function consumeMail(
  deps: Deps,
  provider: MailProvider,
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

  let claim: LeaseResult
  try {
    claim = await leaseMessages(deps, [...byId.keys()])
  } catch (error) {
    deps.log('consumer_failed', { reason: reasonOf(error), count: byId.size })
    for (const message of [...byId.values()].flat()) {
      message.retry({ delaySeconds: retryDelaySeconds(message.attempts, deps.random()) })
    }
    return
  }

  const outcomes = await sendAll(deps, provider, claim.claimed)
  const isRecorded = outcomes.length === 0 || (await record(deps, outcomes))

  const retryAt = new Map(claim.notDue)
  for (const outcome of outcomes) {
    if (!isRecorded) retryAt.set(outcome.id, deps.now() + leaseMs(deps.config))
    else if (outcome.notBefore !== null) retryAt.set(outcome.id, outcome.notBefore)
  }
  for (const [id, copies] of byId) {
    const at = retryAt.get(id)
    for (const message of copies) {
      // What is neither due nor ours is settled, or another consumer's under a lease that the sweeper watches.
      if (at === undefined) message.ack()
      else message.retry({ delaySeconds: secondsUntil(at, deps.now()) })
    }
  }
}

async function record(deps: Deps, outcomes: readonly RecordedOutcome[]): Promise<boolean> {
  for (let attempt = 1; attempt <= RECORD_TRIES; attempt++) {
    try {
      await recordOutcomes(deps, outcomes)
      return true
    } catch (error) {
      deps.log('consumer_failed', { reason: reasonOf(error), attempt, count: outcomes.length })
    }
  }
  return false
}

async function sendAll(
  deps: Deps,
  provider: MailProvider,
  claimed: readonly LeasedMessage[],
): Promise<RecordedOutcome[]> {
  const outcomes: RecordedOutcome[] = []
  const waiting = [...claimed]
  // Once the provider pushes back, the rest of the batch waits as long as it asked.
  let pushback: Extract<SendOutcome, { kind: 'retry' }> | null = null

  async function work(): Promise<void> {
    for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
      if (pushback !== null) {
        outcomes.push(putBack(deps, message, message.attempt - 1, pushback))
        continue
      }
      const outcome = await sendOne(deps, provider, message)
      if ('isProviderDown' in outcome) {
        if (outcome.isProviderDown && !outcome.mayBeAccepted) pushback = outcome
        outcomes.push(afterFailure(deps, provider, message, outcome))
      } else outcomes.push(outcome)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_SENDS }, work))
  return outcomes
}

async function sendOne(
  deps: Deps,
  provider: MailProvider,
  message: LeasedMessage,
): Promise<RecordedOutcome | Extract<SendOutcome, { kind: 'retry' }>> {
  const about = { userId: message.user?.id ?? null, messageId: message.id, email: message.toEmail }
  let sent: SendOutcome
  try {
    const composition = await composeMail(deps, message)
    if (composition.kind === 'suppressed') {
      deps.log('mail_suppressed', about)
      return settled(deps, message, 'suppressed', 'mail_suppressed', null)
    }
    if (composition.kind === 'expired') {
      deps.log('mail_expired', { ...about, reason: composition.reason })
      return settled(deps, message, 'expired', 'mail_expired', composition.reason)
    }
    const [outcome] = await provider.send([composition.mail], message.id)
    if (outcome === undefined) throw new Error('the provider said nothing')
    sent = outcome
  } catch (error) {
    // A bug in composing one mail must not take the batch with it.
    sent = {
      kind: 'retry',
      reason: reasonOf(error),
      afterSeconds: null,
      isProviderDown: false,
      mayBeAccepted: false,
    }
  }

  if (sent.kind === 'retry') return sent
  if (sent.kind === 'refused') {
    deps.log('provider_refused', { ...about, provider: provider.name, reason: sent.reason })
    return {
      ...settled(deps, message, 'failed', 'mail_failed', sent.reason),
      provider: provider.name,
    }
  }
  if (message.kind === 'verify_email') deps.log('verification_sent', about)
  deps.log('provider_accepted', {
    ...about,
    provider: provider.name,
    providerMessageId: sent.providerMessageId,
  })
  return {
    ...settled(deps, message, 'sent', 'mail_accepted', null),
    settledAt: null, // "sent" is not "arrived"
    sentAt: deps.now(),
    provider: provider.name,
    providerMessageId: sent.providerMessageId,
  }
}

function afterFailure(
  deps: Deps,
  provider: MailProvider,
  message: LeasedMessage,
  failure: Extract<SendOutcome, { kind: 'retry' }>,
): RecordedOutcome {
  const about = {
    userId: message.user?.id ?? null,
    messageId: message.id,
    email: message.toEmail,
    provider: provider.name,
    reason: failure.reason,
    attempt: message.attempt,
  }
  if (message.attempt >= deps.config.MAIL_MAX_ATTEMPTS) {
    deps.log('mail_failed', about)
    const reason = `gave up after ${message.attempt} attempts: ${failure.reason}`
    return {
      ...settled(deps, message, 'failed', 'mail_failed', reason),
      provider: provider.name,
    }
  }
  const outcome = putBack(deps, message, message.attempt, failure)
  deps.log('provider_deferred', {
    ...about,
    delaySeconds: secondsUntil(outcome.notBefore ?? deps.now(), deps.now()),
  })
  return { ...outcome, provider: provider.name }
}

function putBack(
  deps: Deps,
  message: LeasedMessage,
  attempts: number,
  failure: Extract<SendOutcome, { kind: 'retry' }>,
): RecordedOutcome {
  const delay = retryDelaySeconds(message.attempt, deps.random(), failure.afterSeconds)
  return {
    ...settled(deps, message, 'queued', 'mail_deferred', failure.reason),
    attempts,
    settledAt: null,
    notBefore: deps.now() + delay * 1000,
  }
}

function settled(
  deps: Deps,
  message: LeasedMessage,
  state: RecordedOutcome['state'],
  event: RecordedOutcome['event'],
  error: string | null,
): RecordedOutcome {
  return {
    id: message.id,
    leasedAttempt: message.attempt,
    attempts: message.attempt,
    state,
    event,
    error,
    notBefore: null,
    provider: null,
    providerMessageId: null,
    sentAt: null,
    settledAt: deps.now(),
  }
}
