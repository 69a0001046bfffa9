// Ids begin with the instant they were made at, so that the primary key serves as the index by age.

/**
 * The smallest UUIDv7 of an instant (RFC 9562 §5.7: the first 48 bits are milliseconds since the epoch). What was
 * made from one instant until before another has ids from the one's first id to before the other's.
 * @param at milliseconds since the epoch; what lies before the epoch counts as the epoch
 * @returns a prefix, which sorts before every id that begins with it
 */
export function firstIdOf(at: number): string {
  const hex = Math.max(0, at).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
