// The outbox: a mail is a row in `messages`, written in the same batch as what caused it. Once the request
// is answered the mail cannot be lost, whatever becomes of the Queue. The same rows are the exact limit.

import { type SQL, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import * as z from 'zod/mini'
import type { Deps } from '../deps.ts'
import type { Given, Givens } from '../prepared-batch.ts'
import {
  type Locale,
  type MessageKind,
  type MessageState,
  messageStates,
  messages,
} from '../schema.ts'

/**
 * Each kind of notice is limited by itself: neither a stranger who asks for links, nor a thief who changes the
 * password three times, must thereby silence the mail with the undo link.
 */
const NOTICES = new Set<MessageKind>(['email_change_notice', 'password_changed_notice'])

/**
 * Whether a kind of mail is a notice.
 * @param kind an expression for a column
 */
export function isNotice(kind: SQL): SQL {
  return sql`${kind} in ${[...NOTICES]}`
}

/** A mail to write. */
export interface NewMessage {
  /** Or an expression on the recipient's row `u`, of kinds that are no notices. */
  readonly kind: MessageKind | SQL
  /** The language of who asked for it. */
  readonly locale: Given<Locale>
  /** Canonical; or an expression on the recipient's row `u`. */
  readonly toEmail: string | SQL
  /** A subquery for the id of the user it is written for; no row where it yields none. */
  readonly recipient: SQL
  /** A further condition on the recipient's row `u`. */
  readonly onlyIf?: SQL
}

/** What every new mail takes from where it is written. */
export interface MailSlip {
  readonly messageId: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The limit: so many mails to the address, in so many milliseconds. */
  readonly limit: number
  readonly windowMs: number
}

/**
 * A slip for one mail.
 * @param deps the limit and the clock, and a new id
 */
export function newSlip(deps: Pick<Deps, 'now' | 'newId' | 'config'>): MailSlip {
  const { limit, windowMs } = deps.config.MAIL_LIMIT_PER_ADDRESS
  return { messageId: deps.newId(), now: deps.now(), limit, windowMs }
}

/**
 * A statement that writes a mail, and decides in the same breath whether it goes out: the count and the insert
 * are one statement, so no concurrency gets past the limit. A mail of exactly one window ago no longer counts.
 *
 * Beyond the limit the row is written all the same, settled and never to be sent. A claim's holder sees the
 * state of its mail, and a missing row would say that somebody else had mail sent to this address lately;
 * as it is, the row looks like one that went out (see {@link shownMail}), which is nearly true: links that
 * work for every claim were mailed there a moment ago.
 * @param db builds the statement
 * @param slip from {@link newSlip}
 * @param message what to write
 * @returns one row with the id of the mail to enqueue, null where it is withheld; no row without a recipient
 */
export function insertMessageWithinLimit(
  db: DrizzleD1Database,
  { messageId, now, limit, windowMs }: Givens<MailSlip>,
  message: NewMessage,
) {
  const sameClass =
    typeof message.kind === 'string' && NOTICES.has(message.kind)
      ? sql`m.kind = ${message.kind}`
      : sql`not ${isNotice(sql`m.kind`)}`
  const hasRoom = sql`(select count(*) from messages m
    where m.to_email = ${message.toEmail} and m.created_at > ${now} - ${windowMs}
      and m.error is not ${WITHHELD}
      and ${sameClass}
    ) < ${limit}`
  // When a mail would have gone out, had there been room: a second or two from now.
  const pretendedAt = sql`${now} + 1000 + abs(random()) % 1500`
  return db
    .insert(messages)
    .select(
      sql`select ${newRow({
        id: messageId,
        userId: sql`w.id`,
        kind: sql`w.kind`,
        locale: message.locale,
        toEmail: sql`w.to_email`,
        generation: sql`w.generation`,
        state: sql`iif(w.has_room, 'queued', 'expired')`,
        error: sql`iif(w.has_room, null, ${WITHHELD})`,
        createdAt: now,
        sentAt: sql`iif(w.has_room, null, ${pretendedAt})`,
        settledAt: sql`iif(w.has_room, null, ${now})`,
        previousId: sql`nullif(w.last_message_id, ${messageId})`,
      })} from (select u.id, u.generation, u.last_message_id, ${message.kind} as kind,
          ${message.toEmail} as to_email, ${hasRoom} as has_room
          from users u where u.id = (${message.recipient}) and ${message.onlyIf ?? sql`true`}) w`,
    )
    .returning({ id: sql<string | null>`iif(state = 'queued', id, null)`.as('id') })
}

/** What a new row of `messages` says: values, or expressions on whatever it is selected from. */
interface NewRow {
  readonly id: Given<string>
  readonly userId: SQL
  readonly kind: MessageKind | SQL
  readonly locale: Given<Locale>
  readonly toEmail: string | SQL
  readonly generation: SQL
  readonly state: MessageState | SQL
  readonly error?: SQL
  readonly createdAt: Given<number>
  readonly sentAt?: SQL
  readonly settledAt?: SQL
  readonly previousId: SQL
}

/**
 * The columns of a new row of `messages`, in their order: for an insert that selects them.
 * @param row what it says; what is left out is null
 */
export function newRow(row: NewRow): SQL {
  const none = sql`null`
  const { error = none, sentAt = none, settledAt = none } = row
  return sql`${row.id}, ${row.userId}, ${row.kind}, ${row.locale}, ${row.toEmail}, ${row.generation},
    ${row.state}, 0, null, null, null, null, ${error}, ${row.createdAt}, ${sentAt}, ${settledAt},
    0, null, null, ${row.previousId}, null`
}

/** What stands in `error` of a mail that was not sent because of the limit. */
export const WITHHELD = 'withheld'

/** What stands in `error` of a mail that waits because the account may send no more today. */
export const DAILY_CAP = 'daily_cap'

/** What the holder of an account or claim is told of a mail. */
export interface ShownMail {
  readonly state: MessageState
  /** Since when it is in that state, in milliseconds since the epoch. */
  readonly at: number
  /** Whether it was accepted and nothing was heard of it for too long. */
  readonly isStalled: boolean
  /** Until when it waits because no more may be sent today; null where it does not. */
  readonly waitsUntil: number | null
}

/**
 * Columns for {@link shownMail}. A mail that was withheld lives the life of the last real one to its address,
 * as much later as it was written: what became of that one is what would have become of it, and a row that
 * stays "sent" for ever would tell the two apart.
 */
export const mailToShow = {
  state: messages.state,
  error: messages.error,
  createdAt: sql<number>`${messages.createdAt}`.as('mail_created_at'),
  sentAt: messages.sentAt,
  settledAt: messages.settledAt,
  stalledAt: messages.stalledAt,
  notBefore: messages.notBefore,
  real: sql<string | null>`iif(${messages.error} is ${WITHHELD}, (select json_object(
    'state', r.state, 'error', r.error, 'createdAt', r.created_at, 'sentAt', r.sent_at,
    'settledAt', r.settled_at, 'stalledAt', r.stalled_at, 'notBefore', r.not_before)
    from messages r where r.to_email = messages.to_email and r.created_at <= messages.created_at
      and r.error is not ${WITHHELD} and r.state <> 'expired'
    order by r.created_at desc limit 1), null)`.as('real_mail'),
}

/** A row of {@link mailToShow}, without what stands in for it. */
const mailRow = z.object({
  state: z.enum(messageStates),
  error: z.nullable(z.string()),
  createdAt: z.number(),
  sentAt: z.nullable(z.number()),
  settledAt: z.nullable(z.number()),
  stalledAt: z.nullable(z.number()),
  notBefore: z.nullable(z.number()),
})
type MailRow = z.output<typeof mailRow>

/**
 * A mail as the holder of its account or claim may see it. Instants in whole seconds, as providers report them: what
 * was withheld must not be told by its milliseconds.
 * @param row of {@link mailToShow}
 * @param now milliseconds since the epoch
 */
export function shownMail(row: MailRow & { readonly real: string | null }, now: number): ShownMail {
  const mail = row.error === WITHHELD ? shownInstead(row, now) : shown(row)
  return { ...mail, at: Math.floor(mail.at / 1000) * 1000 }
}

/** What a withheld mail would look like by now, going by the real one before it. */
function shownInstead(row: MailRow & { readonly real: string | null }, now: number): ShownMail {
  const isQueued: ShownMail = { ...NOTHING_TO_ADD, state: 'queued', at: row.createdAt }
  const sentAt = row.sentAt ?? row.createdAt
  const isSent: ShownMail = { ...NOTHING_TO_ADD, state: 'sent', at: sentAt }
  const real = row.real === null ? null : mailRow.parse(JSON.parse(row.real))
  if (real === null || real.sentAt !== null) {
    if (now < sentAt) return isQueued
    if (real === null || (real.settledAt === null && real.state !== 'deferred')) return isSent
    const at = sentAt + Math.max(0, (real.settledAt ?? real.sentAt ?? 0) - (real.sentAt ?? 0))
    return now < at ? isSent : { ...shown(real), at }
  }
  // Never sent: suppressed, failed, or still waiting itself.
  if (real.settledAt === null) return { ...shown(real), at: row.createdAt }
  const at = row.createdAt + real.settledAt - real.createdAt
  return now < at ? isQueued : { ...shown(real), at }
}

const NOTHING_TO_ADD = { isStalled: false, waitsUntil: null } as const

function shown(row: MailRow): ShownMail {
  return {
    state: row.state === 'sending' ? 'queued' : row.state,
    at:
      row.stalledAt === null
        ? (row.settledAt ?? row.sentAt ?? row.createdAt)
        : (row.sentAt ?? row.createdAt),
    isStalled: row.state === 'sent' && row.stalledAt !== null,
    waitsUntil: row.state === 'queued' && row.error === DAILY_CAP ? row.notBefore : null,
  }
}
