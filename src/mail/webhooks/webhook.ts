// What the webhook route knows of a provider: how it proves who is calling, and what its events mean.

import type { DeliveryReport } from '../delivery-states.ts'
import type { ProviderName } from '../providers/provider.ts'

/** Why a call is not taken for the provider's, for the log alone: the caller learns only that it is not. */
export type Refusal =
  | 'missing_header'
  | 'malformed_header'
  | 'stale'
  | 'wrong_signature'
  | 'wrong_password'

export interface Webhook {
  readonly provider: ProviderName
  /**
   * What can be told from the headers alone. It comes first, so that a call without a proof costs neither the
   * reading of its body nor any cryptography.
   * @param headers of the request
   * @param nowMs milliseconds since the epoch
   * @returns the proof still to be checked against the body, or why there is none
   */
  readonly inspect: (headers: Headers, nowMs: number) => Refusal | Proof
  /**
   * Reads a genuine body. Events of no interest, and those that are not understood, are left out.
   * @param payload the parsed JSON
   * @param nowMs the time of events that do not say theirs, in milliseconds since the epoch
   * @returns null where it is not what this provider sends at all
   */
  readonly read: (payload: unknown, nowMs: number) => DeliveryReport[] | null
}

/**
 * Checks the body, byte for byte as it came: JSON that was parsed and written again is another text, with another
 * signature.
 */
export type Proof = (body: Uint8Array) => Promise<Refusal | null>

/** A signed request may be so old, or so far ahead: the limit to how long a recorded one can be replayed. */
const WINDOW_SECONDS = 5 * 60

/**
 * Whether the signed timestamp of a request is near enough. It stops the replay of recorded requests; within the
 * window a replay is harmless, because reports are applied once.
 * @param timestamp as the header has it: whole seconds since the epoch
 * @param nowMs milliseconds since the epoch
 */
export function checkTimestamp(timestamp: string, nowMs: number): Refusal | null {
  if (!/^\d{1,12}$/.test(timestamp)) return 'malformed_header'
  const age = Math.abs(Math.floor(nowMs / 1000) - Number(timestamp))
  return age <= WINDOW_SECONDS ? null : 'stale'
}

/**
 * Base64 in its one canonical spelling (RFC 4648 §3.5), so that every character of a signature counts.
 * @param text what came from outside
 * @returns the bytes, or null
 */
export function decodeBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' })
  } catch {
    return null
  }
}

/**
 * Bytes one after the other.
 * @param text comes first, as UTF-8
 * @param bytes come after it
 */
export function joinBytes(text: string, bytes: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(text)
  const joined = new Uint8Array(head.length + bytes.length)
  joined.set(head)
  joined.set(bytes, head.length)
  return joined
}

/**
 * The instant that an event names.
 * @param text ISO 8601
 * @param nowMs taken where it names none
 * @returns milliseconds since the epoch
 */
export function instantOf(text: string | undefined | null, nowMs: number): number {
  const at = text === undefined || text === null ? Number.NaN : Date.parse(text)
  return Number.isNaN(at) ? nowMs : at
}
