// Mail need not delay the answer.

import type { Context } from 'hono'
import type { Deps } from '../deps.ts'

/**
 * Hands mails to the Queue after the response is sent. That the answer does not wait also keeps its time
 * from telling whether there was a mail.
 * @param c the request's context
 * @param deps the Queue
 * @param messageIds rows in `messages`; null stands for nothing to send
 */
export function enqueueAfterResponse(
  c: Context,
  deps: Pick<Deps, 'enqueue'>,
  ...messageIds: readonly (string | null)[]
): void {
  const ids = messageIds.filter((id) => id !== null)
  if (ids.length > 0) c.executionCtx.waitUntil(deps.enqueue(ids))
}
