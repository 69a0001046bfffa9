// Several calls, a few at once, with one outcome each, in the order of the calls.

import type { SendOutcome } from './provider.ts'

/** A Worker may wait for six answers at once; the others are for D1. */
const AT_ONCE = 4
/** No call begins later than after so many of the slowest answers: the caller has the mails on a lease. */
const SLOWEST_ANSWERS = 10

const TOO_LATE: SendOutcome = {
  kind: 'retry',
  reason: 'the calls before took too long',
  afterSeconds: null,
  isProviderDown: false,
  mayBeAccepted: false,
}

/**
 * Makes calls until all are made or one shows that the others are in vain, because the provider is down or does
 * not take the account: then that is the outcome of those that were not made.
 * @param calls what to send
 * @param send makes one call and never rejects; `apart` where a call was refused for one of its mails
 * @param options the clock, and how long an answer may take, in milliseconds
 */
export async function sendEach<Call, Result extends SendOutcome | 'apart'>(
  calls: readonly Call[],
  send: (call: Call) => Promise<Result>,
  options: { readonly now: () => number; readonly timeoutMs: number },
): Promise<(Result | SendOutcome)[]> {
  const outcomes: (Result | SendOutcome)[] = []
  const lastStart = options.now() + SLOWEST_ANSWERS * options.timeoutMs
  const waiting = calls.entries()
  let verdict: SendOutcome | null = null

  async function work(): Promise<void> {
    for (const [place, call] of waiting) {
      if (verdict !== null) outcomes[place] = verdict
      else if (options.now() > lastStart) outcomes[place] = TOO_LATE
      else {
        const outcome = await send(call)
        outcomes[place] = outcome
        verdict ??= verdictOnOthers(outcome)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return outcomes
}

function verdictOnOthers(outcome: SendOutcome | 'apart'): SendOutcome | null {
  if (outcome === 'apart') return null
  if (outcome.kind === 'retry' && outcome.isProviderDown)
    return { ...outcome, mayBeAccepted: false }
  return outcome.kind === 'refused' && outcome.isAccountRefused ? outcome : null
}
