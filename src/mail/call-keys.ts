// Keys of calls, for providers that recognise a repeated one (such as Resend's Idempotency-Key,
// https://resend.com/docs/dashboard/emails/idempotency-keys). A call whose answer was lost is repeated under its
// key, and what was accepted then is not sent again.
//
// A key stands for the mails of one call, so those go together again or not at all. Mails may leave: one that was
// settled meanwhile is not sent again, and the rest goes under the same key. None ever joins or comes back. So the
// sets under one key only shrink, and whichever of the calls was the one that counted, it covered every mail of
// each later one: "seen before" is true of them all. Were two different parts of a set sent under one key, the
// provider would take the second for the first, and its mails would be lost.

import { type SQL, sql } from 'drizzle-orm'
import type { Config } from '../config.ts'
import type { Deps } from '../deps.ts'
import { mailBatches, messages } from '../schema.ts'
import { firstIdOf, instantOf } from '../uuid-v7.ts'
import type { MailProvider } from './providers/provider.ts'
import { utcDay } from './utc-day.ts'

/**
 * So long a mail that may have been accepted stays with the provider that knows. Then a copy is better than none:
 * it may go to the next provider.
 */
const STAYS_FOR_MS = 15 * 60_000
/** Providers remember a key for 24 hours; nothing is repeated under it when that time is nearly over. */
const KEY_HOLDS_FOR_MS = 23 * 60 * 60_000
/** Bounds what one lease brings along. The mails of further calls come back a little later. */
const MAX_REPEATED_CALLS = 8

/**
 * Whether the mails of an earlier call are still left to the provider that knows its key.
 * @param key of that call, a UUIDv7 made when it was first prepared
 * @param now milliseconds since the epoch
 */
export function stillStays(key: string, now: number): boolean {
  return now < staysUntil(key)
}

/**
 * Until when the mails of a call stay with its provider.
 * @param key a UUIDv7
 * @returns milliseconds since the epoch
 */
export function staysUntil(key: string): number {
  return instantOf(key) + STAYS_FOR_MS
}

/** What the lease needs to know of keys. */
export interface KeyPlan {
  /** Each id with the key that it gets if it is claimed for a new call; null where no provider knows keys. */
  readonly wanted: readonly { readonly id: string; readonly key: string | null }[]
  /** Whether a row (by its table's name or alias) is part of an earlier call whose key still holds. */
  readonly isRepeat: (table: SQL) => SQL
  /** Whether a row carries a key that still holds. */
  readonly hasKey: (table: SQL) => SQL
  /** The ids (JSON) that may bring earlier calls along; none where no provider knows keys. */
  readonly repeatable: string
}

/**
 * Prepares the keys of a lease.
 *
 * Under a daily cap a key holds until midnight only: a repeated call takes no new places in the day's count,
 * because the first one took them, and that is true of the same day alone.
 * @param deps ids, the clock, the cap
 * @param providers those of the configuration
 * @param ids message ids, each once
 */
export function planKeys(
  deps: Pick<Deps, 'newId' | 'now'> & { readonly config: Pick<Config, 'MAIL_DAILY_CAP'> },
  providers: readonly MailProvider[],
  ids: readonly string[],
): KeyPlan {
  const knowing = providers.filter(({ knowsRepeatedCalls }) => knowsRepeatedCalls)
  if (knowing.length === 0) {
    const no = () => sql`false`
    return {
      wanted: ids.map((id) => ({ id, key: null })),
      isRepeat: no,
      hasKey: no,
      repeatable: '[]',
    }
  }
  const now = deps.now()
  const memory = now - KEY_HOLDS_FOR_MS
  const oldest = firstIdOf(
    deps.config.MAIL_DAILY_CAP === null ? memory : Math.max(memory, Date.parse(utcDay(now))),
  )
  const size = Math.min(...knowing.map(({ maxBatch }) => maxBatch))
  let key = ''
  const hasKey = (table: SQL) => sql`coalesce(${table}.batch_id, '') > ${oldest}`
  return {
    wanted: ids.map((id, i) => {
      if (i % size === 0) key = deps.newId()
      return { id, key }
    }),
    hasKey,
    isRepeat: (table) => sql`${hasKey(table)} and exists (
      select 1 from mail_batches b, json_each(b.message_ids) j
      where b.id = ${table}.batch_id and j.value = ${table}.id)`,
    repeatable: JSON.stringify(ids),
  }
}

/**
 * A statement that claims what earlier calls were made of, all that is left of a call or nothing: while any mail
 * of it is under somebody's lease, that consumer is at work on the whole.
 * @param db builds it
 * @param plan of this lease
 * @param claim what claiming sets, and what `due` means of alias `m`
 * @param now milliseconds since the epoch
 */
export function claimRepeatedCalls(
  { db }: Pick<Deps, 'db'>,
  plan: KeyPlan,
  claim: { readonly set: Partial<Record<keyof typeof messages.$inferInsert, SQL>>; due: SQL },
  now: number,
) {
  return db
    .update(messages)
    .set(claim.set)
    .from(sql`mail_batches b, json_each(b.message_ids) j`)
    .where(
      sql`b.id in (select distinct m.batch_id from json_each(${plan.repeatable}) w
        join messages m on m.id = w.value
        where ${plan.hasKey(sql`m`)} and ${claim.due} limit ${MAX_REPEATED_CALLS})
        and not exists (select 1 from json_each(b.message_ids) k join messages s on s.id = k.value
          where s.batch_id = b.id and s.state = 'sending' and s.lease_until > ${now})
        and ${messages.id} = j.value and ${messages.batchId} = b.id
        and ${messages.state} in ('queued', 'sending')`,
    )
    .returning({ id: messages.id })
}

/**
 * Statements that write down of what the calls now consist: those repeated, of what is left of them, so that no
 * mail that left ever comes back; and the new ones.
 * @param db builds them
 * @param plan of this lease
 * @param leaseUntil by which the rows claimed a moment ago are known
 */
export function rememberCalls({ db }: Pick<Deps, 'db'>, plan: KeyPlan, leaseUntil: number) {
  const isKeyed = plan.repeatable !== '[]'
  return [
    db
      .update(mailBatches)
      .set({
        messageIds: sql`(select json_group_array(m.id) from json_each(mail_batches.message_ids) j
          join messages m on m.id = j.value where m.batch_id = mail_batches.id
          and m.state = 'sending' and m.lease_until = ${leaseUntil})`,
      })
      .where(sql`${mailBatches.id} in ${claimedCalls(plan, leaseUntil)}`),
    db.insert(mailBatches).select(
      sql`select w.value ->> 'key', json_group_array(m.id)
        from json_each(${JSON.stringify(isKeyed ? plan.wanted : [])}) w
        join messages m on m.id = w.value ->> 'id'
        where m.batch_id = w.value ->> 'key' group by w.value ->> 'key'`,
    ),
  ] as const
}

/**
 * The ids of all mails that the lease may have claimed, as a subquery: those it asked for, and what goes with them.
 * @param plan of this lease
 * @param leaseUntil by which the rows claimed a moment ago are known
 */
export function withRepeatedCalls(plan: KeyPlan, leaseUntil: number): SQL {
  return sql`(select value from json_each(${JSON.stringify(plan.wanted.map(({ id }) => id))})
    union select j.value from mail_batches b, json_each(b.message_ids) j
    where b.id in ${claimedCalls(plan, leaseUntil)})`
}

function claimedCalls(plan: KeyPlan, leaseUntil: number): SQL {
  return sql`(select m.batch_id from json_each(${plan.repeatable}) w
    join messages m on m.id = w.value
    where m.state = 'sending' and m.lease_until = ${leaseUntil} and ${plan.hasKey(sql`m`)})`
}
