// Work that need not delay the answer.

import type { Context } from 'hono'
import type { Deps } from '../deps.ts'

/**
 * Hands a mail to the Queue after the response is sent. That the answer does not wait also keeps its time
 * from telling whether there was a mail.
 * @param c the request's context
 * @param deps the Queue
 * @param messageId the row in `messages`, or null where there is nothing to send
 */
export function enqueueAfterResponse(
  c: Context,
  deps: Pick<Deps, 'enqueue'>,
  messageId: string | null,
): void {
  if (messageId !== null) c.executionCtx.waitUntil(deps.enqueue([messageId]))
}
