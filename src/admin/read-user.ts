// All that support needs to know of a user, in one round trip.

import { and, desc, eq, gt, sql } from 'drizzle-orm'
import type { UserRow } from '../accounts/user.ts'
import type { Deps } from '../deps.ts'
import { DAILY_CAP, WITHHELD } from '../mail/outbox.ts'
import { type Suppression, suppressionOf } from '../mail/suppressions.ts'
import { type messages, sessions, users } from '../schema.ts'
import { tellingColumns } from '../timeline/derived-events.ts'
import { type Timeline, timelineOf, timelineStatements } from '../timeline/read-timeline.ts'

/** What is at the desk of a user; the password's hash never is. */
export type DeskUser = Omit<UserRow, 'passwordHash'>

/** Another user of the same address. */
export interface Rival {
  readonly id: string
  readonly emailVerifiedAt: number | null
  readonly createdAt: number
}

export type MailRow = typeof messages.$inferSelect

export interface UserAtDesk {
  readonly user: DeskUser
  readonly sessionCount: number
  /** Of the address, and of the pending one. */
  readonly suppressions: readonly Suppression[]
  /** Newest first. */
  readonly mails: readonly MailRow[]
  /** Everybody else with this address: claims, or its owner. */
  readonly rivals: readonly Rival[]
  readonly timeline: Timeline
}

const MAX_RIVALS = 50
const MARKS = { withheld: WITHHELD, dailyCap: DAILY_CAP }

/** The columns of {@link DeskUser}. */
export const deskColumns = {
  id: users.id,
  email: users.email,
  emailFingerprint: users.emailFingerprint,
  emailVerifiedAt: users.emailVerifiedAt,
  isEmailVerified: users.isEmailVerified,
  pendingEmail: users.pendingEmail,
  generation: users.generation,
  createdAt: users.createdAt,
  verifiedBy: users.verifiedBy,
  linkOpenedAt: users.linkOpenedAt,
  lastMessageId: users.lastMessageId,
}

/**
 * Reads a user with state, sessions, mails and timeline.
 * @param deps D1 and the clock
 * @param id of the user
 * @returns null where there is none
 * @throws Outage
 */
export async function readUserAtDesk(
  deps: Pick<Deps, 'db' | 'batch' | 'now'>,
  id: string,
): Promise<UserAtDesk | null> {
  const { db } = deps
  const now = deps.now()
  const [eventStatement, mailStatement] = timelineStatements(db, id)
  const own = sql`(select email from users where id = ${id})`
  const pending = sql`(select pending_email from users where id = ${id})`
  const [[user], [count], [ofOwn], [ofPending], rivals, events, mails] = await deps.batch([
    db.select(deskColumns).from(users).where(eq(users.id, id)),
    db
      .select({ live: sql<number>`count(*)`.as('live') })
      .from(sessions)
      .where(and(eq(sessions.userId, id), gt(sessions.expiresAt, now))),
    suppressionOf(deps, own),
    suppressionOf(deps, pending),
    db
      .select({ id: users.id, emailVerifiedAt: users.emailVerifiedAt, createdAt: users.createdAt })
      .from(users)
      .where(
        sql`email_fingerprint = (select email_fingerprint from users where id = ${id})
          and id <> ${id}`,
      )
      .orderBy(sql`email_verified_at is null`, desc(users.createdAt))
      .limit(MAX_RIVALS),
    eventStatement,
    mailStatement,
  ])
  if (user === undefined) return null
  return {
    user,
    sessionCount: count?.live ?? 0,
    suppressions: [ofOwn, ofPending].filter((one) => one !== undefined),
    mails,
    rivals,
    timeline: timelineOf(user, events, mails, MARKS),
  }
}

/**
 * Reads a user's timeline alone.
 * @param deps D1
 * @param id of the user
 * @returns null where there is none
 * @throws Outage
 */
export async function readTimeline(
  deps: Pick<Deps, 'db' | 'batch'>,
  id: string,
): Promise<Timeline | null> {
  const [[user], events, mails] = await deps.batch([
    deps.db.select(tellingColumns).from(users).where(eq(users.id, id)),
    ...timelineStatements(deps.db, id),
  ])
  return user === undefined ? null : timelineOf(user, events, mails, MARKS)
}
