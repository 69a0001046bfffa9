// That somebody looked at the page behind a link: a line in the timeline of whom it was mailed to, and nothing
// else. Opening a link changes nothing.

import { eq, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import type { Given } from '../prepared-batch.ts'
import { users } from '../schema.ts'
import { ONCE_IN_MS, onceAMinute, recordEvent } from '../timeline/record.ts'

/**
 * Statements that note a view of a link's page, of which at most one writes: the first view stands in the row of its
 * user, also when the claim is renewed later; the others are events.
 * @param db builds the statement
 * @param linkUserId whom the link was mailed to
 * @param now milliseconds since the epoch
 */
export function recordLinkOpened(
  db: DrizzleD1Database,
  linkUserId: Given<string>,
  now: Given<number>,
) {
  return [
    db
      .update(users)
      .set({ linkOpenedAt: sql`${now}` })
      .where(sql`${eq(users.id, linkUserId)} and link_opened_at is null`),
    recordEvent(db, {
      userId: linkUserId,
      type: 'link_opened',
      at: now,
      // The row has the view of a minute ago, or this one.
      onlyIf: sql`u.link_opened_at <= ${now} - ${ONCE_IN_MS} and ${onceAMinute('link_opened', now)}`,
    }),
  ] as const
}
