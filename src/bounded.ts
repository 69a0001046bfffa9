// Every call that leaves the isolate has an end. D1 can stall for many seconds, a mail API for
// longer; a caller that waits with it holds one of six connections, and its user.

/** A dependency that failed or did not answer in time. Says which one, and nothing of what was asked. */
export class Outage extends Error {
  override readonly name = 'Outage'
  /** Whether it was the time that ran out: then a write may or may not have happened. */
  readonly timedOut: boolean
  readonly dependency: Dependency

  constructor(dependency: Dependency, timedOut: boolean, reason: string) {
    super(`${dependency} ${timedOut ? 'did not answer in time' : `failed: ${reason}`}`)
    this.dependency = dependency
    this.timedOut = timedOut
  }
}

export type Dependency = 'd1' | 'kv' | 'queue' | 'mail_api' | 'rate_limiter' | 'cpu'

/**
 * Runs a call against a dependency and waits for it no longer than it may take.
 * @param dependency its name, for the error
 * @param timeoutMs how long to wait, in milliseconds
 * @param call starts the work; a synchronous throw counts as a failure too
 * @returns what the call resolved to
 * @throws Outage where it rejected or the time ran out
 */
export async function bounded<T>(
  dependency: Dependency,
  timeoutMs: number,
  call: () => Promise<T>,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Outage(dependency, true, '')), timeoutMs)
  })
  try {
    return await Promise.race([call(), timeUp])
  } catch (error) {
    throw error instanceof Outage ? error : new Outage(dependency, false, reasonOf(error))
  } finally {
    clearTimeout(timer)
  }
}

/** What D1 says of a failure, up to where values could follow. */
const D1_REASON = /^D1_[A-Z_]+: [A-Za-z _.,]+(: SQLITE_[A-Z_]+)?/

/**
 * What may be said of an error in a log: its class, and D1's own message where it is one. A Drizzle
 * message contains the bound values, addresses and hashes among them, and is never passed on.
 * @param error anything that was thrown
 */
export function reasonOf(error: unknown): string {
  if (error instanceof Outage) return error.message
  if (!(error instanceof Error)) return 'unknown error'
  // D1's own errors say it themselves in a batch, and in the cause where Drizzle has wrapped them.
  for (const source of [error, error.cause]) {
    const d1 = source instanceof Error ? D1_REASON.exec(source.message) : null
    if (d1 !== null) return d1[0]
  }
  return error.name
}
