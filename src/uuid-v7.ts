// Ids that sort by when they were made: rows made together lie together, and the primary key serves as the index by
// age.

/**
 * A UUID of version 7: the time, and 74 bits of chance (RFC 9562 §5.7). Version 4 has the same bits in the same
 * places behind its version digit, so the chance is the platform's.
 * @param nowMs whole milliseconds since the epoch
 */
export function uuidV7(nowMs: number): string {
  return `${firstIdOf(nowMs)}-7${crypto.randomUUID().slice(15)}`
}

/**
 * The smallest UUIDv7 of an instant (its first 48 bits are milliseconds since the epoch). What was made from one
 * instant until before another has ids from the one's first id to before the other's.
 * @param at milliseconds since the epoch; what lies before the epoch counts as the epoch
 * @returns a prefix, which sorts before every id that begins with it
 */
export function firstIdOf(at: number): string {
  const hex = Math.max(0, at).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}

/**
 * When an id was made.
 * @param id a UUIDv7
 * @returns milliseconds since the epoch
 */
export function instantOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
}
