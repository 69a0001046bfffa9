// How SQLite runs what the Worker asks of D1.

import type { Harness } from './harness.ts'

/**
 * The steps that walk through a whole table or index, of every statement that `act` is the first to run.
 * @returns `judged` is how many statements there were
 */
export async function wholeScans(
  h: Harness,
  act: () => Promise<unknown>,
): Promise<{ judged: number; scans: string[] }> {
  const earlier = new Set(h.bindings.sqlTexts.keys())
  await act()
  const texts = [...h.bindings.sqlTexts].filter(([text]) => !earlier.has(text))
  const scans: string[] = []
  for (const [text, parameters] of texts) {
    const plan = await h.rows<{ detail: string }>(
      `explain query plan ${text}`,
      ...Array<null>(parameters).fill(null),
    )
    scans.push(...plan.map(({ detail }) => detail).filter(isWholeScan))
  }
  return { judged: texts.length, scans }
}

/** Not a JSON parameter, a constant, a subquery that is judged by itself, or the walk along the mails of a user. */
function isWholeScan(step: string): boolean {
  return /AUTOMATIC|^SCAN (?!\w+ VIRTUAL TABLE|CONSTANT ROW|\(subquery-\d+\)$|chain$)/.test(step)
}
