// Ids that sort by when they were made, so that rows and index entries made together lie together.

/**
 * A UUID of version 7: the time, and 74 bits of chance (RFC 9562 §5.7). Version 4 has the same bits in the same
 * places behind its version digit, so the chance is the platform's.
 * @param nowMs whole milliseconds since the epoch
 */
export function uuidV7(nowMs: number): string {
  const time = nowMs.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`
}
