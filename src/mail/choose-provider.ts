// Which provider to call: the first that is not known to be down. What is known lies in `provider_outages`, so
// that all consumers wait together and one call, not each of them, finds out whether a provider is back.

import { type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import { providerOutages } from '../schema.ts'
import { MAX_DELAY_SECONDS } from './backoff.ts'
import type { MailProvider } from './providers/provider.ts'

/** What is known against a provider. */
export type ProviderOutage = typeof providerOutages.$inferSelect

/** `probe`: its pause is over and nobody knows yet whether it is back, so one call goes first. */
export type Standing = 'up' | 'probe' | 'down'

/** The first pause after a failing call; each further one doubles it. */
const FIRST_PAUSE_MS = 30_000
const LONGEST_PAUSE_MS = 10 * 60_000
/** For so long the others leave a provider to the consumer that finds out: longer than a call takes by default. */
const PROBE_MS = 30_000

/**
 * Whether a provider may be called.
 * @param outage what the lease read, or nothing
 * @param isOurProbe whether this consumer is the one to find out
 * @param now milliseconds since the epoch
 */
export function standingOf(
  outage: ProviderOutage | undefined,
  isOurProbe: boolean,
  now: number,
): Standing {
  if (outage === undefined) return 'up'
  return isOurProbe || outage.downUntil <= now ? 'probe' : 'down'
}

/**
 * What is known of a provider after a call to it failed: it is left alone for as long as it asked, else for an
 * exponential pause from 30 seconds to 10 minutes. What it asks for counts up to 12 hours: a reset time that is
 * nonsense must not take it out for ever.
 * @param provider its name
 * @param before what was known
 * @param failure what the call said; `afterSeconds` null where it asked for nothing
 * @param now milliseconds since the epoch
 */
export function outageAfter(
  provider: string,
  before: ProviderOutage | undefined,
  failure: { readonly reason: string; readonly afterSeconds: number | null },
  now: number,
): ProviderOutage {
  const failures = (before?.failures ?? 0) + 1
  const pause =
    failure.afterSeconds === null
      ? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
      : Math.min(MAX_DELAY_SECONDS, Math.max(1, failure.afterSeconds)) * 1000
  return {
    provider,
    failures,
    since: before?.since ?? now,
    downUntil: now + pause,
    reason: failure.reason,
  }
}

/**
 * Statements of the lease: who finds out whether the first provider that may be called is back, and what is known
 * of all. The pause that is over begins anew for everybody else.
 * @param deps D1 and the clock
 * @param providers in the order they are asked
 * @param hasClaimed whether this lease has anything to send: else nobody would be called
 */
export function outageStatements(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  providers: readonly MailProvider[],
  hasClaimed: SQL,
) {
  const at = now()
  const names = sql`json_each(${JSON.stringify(providers.map(({ name }) => name))})`
  return [
    db
      .update(providerOutages)
      .set({ downUntil: at + PROBE_MS })
      .where(
        sql`down_until <= ${at} and provider = (select p.value from ${names} p
          left join provider_outages o on o.provider = p.value
          where coalesce(o.down_until, 0) <= ${at} order by p.key limit 1)
          and ${hasClaimed}`,
      )
      .returning({ provider: providerOutages.provider }),
    db
      .select()
      .from(providerOutages)
      .where(sql`${providerOutages.provider} in (select value from ${names})`),
  ] as const
}
