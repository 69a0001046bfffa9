// workerd's own D1, KV and Queue behind a thin counter that can also fail on command. Nothing is simulated:
// what is not told to fail goes through to the real binding.
//
// Where production refuses what workerd lets pass, it is refused here too, so that every test runs under
// production's rules.

/** `lost`: the call happens, its answer does not arrive. */
export type Fault = 'throw' | 'hang' | 'lost'

export type FaultyBinding = 'd1' | 'kv_get' | 'kv_put' | 'queue' | 'limiter'

/** What went over the wire since the last reset. */
export interface Counts {
  d1: number
  /** Statements within those round trips. */
  statements: number
  /** As D1 bills them. */
  rowsRead: number
  rowsWritten: number
  kvReads: number
  kvWrites: number
  queueSends: number
}

export interface FaultyBindings {
  readonly DB: D1Database
  readonly KV: KVNamespace
  readonly MAIL_QUEUE: Queue
  readonly GUESS_LIMITER: RateLimit
  readonly counts: Counts
  /** Ids handed to the Queue and not yet taken by the test. */
  readonly queued: string[]
  /** Everything ever handed to the Queue, whole, as it would lie there. */
  readonly queueBodies: unknown[]
  /** Every distinct SQL text that was prepared, with how many parameters it binds. */
  readonly sqlTexts: Map<string, number>
  /** Called before every call; a fault makes that call fail. */
  fault: (binding: FaultyBinding, nth: number) => Fault | undefined
  resetCounts: () => void
}

const noCounts = (): Counts => ({
  d1: 0,
  statements: 0,
  rowsRead: 0,
  rowsWritten: 0,
  kvReads: 0,
  kvWrites: 0,
  queueSends: 0,
})

/**
 * Wraps the real bindings.
 * @param env from `cloudflare:workers`
 */
export function faultyBindings(
  env: Pick<Env, 'DB' | 'KV' | 'MAIL_QUEUE' | 'GUESS_LIMITER'>,
): FaultyBindings {
  const nth: Record<FaultyBinding, number> = { d1: 0, kv_get: 0, kv_put: 0, queue: 0, limiter: 0 }

  async function through<T>(binding: FaultyBinding, call: () => Promise<T>): Promise<T> {
    const fault = bindings.fault(binding, ++nth[binding])
    if (fault === 'throw') throw new Error(`${binding} was told to fail`)
    if (fault === 'hang') return new Promise<never>(() => {})
    const answer = await call()
    if (fault === 'lost') throw new Error('Network connection lost.')
    return answer
  }

  /** Whatever bypasses `batch` is a round trip too, and must not go uncounted. */
  function countRuns(statement: D1PreparedStatement, query: string): D1PreparedStatement {
    const bind = statement.bind.bind(statement)
    statement.bind = (...values) => {
      rule(values.length <= 100, `D1 binds at most 100 parameters, not ${values.length}`)
      sqlTexts.set(query, values.length)
      return countRuns(bind(...values), query)
    }
    for (const method of ['all', 'run', 'raw', 'first'] as const) {
      const real = statement[method]
      Reflect.set(statement, method, (...args: unknown[]) => {
        counts.d1++
        return through('d1', () => Reflect.apply(real, statement, args))
      })
    }
    return statement
  }

  const counts = noCounts()
  const queued: string[] = []
  const queueBodies: unknown[] = []
  const sqlTexts = new Map<string, number>()
  const bindings: FaultyBindings = {
    counts,
    queued,
    queueBodies,
    sqlTexts,
    fault: () => undefined,
    resetCounts: () => Object.assign(counts, noCounts()),
    GUESS_LIMITER: proxied(env.GUESS_LIMITER, {
      limit: (options: RateLimitOptions) =>
        through('limiter', () => env.GUESS_LIMITER.limit(options)),
    }),
    DB: proxied(env.DB, {
      prepare: (query: string) => {
        rule(query.length <= 100_000, 'D1 takes at most 100 KB of SQL')
        if (!sqlTexts.has(query)) sqlTexts.set(query, 0)
        return countRuns(env.DB.prepare(query), query)
      },
      batch: (statements: D1PreparedStatement[]) => {
        counts.d1++
        counts.statements += statements.length
        return through('d1', async () => {
          const results = await env.DB.batch(statements)
          for (const { meta } of results) {
            counts.rowsRead += meta.rows_read
            counts.rowsWritten += meta.rows_written
          }
          return results
        })
      },
    }),
    KV: proxied(env.KV, {
      get: (...args: unknown[]) => {
        counts.kvReads++
        return through('kv_get', () => Reflect.apply(env.KV.get, env.KV, args))
      },
      put: (...args: unknown[]) => {
        counts.kvWrites++
        const [key, , options] = args as Parameters<KVNamespace['put']>
        rule(new TextEncoder().encode(key).length <= 512, 'KV keys have at most 512 bytes')
        rule((options?.expirationTtl ?? 60) >= 60, 'KV keeps nothing for less than 60 seconds')
        return through('kv_put', () => Reflect.apply(env.KV.put, env.KV, args))
      },
    }),
    // The message goes to the test, which delivers it when the story says so.
    MAIL_QUEUE: proxied(env.MAIL_QUEUE, {
      sendBatch: (messages: Iterable<{ body: unknown }>) => {
        counts.queueSends++
        const bodies = [...messages].map(({ body }) => body)
        rule(bodies.length <= 100, 'a Queue takes at most 100 messages at once')
        return through('queue', async () => {
          queueBodies.push(...bodies)
          queued.push(...bodies.map(idOf))
        })
      },
    }),
  }
  return bindings
}

/** Noted as well as thrown: a call that fails softly would hide it. */
function rule(holds: boolean, message: string): void {
  if (holds) return
  brokenRules.push(message)
  throw new Error(message)
}

/** Rules of production that something broke since the start. A test's end must find it empty. */
export const brokenRules: string[] = []

function idOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'id' in body ? String(body.id) : ''
}

function proxied<T extends object>(real: T, replaced: Record<string, unknown>): T {
  return new Proxy(real, {
    get(target, name) {
      if (typeof name === 'string' && name in replaced) return replaced[name]
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
