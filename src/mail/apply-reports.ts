// What providers report becomes state, in one round trip. A mail's state follows the furthest report on it and
// never goes back, so reports may come late, twice and in any order, and end in the same place.

import { type SQL, sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import {
  events,
  type MessageState,
  messages,
  type SuppressionReason,
  suppressions,
} from '../schema.ts'
import { userOf } from '../timeline/mails-of-user.ts'
import type { EventType } from '../timeline/record.ts'
import {
  DELIVERY_RANKS,
  DELIVERY_STATES,
  type DeliveryKind,
  type DeliveryReport,
} from './delivery-states.ts'
import { withoutAddresses } from './providers/http-outcome.ts'
import type { ProviderName } from './providers/provider.ts'

/** The ranks from which on the address is not mailed again. */
const SUPPRESSING_RANK = DELIVERY_RANKS.hard_bounce

/** One batch: its parameters stay well within the 2 MB that D1 takes. */
const MAX_REPORTS = 1000

/** What the timeline says of each kind; that the provider has the mail is told by the ledger. */
const EVENT_TYPES: Readonly<Record<DeliveryKind, EventType | null>> = {
  accepted: null,
  deferred: 'mail_delivery_deferred',
  delivered: 'mail_delivered',
  soft_bounce: 'mail_bounced',
  hard_bounce: 'mail_bounced',
  complaint: 'mail_complained',
}

export interface AppliedReports {
  /** Ids, as the reports have them, that no mail of ours goes by. */
  readonly unknownIds: ReadonlySet<string>
}

/** One report, ready for the timeline. */
interface Fact {
  /** Ours, or Cloudflare's: what the row is found by. */
  readonly id: string
  readonly kind: DeliveryKind
  readonly at: number
  /** Whether `at` is the time of the report's arrival, for want of a credible one. */
  readonly isUndated: boolean
  readonly event: EventType | null
  readonly detail: string | null
}

/** What all reports on one mail come to: the furthest of them. */
interface Verdict {
  readonly id: string
  readonly rank: number
  readonly state: MessageState
  readonly at: number
  /** When the first of them happened: by then it had been sent. */
  readonly firstAt: number
  readonly isSettled: boolean
  readonly error: string | null
  readonly suppression: SuppressionReason | null
  readonly providerMessageId: string | null
}

/**
 * Applies reports: the state, the timeline, and the suppression of an address that bounced for good or complained.
 * One round trip for each thousand. Reports on mails that are not known, or were never sent, change nothing.
 *
 * A report on a mail that is still queued, being sent or given up says that it went out all the same: the answer
 * was lost, or the report overtook it. It settles the mail, which is then not sent again.
 *
 * An address is suppressed when a mail's rank passes the mark, which happens once: a report repeated after the
 * support desk lifted the suppression does not bring it back. The address comes from our own record.
 * @param deps D1, the clock and the log
 * @param provider who reports
 * @param reports in any order; several may be on one mail
 * @throws Outage
 */
export async function applyDeliveryReports(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'log' | 'config'>,
  provider: ProviderName,
  reports: readonly DeliveryReport[],
): Promise<AppliedReports> {
  const unknownIds = new Set<string>()
  for (let start = 0; start < reports.length; start += MAX_REPORTS) {
    const part = reports.slice(start, start + MAX_REPORTS)
    for (const id of await applyPart(deps, provider, part)) unknownIds.add(id)
  }
  return { unknownIds }
}

async function applyPart(
  deps: Pick<Deps, 'db' | 'batch' | 'now' | 'log' | 'config'>,
  provider: ProviderName,
  reports: readonly DeliveryReport[],
): Promise<string[]> {
  const now = deps.now()
  const verdicts = new Map<string, Verdict>()
  const facts: Fact[] = []
  for (const report of reports) {
    const id = provider === 'cloudflare' ? report.providerMessageId : report.messageId
    if (id === null || id === '') continue
    const fact = factOf(report, id, now, deps.config.LEDGER_TTL)
    facts.push(fact)
    verdicts.set(id, furthest(verdicts.get(id), verdictOf(report, fact)))
  }
  if (facts.length === 0) return []

  const ids = [...verdicts.keys()]
  const [before] = await deps.batch([
    // As they were, to tell what is new.
    deps.db
      .select({
        id: messages.id,
        providerMessageId: messages.providerMessageId,
        userId: userOf(sql`messages`).as('user_id'),
        toEmail: messages.toEmail,
        rank: messages.deliveryRank,
        state: messages.state,
      })
      .from(messages)
      .where(
        isReportedMail(provider, sql`in (select value from json_each(${JSON.stringify(ids)}))`),
      ),
    suppress(deps, provider, [...verdicts.values()]),
    insertEvents(deps, provider, facts),
    advance(deps, provider, [...verdicts.values()]),
  ])

  const known = new Set<string>()
  for (const mail of before) {
    const id = provider === 'cloudflare' ? (mail.providerMessageId ?? '') : mail.id
    known.add(id)
    const verdict = verdicts.get(id)
    if (verdict === undefined || verdict.rank <= mail.rank || isNeverSent(mail.state)) continue
    const event = LOGGED_AS[verdict.state]
    if (event === undefined) continue
    deps.log(event, {
      userId: mail.userId,
      messageId: mail.id,
      email: mail.toEmail,
      provider,
      ...(verdict.error === null ? {} : { reason: verdict.error }),
    })
  }
  const unknownIds = ids.filter((id) => !known.has(id))
  deps.log('delivery_reported', {
    provider,
    count: facts.length,
    reported: countKinds(facts),
    ...(unknownIds.length === 0 ? {} : { unknown: unknownIds.length }),
  })
  return unknownIds
}

const LOGGED_AS: Partial<Record<MessageState, 'mail_bounced' | 'mail_complained'>> = {
  bounced: 'mail_bounced',
  complained: 'mail_complained',
}

function factOf(report: DeliveryReport, id: string, now: number, ledgerMs: number): Fact {
  // Nothing is reported before it happens, and no mail older than the record of it can be meant.
  const isCredible = report.at <= now && report.at >= now - ledgerMs
  const words = report.detail === null ? '' : withoutAddresses(report.detail).replace(/\s+/g, ' ')
  const hardness =
    report.kind === 'hard_bounce' ? 'hard' : report.kind === 'soft_bounce' ? 'soft' : null
  return {
    id,
    kind: report.kind,
    at: isCredible ? Math.trunc(report.at) : now,
    isUndated: !isCredible,
    event: EVENT_TYPES[report.kind],
    detail: [hardness, words.trim()].filter(Boolean).join(': ') || null,
  }
}

function verdictOf(report: DeliveryReport, fact: Fact): Verdict {
  const { kind } = report
  return {
    id: fact.id,
    rank: DELIVERY_RANKS[kind],
    state: DELIVERY_STATES[kind],
    at: fact.at,
    firstAt: fact.at,
    isSettled: kind !== 'accepted' && kind !== 'deferred',
    error: DELIVERY_STATES[kind] === 'bounced' ? fact.detail : null,
    suppression: kind === 'complaint' || kind === 'hard_bounce' ? kind : null,
    providerMessageId: report.providerMessageId,
  }
}

function furthest(one: Verdict | undefined, other: Verdict): Verdict {
  if (one === undefined) return other
  const isFurther = other.rank > one.rank || (other.rank === one.rank && other.at < one.at)
  return {
    ...(isFurther ? other : one),
    firstAt: Math.min(one.firstAt, other.firstAt),
    providerMessageId: one.providerMessageId ?? other.providerMessageId,
  }
}

function countKinds(facts: readonly Fact[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind } of facts) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** Whether a row of `messages` is the one that an id means, and was handed to who reports. Cloudflare knows only its own; the index on it holds only its mails. */
function isReportedMail(provider: ProviderName, matches: SQL): SQL {
  return provider === 'cloudflare'
    ? sql`messages.provider = 'cloudflare' and messages.provider_message_id ${matches}`
    : sql`messages.id ${matches} and messages.attempts > 0
        and coalesce(messages.provider, ${provider}) = ${provider}`
}

/** A mail that was never handed over keeps its state, whatever is said of it. */
function isNeverSent(state: MessageState): boolean {
  return state === 'suppressed' || state === 'expired'
}

const wasSent = sql`messages.state not in ('suppressed', 'expired')`

/**
 * The address of each mail that has now bounced for good or brought a complaint, which it had not before. One that is
 * suppressed for a time only is suppressed for good, and a complaint is the graver reason; but where a complaint
 * follows a bounce whose suppression was lifted, it stays lifted.
 */
function suppress(deps: Pick<Deps, 'db' | 'now'>, provider: ProviderName, all: readonly Verdict[]) {
  const verdicts = all.filter(({ suppression }) => suppression !== null)
  const given = (name: keyof Verdict) => sql`r.value ->> ${name}`
  return deps.db
    .insert(suppressions)
    .select(
      sql`select messages.to_email, ${given('suppression')}, ${deps.now()}, null
        from json_each(${JSON.stringify(verdicts)}) r cross join messages
        where ${isReportedMail(provider, sql`= ${given('id')}`)} and ${wasSent}
          and messages.delivery_rank < ${given('rank')}
          and (messages.delivery_rank < ${SUPPRESSING_RANK} or exists (
            select 1 from suppressions s where s.email = messages.to_email and s.expires_at is null))`,
    )
    .onConflictDoUpdate({
      target: [suppressions.email],
      set: {
        reason: sql`excluded.reason`,
        createdAt: sql`iif(expires_at is null, created_at, excluded.created_at)`,
        expiresAt: null,
      },
      setWhere: sql`expires_at is not null
        or (reason = 'hard_bounce' and excluded.reason = 'complaint')`,
    })
}

/** Whether only the report tells who has a mail: nothing has been recorded, or a failure was. */
const isUnrecorded = sql`messages.state in ('queued', 'sending', 'failed')`

/** What has no date of its own gets one on arrival, and would get another when repeated: it is noted once. */
function insertEvents(deps: Pick<Deps, 'db'>, provider: ProviderName, all: readonly Fact[]) {
  const facts = all.filter(({ event }) => event !== null)
  const given = (name: keyof Fact) => sql`r.value ->> ${name}`
  return deps.db
    .insert(events)
    .select(
      sql`select messages.user_id, ${given('at')}, ${given('event')}, messages.id, ${provider}, null,
        ${given('detail')}
        from json_each(${JSON.stringify(facts)}) r cross join messages
        where ${isReportedMail(provider, sql`= ${given('id')}`)} and ${wasSent}
          and not (${given('isUndated')} and exists (
            select 1 from events e where e.user_id = messages.user_id
              and e.type = ${given('event')} and e.message_id = messages.id))`,
    )
    .onConflictDoNothing()
}

function advance(
  deps: Pick<Deps, 'db' | 'now'>,
  provider: ProviderName,
  verdicts: readonly Verdict[],
) {
  const given = (name: keyof Verdict) => sql`r.value ->> ${name}`
  // That the provider has it says nothing new of a mail that was sent.
  const isNews = sql`(${given('rank')} > ${DELIVERY_RANKS.accepted} or ${isUnrecorded})`
  return deps.db
    .update(messages)
    .set({
      state: given('state'),
      deliveryRank: given('rank'),
      provider: sql`iif(${isUnrecorded}, ${provider}, messages.provider)`,
      providerMessageId: sql`iif(${isUnrecorded}, ${given('providerMessageId')},
        coalesce(messages.provider_message_id, ${given('providerMessageId')}))`,
      sentAt: sql`coalesce(messages.sent_at, ${given('firstAt')})`,
      leaseUntil: null,
      notBefore: null,
      error: given('error'),
      settledAt: sql`iif(${isNews}, iif(${given('isSettled')}, ${given('at')}, null),
        messages.settled_at)`,
      // The cron has passed its key: unless it is watched from now on, nobody comes back to it.
      watchedAt: sql`iif(${isNews} and messages.settled_at is not null and not ${given('isSettled')},
        ${deps.now()}, messages.watched_at)`,
      stalledAt: sql`iif(${isNews}, null, messages.stalled_at)`,
    })
    .from(sql`json_each(${JSON.stringify(verdicts)}) r`)
    .where(
      sql`${isReportedMail(provider, sql`= ${given('id')}`)} and ${wasSent}
        and ${messages.deliveryRank} < ${given('rank')}`,
    )
}
