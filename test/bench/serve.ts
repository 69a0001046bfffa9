// Serves a contestant from Miniflare, straight from its own socket: no proxy, no log of requests, nothing of
// `wrangler dev` in between.

import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  type V4MiniflareOptions,
} from 'miniflare'
import type { Bundle } from './build.ts'
import { childrenOf, cpuSecondsOf } from './process-cpu.ts'
import type { BenchRequest, Side } from './sides/side.ts'

/** What one operation asks of the platform. */
export interface Counts {
  readonly d1Trips: number
  readonly d1Statements: number
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly kvReads: number
  readonly kvWrites: number
  /** Calls; a call may carry several messages. */
  readonly queueSends: number
  readonly queueMessages: number
  readonly httpCalls: number
  readonly limiterCalls: number
}

export interface Statement {
  readonly sql: string
  readonly rowsRead: number
  readonly rowsWritten: number
}

export interface Taken {
  readonly counts: Counts
  readonly statements: readonly Statement[]
}

export interface Answer {
  readonly headers: Headers
  readonly body: string
}

export interface Server {
  readonly side: Side
  readonly url: URL
  /** Sends one request and fails where the answer is not the expected one. */
  readonly send: (request: BenchRequest) => Promise<Answer>
  /** Of an instrumented Worker: what was counted since the last call, once all background work is done. */
  readonly take: () => Promise<Taken>
  /** Of an instrumented Worker: delays each trip to D1. */
  readonly delayD1: (ms: number) => Promise<void>
  /** Of an instrumented Worker: puts its clock forward. */
  readonly advanceClock: (ms: number) => Promise<void>
  /** Of an instrumented Worker: what it handed to the Queue since the last call. */
  readonly takeQueued: () => Promise<readonly unknown[]>
  /** Of an instrumented Worker: hands a batch to its consumer. */
  readonly consume: (bodies: readonly unknown[]) => Promise<{ acked: number; retried: number }>
  /** Of an instrumented Worker: runs its cron. */
  readonly runCron: () => Promise<void>
  readonly mailApi: {
    readonly received: () => Promise<number>
    readonly delay: (ms: number) => Promise<void>
  }
  readonly enqueue: (bodies: readonly unknown[]) => Promise<void>
  /** Of its whole workerd so far, or null where the system does not tell. */
  readonly cpuSeconds: () => number | null
  readonly inspectorUrl: () => Promise<URL>
  readonly close: () => Promise<void>
}

export interface ServeOptions {
  /** Directory of the database, from `createDatabase`. */
  readonly data: string
  readonly instrumented?: boolean
  /** Whether the Queue delivers. It does not where requests are timed: the consumer has isolates of its own. */
  readonly consumes?: boolean
  readonly inspected?: boolean
  /** Settings besides the contestant's own. */
  readonly bindings?: Readonly<Record<string, string>>
}

const COMPATIBILITY = { compatibilityDate: '2026-09-01', compatibilityFlags: ['nodejs_compat'] }

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')

function modulesOf(bundle: Bundle, instrumented: boolean) {
  const script = { type: 'ESModule' as const, path: 'bundle.js', contents: bundle.script }
  if (!instrumented) return [script]
  const contents = stripTypeScriptTypes(read('instrumented.ts'))
  return [{ type: 'ESModule' as const, path: 'instrumented.js', contents }, script]
}

/**
 * Starts a contestant.
 * @param side which
 * @param bundle from `build`
 * @param options its data, and what is measured
 */
export async function serve(side: Side, bundle: Bundle, options: ServeOptions): Promise<Server> {
  const consumer = { maxBatchSize: 100, maxBatchTimeout: 1, maxRetries: 3 }
  const v4: V4MiniflareOptions = {
    log: new Log(LogLevel.NONE),
    // Read and dropped: log lines are part of the work, showing them is not.
    handleStructuredLogs: () => {},
    resourcePersistencePath: options.data,
    telemetry: { enabled: false },
    cf: false,
    ...(options.inspected ? { inspectorPort: 0 } : {}),
    workers: [
      {
        name: side.name,
        ...COMPATIBILITY,
        modules: modulesOf(bundle, options.instrumented ?? false),
        bindings: { ...side.bindings, ...options.bindings },
        d1Databases: { DB: side.name },
        ...(side.kv ? { kvNamespaces: { KV: side.name } } : {}),
        ...(side.limiter
          ? {
              ratelimits: {
                GUESS_LIMITER: {
                  namespace_id: '1',
                  simple: { limit: 1_000_000, period: 60 as const },
                },
              },
            }
          : {}),
        queueProducers: { MAIL_QUEUE: { queueName: side.queue } },
        ...(options.consumes ? { queueConsumers: { [side.queue]: consumer } } : {}),
        outboundService: 'mail-api',
        unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
      },
      {
        name: 'mail-api',
        ...COMPATIBILITY,
        modules: [
          { type: 'ESModule' as const, path: 'mail-api.js', contents: read('mail-api.js') },
        ],
        unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
      },
    ],
  }
  const before = childrenOf()
  const miniflare = new Miniflare(convertV4MiniflareOptions(v4))
  await miniflare.ready
  const processes = [...childrenOf()].filter((pid) => !before.has(pid))
  const url = await miniflare.unsafeGetDirectURL(side.name)
  const mailApiUrl = await miniflare.unsafeGetDirectURL('mail-api')

  async function ask(base: URL, path: string, body?: unknown): Promise<string> {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(new URL(path, base), init)
    const text = await response.text()
    if (!response.ok) throw new Error(`${side.name} ${path}: ${response.status} ${text}`)
    return text
  }

  return {
    side,
    url,
    async send({ method, path, headers, body, expect }) {
      const response = await fetch(new URL(path, url), {
        method,
        headers,
        body,
        redirect: 'manual',
      })
      const text = await response.text()
      if (response.status === expect) return { headers: response.headers, body: text }
      throw new Error(`${side.name} ${method} ${path}: ${response.status}, not ${expect}: ${text}`)
    },
    async take() {
      return JSON.parse(await ask(url, '/__bench/take'))
    },
    async delayD1(ms) {
      await ask(url, `/__bench/delay?ms=${ms}`)
    },
    async advanceClock(ms) {
      await ask(url, `/__bench/clock?ms=${ms}`)
    },
    async takeQueued() {
      return JSON.parse(await ask(url, '/__bench/queued'))
    },
    async consume(bodies) {
      return JSON.parse(await ask(url, `/__bench/queue?name=${side.queue}`, bodies))
    },
    async runCron() {
      await ask(url, '/__bench/scheduled')
    },
    mailApi: {
      received: async () => Number(await ask(mailApiUrl, '/__bench/received')),
      async delay(ms) {
        await ask(mailApiUrl, `/__bench/delay?ms=${ms}`)
      },
    },
    async enqueue(bodies) {
      const producer = await miniflare.getQueueProducer('MAIL_QUEUE', side.name)
      for (let start = 0; start < bodies.length; start += 100) {
        await producer.sendBatch(bodies.slice(start, start + 100).map((body) => ({ body })))
      }
    },
    cpuSeconds: () => cpuSecondsOf(processes),
    inspectorUrl: () => miniflare.getInspectorURL(),
    close: () => miniflare.dispose(),
  }
}
