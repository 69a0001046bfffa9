// What travels in the Queue: the id of a row in `messages`. No address, no link.

import * as z from 'zod'

export const queuedMail = z.object({ id: z.string().min(1).max(64) })

export type QueuedMail = z.output<typeof queuedMail>
