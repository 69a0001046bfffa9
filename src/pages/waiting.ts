// How long to wait, in words.

/**
 * A wait as a person would say it. Rounded up: who comes back then must not be early.
 * @param seconds how long
 */
export function describeWait(seconds: number): string {
  if (seconds < 90) return counted(seconds, 'second')
  const minutes = Math.ceil(seconds / 60)
  return minutes < 90 ? counted(minutes, 'minute') : counted(Math.ceil(minutes / 60), 'hour')
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
