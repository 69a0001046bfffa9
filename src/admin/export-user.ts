// Everything that is stored about a person, for the person (GDPR, article 15): every table, without what would let
// somebody in: the password's hash, and the ids of sessions.

import { eq, inArray, sql } from 'drizzle-orm'
import { instant } from '../accounts/user.ts'
import type { Deps } from '../deps.ts'
import {
  emailChanges,
  events,
  messages,
  retiredLinks,
  sessions,
  suppressions,
  users,
} from '../schema.ts'
import { withDerivedEvents } from '../timeline/derived-events.ts'
import { mailsFrom, userOf } from '../timeline/mails-of-user.ts'
import { deskColumns } from './read-user.ts'

/** The chain ends by itself. */
const ALL_MAILS = Number.MAX_SAFE_INTEGER

/**
 * Reads it in one round trip.
 * @param deps D1 and the clock
 * @param id of the user
 * @returns JSON-ready, instants as RFC 3339; null where there is no such user
 * @throws Outage
 */
export async function exportUser(deps: Pick<Deps, 'db' | 'batch' | 'now'>, id: string) {
  const { db } = deps
  const last = sql`(select last_message_id from users where id = ${id})`
  const address = sql`(select email from users where id = ${id})`
  // What was mailed to the address for a claim or account that is gone. A claim has not proven that it is theirs.
  const proven = sql`(select email from users where id = ${id} and email_verified_at is not null)`
  const [[user], ofSessions, ofMails, ofOldMails, ofChanges, ofEvents, ofSuppressions, retired] =
    await deps.batch([
      db.select(deskColumns).from(users).where(eq(users.id, id)),
      db
        .select({
          createdAt: sessions.createdAt,
          expiresAt: sessions.expiresAt,
          ip: sessions.ip,
          userAgent: sessions.userAgent,
        })
        .from(sessions)
        .where(eq(sessions.userId, id)),
      db
        .select()
        .from(messages)
        .where(inArray(messages.id, mailsFrom(last, ALL_MAILS)))
        .orderBy(messages.id),
      db
        .select()
        .from(messages)
        .where(sql`to_email = ${proven} and ${userOf(sql`messages`)} is null`)
        .orderBy(messages.createdAt),
      db
        .select({
          id: emailChanges.id,
          fromEmail: emailChanges.fromEmail,
          fromFingerprint: emailChanges.fromFingerprint,
          toEmail: emailChanges.toEmail,
          toFingerprint: emailChanges.toFingerprint,
          createdAt: emailChanges.createdAt,
        })
        .from(emailChanges)
        .where(eq(emailChanges.userId, id)),
      db.select().from(events).where(eq(events.userId, id)),
      db.select().from(suppressions).where(eq(suppressions.email, address)),
      db
        .select()
        .from(retiredLinks)
        .where(
          eq(
            retiredLinks.emailFingerprint,
            sql`(select email_fingerprint from users where id = ${id})`,
          ),
        ),
    ])
  if (user === undefined) return null
  return {
    exported_at: instant(deps.now()),
    user: told(user),
    sessions: ofSessions.map(told),
    mails: [...ofOldMails, ...ofMails].map(told),
    email_changes: ofChanges.map(told),
    timeline: withDerivedEvents(ofEvents, user, ofMails).sort(byInstant).map(told),
    suppressions: ofSuppressions.map(told),
    retired_links: retired.map(told),
  }
}

/** What happened first comes first; what was done (`registered`) before what became of it (`mail_accepted`). */
const byInstant = (a: { at: number }, b: { at: number }) => a.at - b.at

/** Columns that hold an instant. */
const INSTANTS = /(At|^at|Before|Until)$/

/** A row as JSON: names as in the database, instants readable. */
function told(row: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      INSTANTS.test(name) && typeof value === 'number' ? instant(value) : value,
    ]),
  )
}
