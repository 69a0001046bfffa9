// The load generator: so many callers, each sending its next request when the last one is answered, over
// connections that stay open.

import { Pool } from 'undici'
import type { BenchRequest } from './sides/side.ts'

/** Requests in the order they are sent; each is sent once unless they may be repeated. */
export class Supply {
  readonly #requests: readonly BenchRequest[]
  readonly #repeats: boolean
  #next = 0

  constructor(requests: readonly BenchRequest[], repeats: boolean) {
    this.#requests = requests
    this.#repeats = repeats
  }

  /** How many are left. */
  get left(): number {
    return this.#repeats
      ? Number.POSITIVE_INFINITY
      : Math.max(0, this.#requests.length - this.#next)
  }

  /** The next one, or null when everybody has had a turn. */
  take(): BenchRequest | null {
    const at = this.#next++
    return this.#requests[this.#repeats ? at % this.#requests.length : at] ?? null
  }
}

export interface LoadResult {
  readonly perSecond: number
  /** Milliseconds of each request, in no order. */
  readonly latencies: readonly number[]
  /** CPU time of this process by the time that passed: the generator has one thread, and 1 is all it can do. */
  readonly generatorShare: number
}

/** better-auth 1.6.34 refuses whoever comes to the millisecond one window after the last time: that is asked again. */
const REFUSED = 429

/**
 * Drives load.
 * @param url the server
 * @param supply what to send
 * @param options how many callers; for how long, or how many requests in all
 * @returns over the time until the bell, or until there is nothing more to send
 * @throws Error at the first answer that is not the expected one
 */
export async function drive(
  url: URL,
  supply: Supply,
  options: { callers: number; seconds?: number; requests?: number },
): Promise<LoadResult> {
  const { callers } = options
  const pool = new Pool(url.origin, {
    connections: callers,
    pipelining: 1,
    headersTimeout: 120_000,
    bodyTimeout: 120_000,
  })
  const latencies: number[] = []
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const end = start + (options.seconds ?? Number.POSITIVE_INFINITY) * 1000
  let left = options.requests ?? Number.POSITIVE_INFINITY
  let inTime = 0

  async function call(): Promise<void> {
    while (left > 0 && performance.now() < end) {
      left--
      const request = supply.take()
      if (request === null) return
      const { method, path, headers, body, expect } = request
      const sentAt = performance.now()
      let response = await pool.request({ method, path, headers, body })
      if (response.statusCode === REFUSED && expect !== REFUSED) {
        await response.body.dump()
        response = await pool.request({ method, path, headers, body })
      }
      if (response.statusCode !== expect) {
        const text = await response.body.text()
        throw new Error(`${method} ${path}: ${response.statusCode}, not ${expect}: ${text}`)
      }
      await response.body.dump()
      const now = performance.now()
      latencies.push(now - sentAt)
      // What is answered after the bell is not counted, or many slow callers would look fast.
      if (now <= end) inTime++
    }
  }

  let generatorShare: number
  try {
    await Promise.all(Array.from({ length: callers }, call))
    const { user, system } = process.cpuUsage(cpuBefore)
    generatorShare = (user + system) / 1000 / (performance.now() - start)
  } finally {
    await pool.close()
  }
  if (latencies.length === 0) throw new Error('nothing was left to send')
  const now = performance.now()
  const inAll = { answered: latencies.length, elapsed: now - start }
  // A machine that stood still until the bell has a rate all the same.
  const { answered, elapsed } =
    inTime === 0 ? inAll : { answered: inTime, elapsed: Math.min(now, end) - start }
  return { perSecond: (answered / elapsed) * 1000, latencies, generatorShare }
}
