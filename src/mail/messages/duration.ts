// How long a link works, in words.

import type { Locale } from '../../schema.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * A duration for people, in its largest whole unit; a single day stays "24 hours", which is how people
 * speak of a link's life. Rounds down: a mail must not promise more than there is.
 * @param locale whose plurals to use
 * @param ms milliseconds
 * @returns such as `15 minutes`, `24 Stunden`, `7 days`
 */
export function describeDuration(locale: Locale, ms: number): string {
  const [count, unit]: [number, Unit] =
    ms > DAY && ms % DAY === 0
      ? [ms / DAY, 'day']
      : ms >= HOUR && ms % HOUR === 0
        ? [ms / HOUR, 'hour']
        : [Math.floor(ms / MINUTE), 'minute']
  return formatOf(locale, unit).format(count)
}

type Unit = 'day' | 'hour' | 'minute'

/** Kept, because making one takes longer than writing the rest of a mail. */
const formats = new Map<string, Intl.NumberFormat>()

function formatOf(locale: Locale, unit: Unit): Intl.NumberFormat {
  const key = `${locale} ${unit}`
  const known = formats.get(key)
  if (known !== undefined) return known
  const format = new Intl.NumberFormat(locale, {
    style: 'unit',
    unit,
    unitDisplay: 'long',
    // "1.439 Minuten" could be read as one and a half.
    useGrouping: false,
  })
  formats.set(key, format)
  return format
}
