// What travels in the Queue: the id of a row in `messages`. No address, no link.

import * as z from 'zod/mini'

export const queuedMail = z.object({ id: z.string().check(z.minLength(1), z.maxLength(64)) })

export type QueuedMail = z.output<typeof queuedMail>
