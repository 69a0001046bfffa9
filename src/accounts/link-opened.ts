// That somebody looked at the page behind a link: a line in the timeline of whom it was mailed to, and nothing
// else. Opening a link changes nothing.

import type { DrizzleD1Database } from 'drizzle-orm/d1'
import type { Given } from '../prepared-batch.ts'
import { onceAMinute, recordEvent } from '../timeline/record.ts'

/**
 * A statement that notes a view of a link's page.
 * @param db builds the statement
 * @param linkUserId whom the link was mailed to
 * @param now milliseconds since the epoch
 */
export function recordLinkOpened(
  db: DrizzleD1Database,
  linkUserId: Given<string>,
  now: Given<number>,
) {
  return recordEvent(db, {
    userId: linkUserId,
    type: 'link_opened',
    at: now,
    onlyIf: onceAMinute('link_opened', now),
  })
}
