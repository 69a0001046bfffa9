// What has to hold on every page, in every shape of it.

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

const axeSource = await readFile(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
)

// Expressions as text: they run in the page, whose DOM this project's types do not know.
const CONTROLS = `[...document.querySelectorAll('a[href], button, input:not([type=hidden]), textarea, iframe, summary')]
  .filter((control) => control.checkVisibility())`

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/**
 * axe-core finds nothing. It comes in by the debugger's door, past the page's policy.
 * @param page loaded
 * @param what for the message
 * @param except rules that do not apply here
 */
export async function expectAccessible(
  page: Page,
  what: string,
  except: readonly string[] = [],
): Promise<void> {
  const rules = Object.fromEntries(except.map((id) => [id, { enabled: false }]))
  const options = {
    rules: { 'target-size': { enabled: true }, ...rules },
    resultTypes: ['violations'],
  }
  await page.evaluate(`${axeSource}; undefined`)
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    `axe.run(document, ${JSON.stringify(options)})`,
  )
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n  ${html}\n  ${failureSummary}`),
  )
  expect(found, what).toEqual([])
}

/** Nothing sticks out to the side, where a phone would have to scroll for it. */
export async function expectNoOverflow(page: Page, what: string): Promise<void> {
  const [content, window] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  )
  expect(content, `${what}: sticks out`).toBeLessThanOrEqual(window)
}

/** Tab reaches every control, in their order, and each shows that it has the focus. */
export async function expectReachableByKeyboard(page: Page, what: string): Promise<void> {
  const count = await page.evaluate<number>(`(${CONTROLS}).length`)
  expect(count, `${what}: has controls`).toBeGreaterThan(0)
  // From the top, wherever the page has put the focus.
  await page.evaluate(`(() => {
    document.body.tabIndex = -1
    document.body.focus()
    document.body.removeAttribute('tabindex')
  })()`)
  const reached: number[] = []
  for (let press = 0; press < 3 * count + 5 && reached.length < count; press++) {
    await page.keyboard.press('Tab')
    const [index, isSeen] = await page.evaluate<[number, boolean]>(`(() => {
      const control = document.activeElement
      const { outlineStyle, outlineWidth } = getComputedStyle(control)
      const isSeen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
      return [(${CONTROLS}).indexOf(control), isSeen || control.matches('iframe')]
    })()`)
    if (index < 0 || reached.includes(index)) continue
    expect(isSeen, `${what}: control ${index} shows its focus`).toBe(true)
    reached.push(index)
  }
  expect(reached, `${what}: Tab order`).toEqual([...Array(count).keys()])
}
