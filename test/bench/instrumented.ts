// Wraps a bundled Worker for the runs that count or delay. Timed runs use the bundle bare. It
// - counts each call to D1, KV, Queue, rate limiter and outbound HTTP,
// - delays each D1 round trip as asked,
// - puts the clock forward, for what happens to a sign-up's records months later,
// - plays the Queue that delivers and the cron, so that what they do is counted as well.
//
// D1 is tapped where its client hands a request to the database, one `fetch` per round trip: only there are
// `raw()` results, which carry no `meta` at the surface, counted as well. That field is D1's own affair, and
// the wrapper refuses to serve if it is ever gone.

import bundle from './bundle.js'

export * from './bundle.js'

const zero = () => ({
  d1Trips: 0,
  d1Statements: 0,
  rowsRead: 0,
  rowsWritten: 0,
  kvReads: 0,
  kvWrites: 0,
  queueSends: 0,
  queueMessages: 0,
  httpCalls: 0,
  limiterCalls: 0,
})

let counts = zero()
let d1DelayMs = 0
let statements: { sql: string; rowsRead: number; rowsWritten: number }[] = []
const pending = new Set<Promise<unknown>>()
let queued: unknown[] = []

let aheadMs = 0
const RealDate = Date
globalThis.Date = class extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length === 0 ? [RealDate.now() + aheadMs] : given) as [number]))
  }
  static override now() {
    return RealDate.now() + aheadMs
  }
} as DateConstructor

const realFetch = globalThis.fetch
globalThis.fetch = (input: RequestInfo | URL, init?: RequestInit) => {
  counts.httpCalls++
  return realFetch(input, init)
}

interface D1Answer {
  readonly meta?: { readonly rows_read?: number; readonly rows_written?: number }
}

interface D1Query {
  readonly sql: string
}

const listOf = <T>(one: T | readonly T[]): readonly T[] => (Array.isArray(one) ? one : [one as T])

interface D1Fetcher {
  fetch(url: string, init: { readonly body: string }): Promise<Response>
}

interface D1Insides {
  readonly alwaysPrimarySession?: { fetcher?: D1Fetcher }
}

function tapD1(db: D1Insides): void {
  const session = db.alwaysPrimarySession
  const fetcher = session?.fetcher
  if (session === undefined || typeof fetcher?.fetch !== 'function') {
    throw new Error('D1 is not built as it was: see tapD1')
  }
  session.fetcher = {
    async fetch(url, init) {
      counts.d1Trips++
      if (d1DelayMs > 0) await scheduler.wait(d1DelayMs)
      const response = await fetcher.fetch(url, init)
      const queries = listOf<D1Query>(JSON.parse(init.body))
      const answers = listOf<D1Answer>(await response.clone().json())
      for (const [i, { meta }] of answers.entries()) {
        const [rowsRead, rowsWritten] = [meta?.rows_read ?? 0, meta?.rows_written ?? 0]
        counts.d1Statements++
        counts.rowsRead += rowsRead
        counts.rowsWritten += rowsWritten
        statements.push({ sql: queries[i]?.sql ?? '', rowsRead, rowsWritten })
      }
      return response
    },
  }
}

/** Has each call of the named methods noticed first. */
function tapped<T extends object>(target: T, taps: Record<string, (argument: unknown) => void>): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (typeof name === 'string') taps[name]?.(args[0])
        return value.apply(target, args)
      }
    },
  })
}

interface TappedEnv {
  readonly DB: D1Insides
  KV?: object
  MAIL_QUEUE: object
  GUESS_LIMITER?: object
}

const tappedEnvs = new WeakSet<TappedEnv>()

/** In place: what is cached per `env` stays cached. */
function tap(env: TappedEnv): void {
  if (tappedEnvs.has(env)) return
  tappedEnvs.add(env)
  tapD1(env.DB)
  const read = () => counts.kvReads++
  // A listing and a deletion are billed as a write is.
  const write = () => counts.kvWrites++
  if (env.KV !== undefined) {
    const taps = { get: read, getWithMetadata: read, put: write, delete: write, list: write }
    env.KV = tapped(env.KV, taps)
  }
  env.MAIL_QUEUE = tapped(env.MAIL_QUEUE, {
    send(body) {
      counts.queueSends++
      counts.queueMessages++
      queued.push(body)
    },
    sendBatch(messages) {
      const bodies = [...(messages as Iterable<{ body: unknown }>)].map(({ body }) => body)
      counts.queueSends++
      counts.queueMessages += bodies.length
      queued.push(...bodies)
    },
  })
  if (env.GUESS_LIMITER !== undefined) {
    env.GUESS_LIMITER = tapped(env.GUESS_LIMITER, { limit: () => counts.limiterCalls++ })
  }
}

/** Knows what goes on after the answer. */
function watched(ctx: ExecutionContext): ExecutionContext {
  return tapped(ctx, {
    waitUntil(promise) {
      const done = Promise.resolve(promise)
        .catch(() => {})
        .finally(() => pending.delete(done))
      pending.add(done)
    },
  })
}

async function settled(): Promise<void> {
  while (pending.size > 0) await Promise.all(pending)
}

/** A batch as the Queue would deliver it, with what became of its messages. */
function batchOf(queue: string, bodies: unknown[]) {
  let acked = 0
  let retried = 0
  const messages = bodies.map((body, i) => ({
    id: `bench-${i}`,
    timestamp: new Date(),
    attempts: 1,
    body,
    ack: () => acked++,
    retry: () => retried++,
  }))
  const ackAll = () => {
    acked = bodies.length
  }
  const retryAll = () => {
    retried = bodies.length
  }
  return { batch: { queue, messages, ackAll, retryAll }, outcome: () => ({ acked, retried }) }
}

async function control(request: Request, env: unknown, ctx: ExecutionContext): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  switch (pathname) {
    case '/__bench/take': {
      await settled()
      const taken = { counts, statements }
      counts = zero()
      statements = []
      return Response.json(taken)
    }
    case '/__bench/delay':
      d1DelayMs = Number(searchParams.get('ms'))
      return new Response()
    case '/__bench/clock':
      aheadMs += Number(searchParams.get('ms'))
      return new Response()
    case '/__bench/queued': {
      await settled()
      const bodies = queued
      queued = []
      return Response.json(bodies)
    }
    case '/__bench/queue': {
      const { batch, outcome } = batchOf(searchParams.get('name') ?? '', await request.json())
      await bundle.queue(batch, env, watched(ctx))
      return Response.json(outcome())
    }
    case '/__bench/scheduled':
      await bundle.scheduled({ cron: '* * * * *', scheduledTime: Date.now() }, env, watched(ctx))
      return new Response()
    default:
      return new Response(null, { status: 404 })
  }
}

export default {
  fetch(request: Request, env: TappedEnv, ctx: ExecutionContext) {
    tap(env)
    return request.url.includes('/__bench/')
      ? control(request, env, ctx)
      : bundle.fetch(request, env, watched(ctx))
  },
}
