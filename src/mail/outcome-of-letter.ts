// What becomes of each mail after providers were asked: sent, failed, or back into the Queue, and when.

import type { Deps } from '../deps.ts'
import { secondsUntil } from '../limits/window.ts'
import { retryDelaySeconds } from './backoff.ts'
import { staysUntil } from './call-keys.ts'
import { type Answer, type HandOver, isProviderInTrouble, type Letter } from './hand-over.ts'
import type { LeasedMessage } from './lease-messages.ts'
import type { MailProvider, SendOutcome } from './providers/provider.ts'
import type { OutcomeEvent, RecordedOutcome } from './record-outcomes.ts'

type JudgeDeps = Pick<Deps, 'config' | 'log' | 'now' | 'random'>

/**
 * Judges a run, and logs what is said of each mail.
 * @param deps the clock, chance, the log and the configuration
 * @param providers in the order they are asked
 * @param run what came of it
 */
export function judge(
  deps: JudgeDeps,
  providers: readonly MailProvider[],
  run: HandOver,
): RecordedOutcome[] {
  // Mails of one call come back at one instant, or they could not go together again.
  const attempts = new Map<string, number>()
  for (const { uncertainKey, message } of run.letters) {
    if (uncertainKey === null) continue
    attempts.set(uncertainKey, Math.max(message.attempt, attempts.get(uncertainKey) ?? 0))
  }
  return run.letters.map((letter) => {
    const last = letter.answers.at(-1)
    const attempt = attempts.get(letter.uncertainKey ?? '') ?? letter.message.attempt
    if (last === undefined) return untried(deps, providers, run, letter)
    const { outcome } = last
    if (outcome.kind === 'accepted') return accepted(deps, letter, last, outcome)
    const isRefused =
      outcome.kind === 'refused' &&
      (!outcome.isAccountRefused || run.refusers.size === providers.length)
    return isRefused
      ? refused(deps, letter, last, outcome.reason)
      : deferred(deps, providers, run, letter, last, outcome, attempt)
  })
}

function accepted(
  deps: JudgeDeps,
  letter: Letter,
  last: Answer,
  { providerMessageId }: Extract<SendOutcome, { kind: 'accepted' }>,
): RecordedOutcome {
  const { message } = letter
  const about = aboutOf(message)
  const { name } = last.provider
  if (message.kind === 'verify_email') deps.log('verification_sent', about)
  deps.log('provider_accepted', { ...about, provider: name, providerMessageId })
  return {
    ...settled(deps, message, 'sent', 'mail_accepted', null),
    // "Sent" is not "arrived": where somebody will report, more is to come.
    settledAt: deps.config.reportingProviders.includes(name) ? null : deps.now(),
    sentAt: last.at,
    provider: name,
    providerMessageId,
    freesPlace: false,
    events: [
      ...deferrals(letter.answers.slice(0, -1)),
      { type: 'mail_accepted', at: last.at, provider: name, detail: providerMessageId },
    ],
  }
}

function refused(deps: JudgeDeps, letter: Letter, last: Answer, reason: string): RecordedOutcome {
  const { message } = letter
  const { name } = last.provider
  deps.log('provider_refused', { ...aboutOf(message), provider: name, reason })
  return { ...failed(deps, letter, last, reason), provider: name }
}

function failed(deps: JudgeDeps, letter: Letter, last: Answer, error: string): RecordedOutcome {
  return {
    ...settled(deps, letter.message, 'failed', 'mail_failed', error),
    provider: last.provider.name,
    freesPlace: !mayBeAccepted(letter),
    events: [
      ...deferrals(letter.answers.slice(0, -1)),
      { type: 'mail_failed', at: last.at, provider: last.provider.name, detail: error },
    ],
  }
}

function deferred(
  deps: JudgeDeps,
  providers: readonly MailProvider[],
  run: HandOver,
  letter: Letter,
  last: Answer,
  outcome: Exclude<SendOutcome, { kind: 'accepted' }>,
  attempt: number,
): RecordedOutcome {
  const { message } = letter
  const { reason } = outcome
  const about = { ...aboutOf(message), provider: last.provider.name, reason }
  if (message.attempt >= deps.config.MAIL_MAX_ATTEMPTS) {
    deps.log('mail_failed', { ...about, attempt: message.attempt })
    return failed(deps, letter, last, `gave up after ${message.attempt} attempts: ${reason}`)
  }

  const now = deps.now()
  const asked = outcome.kind === 'retry' ? outcome.afterSeconds : null
  let notBefore = now + retryDelaySeconds(attempt, deps.random(), asked) * 1000
  if (isProviderInTrouble(outcome)) {
    // Another provider may be back sooner than this one asked to wait; before that nobody would be called.
    const own = now + retryDelaySeconds(attempt, deps.random()) * 1000
    notBefore = Math.max(own, firstBack(providers, run, letter, now))
  }
  deps.log('provider_deferred', {
    ...about,
    attempt: message.attempt,
    delaySeconds: secondsUntil(notBefore, now),
  })
  return {
    ...putBack(message, reason, notBefore),
    attempts: message.attempt,
    // Where a repeated call is left to one provider, that is who must be asked again.
    provider: letter.stays?.name ?? last.provider.name,
    batchId: letter.uncertainKey,
    freesPlace: !mayBeAccepted(letter),
    events: deferrals(letter.answers),
  }
}

/** Nobody was asked: every provider is down, or the time was up. No attempt is lost. */
function untried(
  deps: JudgeDeps,
  providers: readonly MailProvider[],
  run: HandOver,
  letter: Letter,
): RecordedOutcome {
  const { message } = letter
  const now = deps.now()
  const mayTake = letter.stays === null ? providers : [letter.stays]
  const isDown = mayTake.every((provider) => run.downUntil.has(provider))
  const reason = isDown
    ? mayTake.map((provider) => `${provider.name}: ${run.downBecause.get(provider)}`).join('; ')
    : 'the time was up'
  const notBefore = isDown
    ? firstBack(providers, run, letter, now)
    : now + retryDelaySeconds(1, deps.random()) * 1000
  const at = [{ type: 'mail_deferred', at: now, provider: null, detail: reason } as const]
  return {
    ...putBack(message, reason, notBefore),
    provider: letter.stays?.name ?? message.provider,
    batchId: letter.uncertainKey,
    // Its place was taken by the call that may have been carried out.
    freesPlace: letter.uncertainKey === null,
    // A long outage is told once, not every few minutes.
    events: message.error === reason ? [] : at,
  }
}

/**
 * When the first of those who may take a mail is asked again; no later than the mail stops being left to one of
 * them.
 */
function firstBack(
  providers: readonly MailProvider[],
  run: HandOver,
  { stays, uncertainKey }: Letter,
  now: number,
): number {
  const mayTake = stays === null ? providers : [stays]
  const back = Math.min(...mayTake.map((provider) => run.downUntil.get(provider) ?? now))
  if (stays === null || uncertainKey === null) return back
  return Math.max(now, Math.min(back, staysUntil(uncertainKey)))
}

/**
 * A mail that could not even be composed goes back and loses an attempt. It no longer belongs to the call that it
 * was part of: the others go without it.
 * @param deps the clock, chance and the configuration
 * @param message claimed
 * @param reason what went wrong, for the record
 */
export function putBackUntried(
  deps: JudgeDeps,
  message: LeasedMessage,
  reason: string,
): RecordedOutcome {
  const now = deps.now()
  if (message.attempt >= deps.config.MAIL_MAX_ATTEMPTS) {
    deps.log('mail_failed', { ...aboutOf(message), reason, attempt: message.attempt })
    const error = `gave up after ${message.attempt} attempts: ${reason}`
    return settled(deps, message, 'failed', 'mail_failed', error)
  }
  const delaySeconds = retryDelaySeconds(message.attempt, deps.random())
  deps.log('provider_deferred', {
    ...aboutOf(message),
    reason,
    attempt: message.attempt,
    delaySeconds,
  })
  return {
    ...putBack(message, reason, now + delaySeconds * 1000),
    attempts: message.attempt,
    events: [{ type: 'mail_deferred', at: now, provider: null, detail: reason }],
  }
}

/**
 * The outcome of a mail for which nothing more is to be done. It was handed to nobody and belongs to no call.
 * @param deps the clock
 * @param message claimed
 * @param state how it ends
 * @param type what the timeline says
 * @param error for the record, or null
 */
export function settled(
  deps: Pick<Deps, 'now'>,
  message: LeasedMessage,
  state: RecordedOutcome['state'],
  type: OutcomeEvent['type'],
  error: string | null,
): RecordedOutcome {
  return {
    id: message.id,
    leasedAttempt: message.attempt,
    attempts: message.attempt,
    state,
    error,
    notBefore: null,
    provider: null,
    providerMessageId: null,
    sentAt: null,
    settledAt: deps.now(),
    batchId: null,
    // A repeated call took its place the first time, and may have used it.
    freesPlace: !message.isRepeat,
    events: [{ type, at: deps.now(), provider: null, detail: error }],
  }
}

function putBack(message: LeasedMessage, error: string, notBefore: number): RecordedOutcome {
  return {
    id: message.id,
    leasedAttempt: message.attempt,
    attempts: message.attempt - 1,
    state: 'queued',
    error,
    notBefore,
    provider: null,
    providerMessageId: null,
    sentAt: null,
    settledAt: null,
    batchId: null,
    freesPlace: !message.isRepeat,
    events: [],
  }
}

function deferrals(answers: readonly Answer[]): OutcomeEvent[] {
  return answers.flatMap(({ provider, outcome, at }) =>
    outcome.kind === 'accepted'
      ? []
      : [{ type: 'mail_deferred' as const, at, provider: provider.name, detail: outcome.reason }],
  )
}

/** Whether any provider may have it, by this run or by an earlier call that is not settled. */
function mayBeAccepted({ answers, uncertainKey }: Letter): boolean {
  return (
    uncertainKey !== null ||
    answers.some(({ outcome }) => outcome.kind === 'retry' && outcome.mayBeAccepted)
  )
}

/**
 * What the log says of every mail.
 * @param message claimed
 */
export function aboutOf(message: LeasedMessage) {
  return { userId: message.user?.id ?? null, messageId: message.id, email: message.toEmail }
}
