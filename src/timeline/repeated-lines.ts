// Log lines that strangers can cause at no cost and without end: a flood of them would be billed line by line and bury
// all others. What says the same again within a second is counted, and written as one line that says how often.

import { formatLogLine, type Log, type LogEvent, type LogFields } from './log.ts'

/** A forged or worn link, a genuine one without its claim, a webhook without its signature, a request beyond its limit. */
const ANYBODY_CAUSES: ReadonlySet<LogEvent> = new Set([
  'invalid_token',
  'expired_token',
  'proof_refused',
  'webhook_refused',
  'request_limited',
])

const SECOND = 1000

interface Repeats {
  readonly event: LogEvent
  readonly fields: LogFields
  /** Of the last one. */
  at: number
  /** How many have not been written. */
  count: number
}

/**
 * Makes a log that writes the first line of its kind at once, and what repeats it within a second as one line, before
 * the first line of any kind that comes later than that. An isolate that ends before takes that count along, and no
 * more.
 * @param now the clock, in milliseconds since the epoch
 * @param write where lines go
 */
export function joinRepeatedLines(now: () => number, write: (line: string) => void): Log {
  const seen = new Map<string, Repeats>()
  let since = 0

  function writeRepeats(): void {
    for (const { event, fields, at, count } of seen.values()) {
      if (count === 0) continue
      write(formatLogLine(event, count === 1 ? fields : { ...fields, repeated: count }, at))
    }
    seen.clear()
  }

  return (event, fields = {}) => {
    const at = now()
    if (seen.size > 0 && Math.abs(at - since) >= SECOND) writeRepeats()
    if (ANYBODY_CAUSES.has(event)) {
      const kind = `${event} ${JSON.stringify(fields)}`
      const repeats = seen.get(kind)
      if (repeats !== undefined) {
        repeats.count++
        repeats.at = at
        return
      }
      if (seen.size === 0) since = at
      seen.set(kind, { event, fields, at, count: 0 })
    }
    write(formatLogLine(event, fields, at))
  }
}
