// Windows kept in KV: the cheap first gate. KV is no limiter by itself (get-then-put loses counts under
// concurrency, and other locations see a write a minute later), so it only turns floods away and fails
// soft; D1 decides the limits that must be exact.
//
// Writes to KV are the dearest thing a request does, and most windows see one request only: somebody signs up, and
// that was it. So the first request of a window stays in the isolate's memory, and is written together with the
// second. What this gives away is one request for each isolate that a client reaches; limits that are too low to give
// one away are written from the first.

import * as z from 'zod/mini'
import { encodeBase64Url } from '../signing/base64url.ts'
import { countIn, type RatePolicy, type Verdict, type WindowState } from './window.ts'

/** One thing to count: a policy and whom it is counted against. */
export interface Subject {
  readonly policy: RatePolicy
  /** An address or an IP; it reaches KV only as a keyed hash. */
  readonly value: string
  /** A password guess: bursts of it are stopped exactly, not only counted softly. */
  readonly isGuess?: true
}

/** A verdict over several subjects. */
export interface GateResult {
  /** The refusal that lasts longest, or null where all allow. */
  readonly refusedBy: Verdict | null
  /** Writes the counts. Never rejects. Call it once, or not at all where the request should not count. */
  readonly charge: () => Promise<void>
}

export interface Counters {
  /**
   * Reads all counters at once and judges. Never rejects: a counter that cannot be read allows.
   * @param subjects what to count
   */
  readonly check: (subjects: readonly Subject[]) => Promise<GateResult>
}

/** Cloudflare KV refuses `expirationTtl` under 60 seconds; the local simulation does not. */
export const KV_MIN_TTL_SECONDS = 60

/** The period of the burst gate, as wrangler.toml sets it. */
const BURST_SECONDS = 60

/**
 * A limit is counted in so many steps, so that a high one, which is there for floods, is written seldom: five at once,
 * one time in five. The limit then holds on average, which is all that KV could promise anyhow.
 */
const STEPS_PER_LIMIT = 20

/** From this limit on the first request of a window is not written by itself. */
export const HELD_FROM_LIMIT = 10
/** Windows with one request that an isolate remembers, some two hundred bytes each; the oldest are forgotten. */
export const MAX_HELD = 10_000

const storedWindow = z.object({ count: z.int().check(z.minimum(0)), endsAt: z.int() })

/**
 * @param store reads and writes one key; may reject
 * @param burstGate counts a name exactly over a minute and says whether it may go on; may reject
 * @param key HMAC key for the names of counters: a plain hash of an IP or an address is soon guessed
 * @param now the clock, milliseconds since the epoch
 * @param onFailure told of every read or write that failed
 * @param random from 0 up to, not including, 1: which requests are written for all of a step
 */
export function createCounters(
  store: {
    get: (key: string) => Promise<string | null>
    put: (key: string, value: string, ttlSeconds: number) => Promise<void>
  },
  burstGate: (name: string) => Promise<boolean>,
  key: CryptoKey,
  now: () => number,
  onFailure: (error: unknown) => void,
  random: () => number,
): Counters {
  async function read(name: string): Promise<WindowState | null> {
    try {
      const text = await store.get(name)
      return text === null ? null : storedWindow.parse(JSON.parse(text))
    } catch (error) {
      onFailure(error)
      return null
    }
  }

  /** Guesses sent at once all read the same KV counter; this gate counts them one by one. */
  async function isBurst(name: string): Promise<boolean> {
    try {
      return !(await burstGate(name))
    } catch (error) {
      onFailure(error)
      return false
    }
  }

  async function write(name: string, state: WindowState, at: number): Promise<void> {
    const ttlSeconds = Math.max(KV_MIN_TTL_SECONDS, Math.ceil((state.endsAt - at) / 1000))
    await store.put(name, JSON.stringify(state), ttlSeconds).catch(onFailure)
  }

  /** First requests of their windows, which KV does not know of. */
  const held = new Map<string, WindowState>()

  /** What KV says, and what this isolate holds back. */
  function withHeld(name: string, stored: WindowState | null, at: number): WindowState | null {
    const first = held.get(name)
    if (first === undefined || first.endsAt <= at) return stored
    return stored === null || stored.endsAt <= at
      ? first
      : { ...stored, count: stored.count + first.count }
  }

  function hold(name: string, first: WindowState): void {
    held.delete(name)
    held.set(name, first)
    const [oldest] = held.keys()
    if (held.size > MAX_HELD && oldest !== undefined) held.delete(oldest)
  }

  return {
    async check(subjects) {
      const at = now()
      const counted = await Promise.all(
        subjects.map(async ({ policy, value, isGuess }) => {
          const name = await counterName(key, policy, value)
          const [stored, refused] = await Promise.all([read(name), isGuess ? isBurst(name) : false])
          const { verdict } = countIn(withHeld(name, stored, at), policy, at)
          return { name, policy, stored, verdict: refused ? burstVerdict(policy) : verdict }
        }),
      )
      const refusals = counted.map((c) => c.verdict).filter((verdict) => !verdict.allowed)
      refusals.sort((a, b) => b.resetSeconds - a.resetSeconds)
      const refusedBy = refusals[0] ?? null
      return {
        refusedBy,
        async charge() {
          // A refused request costs no KV write: those are what a flood would be billed for.
          if (refusedBy !== null) return
          await Promise.all(
            counted.map(async ({ name, policy, stored }) => {
              // Looked at again: of requests that came at once, the first one held itself back meanwhile.
              const { next } = countIn(withHeld(name, stored, at), policy, at)
              if (next.count === 1 && policy.limit >= HELD_FROM_LIMIT) return hold(name, next)
              const step = Math.max(1, Math.floor(policy.limit / STEPS_PER_LIMIT))
              if (random() >= 1 / step) return
              held.delete(name)
              await write(name, { ...next, count: next.count + step - 1 }, at)
            }),
          )
        },
      }
    },
  }
}

function burstVerdict(policy: RatePolicy): Verdict {
  return { policy, allowed: false, remaining: 0, resetSeconds: BURST_SECONDS }
}

/** `<policy>:<22 characters>`; far under KV's 512 bytes. */
async function counterName(key: CryptoKey, policy: RatePolicy, value: string): Promise<string> {
  const input = new TextEncoder().encode(`mailproof counter v1\n${policy.name}\n${value}`)
  const mac = await crypto.subtle.sign('HMAC', key, input)
  return `${policy.name}:${encodeBase64Url(new Uint8Array(mac, 0, 16))}`
}
