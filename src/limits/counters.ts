// Windows kept in KV: the cheap first gate. KV is no limiter by itself (get-then-put loses counts under
// concurrency, and other locations see a write a minute later), so it only turns floods away and fails
// soft; D1 decides the limits that must be exact.
//
// KV is also the slowest and dearest thing a request touches, and most windows see one request only: somebody signs up,
// and that was it. So each isolate remembers what it counted. It asks KV from a client's second request of a window on,
// and tells it of every second one, or of a twentieth of a high limit at once. That much is given away for each isolate
// that is reached; of limits under ten, nothing.

import * as z from 'zod/mini'
import { encodeBase64Url } from '../signing/base64url.ts'
import { countIn, type RatePolicy, type Verdict, type WindowState } from './window.ts'

/** One thing to count: a policy and whom it is counted against. */
export interface Subject {
  readonly policy: RatePolicy
  /** An address or an IP; it reaches KV only as a keyed hash. */
  readonly value: string
  /**
   * The one who asks, by its IP. Of anybody else (an address) the same is asked of KV each time: the work must not tell
   * whether somebody asked about it before.
   */
  readonly isClient?: true
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

/** From this limit on an isolate keeps requests to itself: one of ten, and of high limits one step of twenty. */
const KEPT_FROM_LIMIT = 10
const STEPS_PER_LIMIT = 20

/** With so many requests that KV has not been told of, it is told. */
function stepOf({ limit }: RatePolicy): number {
  return Math.max(limit < KEPT_FROM_LIMIT ? 1 : 2, Math.floor(limit / STEPS_PER_LIMIT))
}

/** Windows that an isolate remembers, a few hundred bytes each; the oldest are forgotten. */
export const MAX_REMEMBERED = 10_000

/** A window with the requests that KV has not been told of. */
interface Window extends WindowState {
  readonly unwritten: number
}

const encoder = new TextEncoder()

const storedWindow = z.object({ count: z.int().check(z.minimum(0)), endsAt: z.int() })

/**
 * @param store reads and writes one key; may reject
 * @param burstGate counts a name exactly over a minute and says whether it may go on; may reject
 * @param key HMAC key for the names of counters: a plain hash of an IP or an address is soon guessed
 * @param now the clock, milliseconds since the epoch
 * @param onFailure told of every read or write that failed
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
): Counters {
  async function read(subject: Subject): Promise<WindowState | null> {
    try {
      const text = await store.get(await counterName(key, subject))
      return text === null ? null : storedWindow.parse(JSON.parse(text))
    } catch (error) {
      onFailure(error)
      return null
    }
  }

  /** Guesses sent at once all read the same KV counter; this gate counts them one by one. */
  async function isBurst(subject: Subject): Promise<boolean> {
    try {
      return !(await burstGate(await counterName(key, subject)))
    } catch (error) {
      onFailure(error)
      return false
    }
  }

  async function write(
    subject: Subject,
    { count, endsAt }: WindowState,
    at: number,
  ): Promise<void> {
    const ttlSeconds = Math.max(KV_MIN_TTL_SECONDS, Math.ceil((endsAt - at) / 1000))
    try {
      const name = await counterName(key, subject)
      await store.put(name, JSON.stringify({ count, endsAt }), ttlSeconds)
    } catch (error) {
      onFailure(error)
    }
  }

  /** What this isolate counted itself or read; the oldest first. */
  const remembered = new Map<string, Window>()

  function recall(subject: Subject, at: number): Window | null {
    const window = remembered.get(localKey(subject))
    return window === undefined || window.endsAt <= at ? null : window
  }

  function remember(subject: Subject, window: Window): void {
    const name = localKey(subject)
    remembered.delete(name)
    remembered.set(name, window)
    const [oldest] = remembered.keys()
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest)
  }

  /**
   * Both together. KV answers late: for a minute it may not know what was written, and then this isolate knows better.
   */
  function withStored(own: Window | null, stored: WindowState | null, at: number): Window | null {
    if (stored === null || stored.endsAt <= at) return own
    if (own === null) return { ...stored, unwritten: 0 }
    return { ...own, count: Math.max(own.count, stored.count + own.unwritten) }
  }

  return {
    async check(subjects) {
      const at = now()
      const counted = await Promise.all(
        subjects.map(async (subject) => {
          const { policy, isClient, isGuess } = subject
          const isFirst = isClient && stepOf(policy) > 1 && recall(subject, at) === null
          const [stored, refused] = await Promise.all([
            isFirst ? null : read(subject),
            isGuess ? isBurst(subject) : false,
          ])
          const { verdict } = countIn(withStored(recall(subject, at), stored, at), policy, at)
          return { subject, stored, verdict: refused ? burstVerdict(policy) : verdict }
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
            counted.map(async ({ subject, stored }) => {
              // Looked at again: others that came at the same time have counted themselves meanwhile.
              const window = withStored(recall(subject, at), stored, at)
              const { next } = countIn(window, subject.policy, at)
              const unwritten = (window?.unwritten ?? 0) + 1
              if (unwritten < stepOf(subject.policy)) {
                return remember(subject, { ...next, unwritten })
              }
              remember(subject, { ...next, unwritten: 0 })
              await write(subject, next, at)
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

/** What a window is remembered by, within the isolate. */
function localKey({ policy, value }: Subject): string {
  return `${policy.name}\n${value}`
}

/**
 * What KV and the rate limiter know it by: `<policy>:<22 characters>`, far under KV's 512 bytes. Made only where one of
 * them is asked, which for most requests is not so: see the top.
 */
async function counterName(key: CryptoKey, subject: Subject): Promise<string> {
  const input = encoder.encode(`mailproof counter v1\n${localKey(subject)}`)
  const mac = await crypto.subtle.sign('HMAC', key, input)
  return `${subject.policy.name}:${encodeBase64Url(new Uint8Array(mac, 0, 16))}`
}
