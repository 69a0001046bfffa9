// That somebody looked at the page behind a link: a line in the timeline of whom it was mailed to, and nothing
// else. Opening a link changes nothing.

import type { Deps } from '../deps.ts'
import type { Claims } from '../signing/token.ts'
import { onceAMinute, recordEvent } from '../timeline/record.ts'

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
    onlyIf: onceAMinute('link_opened', now),
  })
}
