// That somebody looked at the page behind a link: a line in the timeline of whom it was mailed to, and nothing
// else. Opening a link changes nothing.

import { sql } from 'drizzle-orm'
import type { Deps } from '../deps.ts'
import type { Claims } from '../signing/token.ts'
import { recordEvent } from '../timeline/record.ts'

/** Views within so long are one: whoever reloads a page, or a scanner, must not fill a timeline. */
const ONE_VIEW_MS = 60_000

/**
 * A statement that notes a view of a link's page.
 * @param deps the clock, and what builds the statement
 * @param link genuine
 */
export function recordLinkOpened(deps: Pick<Deps, 'db' | 'now'>, link: Claims) {
  const now = deps.now()
  return recordEvent(deps.db, {
    userId: link.userId,
    type: 'link_opened',
    at: now,
    onlyIf: sql`not exists (select 1 from events e where e.user_id = u.id
      and e.at > ${now - ONE_VIEW_MS} and e.type = 'link_opened')`,
  })
}
