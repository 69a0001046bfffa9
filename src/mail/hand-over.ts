// Hands composed mails to providers: many in one call, to the first provider that is not down, and on to the next
// where a call says that a provider is in trouble. Says nothing of D1: what came of each mail is the result.

import { reasonOf } from '../bounded.ts'
import type { Deps } from '../deps.ts'
import { stillStays } from './call-keys.ts'
import { outageAfter, type ProviderOutage, type Standing, standingOf } from './choose-provider.ts'
import { lastCallAt } from './lease.ts'
import type { Lease, LeasedMessage } from './lease-messages.ts'
import type { MailProvider, OutgoingMail, SendOutcome } from './providers/provider.ts'

/** A mail on its way, and all that was said of it so far. */
export interface Letter {
  readonly message: LeasedMessage
  readonly mail: OutgoingMail
  /** Every answer, in order. */
  readonly answers: Answer[]
  /** The key of a call that it may have been accepted with, at a provider that knows keys. */
  uncertainKey: string | null
  /** The provider that it is left to, because a call of its may have been accepted there. */
  stays: MailProvider | null
}

export interface Answer {
  readonly provider: MailProvider
  readonly outcome: SendOutcome
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface HandOver {
  readonly letters: readonly Letter[]
  /** Until when each provider that is down is left alone, in milliseconds since the epoch. */
  readonly downUntil: ReadonlyMap<MailProvider, number>
  /** Why it is. */
  readonly downBecause: ReadonlyMap<MailProvider, string>
  /** Providers that refused the account in this run. */
  readonly refusers: ReadonlySet<MailProvider>
  /** What was learnt, for the record. */
  readonly down: readonly ProviderOutage[]
  readonly recovered: readonly string[]
  readonly calls: readonly { readonly id: string; readonly messageIds: readonly string[] }[]
}

/** What is prepared to go together. */
interface Call {
  readonly key: string
  readonly letters: readonly Letter[]
}

/**
 * From this attempt on a mail is suspected of what its calls fail of, and goes by itself: a provider that breaks over
 * one mail must not keep those from going that went with it. What has failed most goes last.
 */
const SUSPECT_FROM_ATTEMPT = 3
/** So many suspects that fail in one run say more of the provider than of themselves. */
const MAX_FAILED_SUSPECTS = 3

type HandOverDeps = Pick<Deps, 'config' | 'log' | 'newId' | 'now'>

/**
 * Sends what can be sent. Never rejects.
 * @param deps the clock, ids, the log and the configuration
 * @param providers in the order they are asked
 * @param lease what is known of providers, and the time there is
 * @param composed the mails
 * @param sizes how many mails of each key still want to be sent, composed or not
 */
export async function handOver(
  deps: HandOverDeps,
  providers: readonly MailProvider[],
  lease: Lease,
  composed: readonly { readonly message: LeasedMessage; readonly mail: OutgoingMail }[],
  sizes: ReadonlyMap<string | null, number>,
): Promise<HandOver> {
  const now = deps.now()
  const keyed = providers.filter(({ knowsRepeatedCalls }) => knowsRepeatedCalls)
  const letters = composed
    .map(({ message, mail }): Letter => {
      const uncertainKey = message.isRepeat ? message.batchId : null
      const knows = keyed.find(({ name }) => name === message.provider) ?? keyed[0] ?? null
      const stays = uncertainKey !== null && stillStays(uncertainKey, now) ? knows : null
      return { message, mail, answers: [], uncertainKey, stays }
    })
    // A repeated call says the same in the same order.
    .sort((a, b) => (a.message.id < b.message.id ? -1 : 1))

  const known = new Map(lease.outages.map((outage) => [outage.provider, outage]))
  const downUntil = new Map<MailProvider, number>()
  const downBecause = new Map<MailProvider, string>()
  const refusers = new Set<MailProvider>()
  const down: ProviderOutage[] = []
  const recovered: string[] = []
  const calls: { id: string; messageIds: string[] }[] = []
  const deadline = lastCallAt(deps.config, lease.at)
  const failedSuspects = new Map<MailProvider, number>()

  async function make(provider: MailProvider, { key, letters }: Call): Promise<void> {
    const outcomes = await answersOf(provider, key, letters)
    letters.forEach((letter, i) => {
      note(provider, key, letter, outcomes[i] ?? NOTHING_SAID)
    })
    if (outcomes.some(({ kind }) => kind === 'accepted')) forget(letters)
    if (isUncertainElsewhere(provider, key, letters)) {
      calls.push({ id: key, messageIds: letters.map(({ message }) => message.id) })
    }
    const trouble = outcomes.find(isProviderInTrouble)
    if (trouble === undefined) {
      if (known.has(provider.name) && !recovered.includes(provider.name)) {
        recovered.push(provider.name)
      }
      return
    }
    const isByItself = !provider.knowsRepeatedCalls && letters.every(isSuspect)
    if (isByItself && trouble.kind === 'retry' && trouble.mayBeAccepted) {
      const failed = (failedSuspects.get(provider) ?? 0) + 1
      failedSuspects.set(provider, failed)
      if (failed < MAX_FAILED_SUSPECTS) return
    }
    if (trouble.kind === 'refused') {
      refusers.add(provider)
      // Nobody else would take over: each mail fails at once, where it is seen.
      if (providers.length === 1) return
    }
    takeOut(provider, {
      reason: trouble.reason,
      afterSeconds: trouble.kind === 'retry' ? trouble.afterSeconds : null,
    })
  }

  function note(provider: MailProvider, key: string, letter: Letter, outcome: SendOutcome): void {
    const last = letter.answers.at(-1)?.at ?? 0
    letter.answers.push({ provider, outcome, at: Math.max(deps.now(), last + 1) })
    if (!provider.knowsRepeatedCalls) return
    const mayBeAccepted = outcome.kind === 'retry' && outcome.mayBeAccepted
    if (mayBeAccepted) letter.uncertainKey = key
    if (mayBeAccepted && stillStays(key, deps.now())) letter.stays = provider
  }

  /**
   * A call that was carried out has used its key up: who was left out of it would be taken for done under the same
   * key, and lost.
   */
  function forget(letters: readonly Letter[]): void {
    for (const letter of letters) {
      letter.uncertainKey = null
      letter.stays = null
    }
  }

  /** Of concurrent calls that fail together, the first to say so is the failure. */
  function takeOut(
    provider: MailProvider,
    failure: { readonly reason: string; readonly afterSeconds: number | null },
  ): void {
    if (downUntil.has(provider)) return
    const outage = outageAfter(provider.name, known.get(provider.name), failure, deps.now())
    downUntil.set(provider, outage.downUntil)
    downBecause.set(provider, outage.reason)
    down.push(outage)
  }

  /** Whether the key of an uncertain call is not the one that D1 knows these mails by. */
  function isUncertainElsewhere(provider: MailProvider, key: string, letters: readonly Letter[]) {
    return (
      provider.knowsRepeatedCalls &&
      letters.some(({ message, uncertainKey }) => uncertainKey === key && message.batchId !== key)
    )
  }

  function callsTo(provider: MailProvider): Call[] {
    const open = letters.filter(
      (letter) => isOpen(letter) && (letter.stays === null || letter.stays === provider),
    )
    if (!provider.knowsRepeatedCalls) {
      const suspects = open.filter(isSuspect).sort((a, b) => a.message.attempt - b.message.attempt)
      const others = open.filter((letter) => !isSuspect(letter))
      return [...chunks(others, provider.maxBatch), ...chunks(suspects, 1)].map((part) => ({
        key: deps.newId(),
        letters: part,
      }))
    }
    return [...Map.groupBy(open, ({ message }) => message.batchId)].flatMap(([key, part]) => {
      // The key of the whole stands for the whole alone. What is left after another provider took some gets a new
      // one, or the rest of them could later be taken for these.
      const isWhole = part.length === sizes.get(key) && part.length <= provider.maxBatch
      if (key !== null && isWhole) return [{ key, letters: part }]
      return chunks(part, provider.maxBatch).map((some) => ({ key: deps.newId(), letters: some }))
    })
  }

  async function ask(provider: MailProvider, standing: Exclude<Standing, 'down'>): Promise<void> {
    const waiting = callsTo(provider)
    async function makeNext(): Promise<boolean> {
      if (downUntil.has(provider) || deps.now() > deadline) return false
      const call = waiting.shift()
      if (call !== undefined) await make(provider, call)
      return call !== undefined
    }
    async function work(): Promise<void> {
      while (await makeNext());
    }
    // One call finds out; the others wait for what it says.
    if (standing === 'probe') await makeNext()
    await Promise.all(Array.from({ length: provider.maxConcurrentCalls }, work))
  }

  for (const provider of providers) {
    const outage = known.get(provider.name)
    const standing = standingOf(outage, lease.probing === provider.name, deps.now())
    if (standing === 'down' && outage !== undefined) {
      downUntil.set(provider, outage.downUntil)
      downBecause.set(provider, outage.reason)
    } else await ask(provider, standing === 'probe' ? 'probe' : 'up')
  }

  return {
    letters,
    downUntil,
    downBecause,
    refusers,
    down,
    recovered: recovered.filter((name) => !down.some(({ provider }) => provider === name)),
    calls,
  }
}

const NOTHING_SAID: SendOutcome = {
  kind: 'retry',
  reason: 'the provider said nothing',
  afterSeconds: null,
  isProviderDown: false,
  mayBeAccepted: true,
}

async function answersOf(
  provider: MailProvider,
  key: string,
  letters: readonly Letter[],
): Promise<readonly SendOutcome[]> {
  try {
    return await provider.send(
      letters.map(({ mail }) => mail),
      key,
    )
  } catch (error) {
    // Adapters do not reject; a bug in one must not take the batch with it.
    return letters.map(() => ({ ...NOTHING_SAID, reason: reasonOf(error) }))
  }
}

function isSuspect({ message }: Letter): boolean {
  return message.attempt >= SUSPECT_FROM_ATTEMPT
}

/** Whether another provider may still take it in this run. */
function isOpen({ answers }: Letter): boolean {
  const last = answers.at(-1)
  return last === undefined || isProviderInTrouble(last.outcome)
}

/**
 * Whether an answer is about the provider and not about the mail.
 * @param outcome of a call
 */
export function isProviderInTrouble(
  outcome: SendOutcome,
): outcome is Exclude<SendOutcome, { kind: 'accepted' }> {
  if (outcome.kind === 'retry') return outcome.isProviderDown
  return outcome.kind === 'refused' && outcome.isAccountRefused
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
    all.slice(i * size, (i + 1) * size),
  )
}
