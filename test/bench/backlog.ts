// Mails that wait to be sent: handed to the Queue, until the mail API has accepted the last one.

import { setTimeout } from 'node:timers/promises'
import { firstOf, type Population } from './population.ts'
import type { Server } from './serve.ts'

export interface Backlog {
  /** Enqueues the next of them, and resolves when the mail API has accepted them. */
  readonly drain: (count: number) => Promise<void>
}

const TOO_LONG_MS = 180_000

/**
 * Prepares what waits.
 * @param server with a consumer
 * @param population of its database
 */
export async function backlogOf(server: Server, population: Population): Promise<Backlog> {
  const first = firstOf(population, 'waiting')
  const bodies: unknown[] = []
  for (let n = 0; n < population.waiting; n++) bodies.push(await server.side.queued(first + n))
  let enqueued = 0
  return {
    async drain(count) {
      const deadline = Date.now() + TOO_LONG_MS
      await server.enqueue(bodies.slice(enqueued, enqueued + count))
      enqueued += count
      while ((await server.mailApi.received()) < enqueued) {
        if (Date.now() > deadline) {
          throw new Error(`${server.side.name} did not send ${enqueued} mails`)
        }
        await setTimeout(5)
      }
    },
  }
}
