// Timelines as the desk shows them, wherever their entries are stored.

import { readTimeline } from '../../src/admin/read-user.ts'
import type { TimelineEntry } from '../../src/timeline/read-timeline.ts'
import type { Harness } from './harness.ts'

/** What happened to a user, in order; none where there is no such user. */
export async function timelineOf(h: Harness, userId: string): Promise<readonly TimelineEntry[]> {
  return (await readTimeline(h.deps, userId))?.entries ?? []
}

/** The types of a user's entries, in order. */
export async function typesOf(h: Harness, userId: string): Promise<string[]> {
  return (await timelineOf(h, userId)).map(({ type }) => type)
}

/** What became of a mail: its entries, but for the one that it was written. */
export async function mailTimeline(h: Harness, messageId: string) {
  const [mail] = await h.rows<{ user_id: string }>(
    'select user_id from messages where id = ?',
    messageId,
  )
  return (await timelineOf(h, mail?.user_id ?? ''))
    .filter((entry) => entry.messageId === messageId && entry.type !== 'mail_queued')
    .map(({ type, at, provider, detail }) => ({ type, at, provider, detail }))
}
