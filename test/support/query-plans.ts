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
    scans.push(...plan.map(({ detail }) => detail).filter((step) => isWholeScan(step)))
  }
  return { judged: texts.length, scans }
}

/**
 * Whether a step of a plan goes through a table or an index of all its rows. Not a JSON parameter, a constant, a subquery
 * that is judged by itself, or the walk along the mails of a user.
 * @param step as `explain query plan` words it
 * @param partial names of indexes that hold only what the statement is about
 */
export function isWholeScan(step: string, partial: ReadonlySet<string> = new Set()): boolean {
  // Built anew for each run, out of every row.
  if (step.includes('AUTOMATIC')) return true
  if (!step.startsWith('SCAN ')) return false
  if (/VIRTUAL TABLE|CONSTANT ROW|^SCAN (\(subquery-\d+\)|chain)$/.test(step)) return false
  const index = /USING (?:COVERING )?INDEX (\w+)/.exec(step)?.[1]
  return index === undefined || !partial.has(index)
}
