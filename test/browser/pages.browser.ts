// Every page, with scripts on and off, on a phone and on a desktop, by day and by night.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectAccessible, expectNoOverflow, expectReachableByKeyboard } from './checks.ts'
import { type Device, launchChromium, openDevice } from './chromium.ts'
import { scenes } from './scenes.ts'

const WIDTHS = [1280, 320]
const SCHEMES = ['light', 'dark'] as const

const screenshots = process.env.SCREENSHOTS
if (screenshots) mkdirSync(screenshots, { recursive: true })

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser?.close())

/** Brings a page into every shape in turn. */
async function* shapesOf(page: Page): AsyncGenerator<string> {
  for (const width of WIDTHS) {
    for (const colorScheme of SCHEMES) {
      await page.setViewportSize({ width, height: 800 })
      await page.emulateMedia({ colorScheme })
      yield `${width}-${colorScheme}`
    }
  }
}

/**
 * What a visitor without scripts sees, on a page where axe can run: it needs timers, and where scripts are off
 * there are none.
 */
async function copyOf(page: Page): Promise<Device> {
  const html = (await page.content()).replace(/<\/?noscript>|<script[^>]*><\/script>/g, '')
  const copy = await openDevice(browser)
  await copy.page.route(page.url(), (route) =>
    route.fulfill({ body: html, contentType: 'text/html' }),
  )
  await copy.page.goto(page.url())
  return copy
}

async function shoot(page: Page, name: string): Promise<void> {
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
}

describe.each([
  { scripts: 'on', javaScriptEnabled: true },
  { scripts: 'off', javaScriptEnabled: false },
])('with scripts $scripts', ({ scripts, javaScriptEnabled }) => {
  // Rules about pages that reload: this one does, without scripts, and has nothing to lose by it.
  const except = (name: string) =>
    !javaScriptEnabled && name.startsWith('inbox') ? ['meta-refresh'] : []

  it.concurrent.each(scenes)('S16, F13: $name', async ({ name, heading, arrive }) => {
    const { page, complaints, close } = await openDevice(browser, { javaScriptEnabled })
    try {
      await arrive(page)
      const shown = await page.locator('h1').textContent()
      if (typeof heading === 'string') expect(shown).toBe(heading)
      else expect(shown).toMatch(heading)
      for await (const shape of shapesOf(page)) {
        const what = `${name}-${shape}, scripts ${scripts}`
        if (javaScriptEnabled) await shoot(page, `${name}-${shape}`)
        await expectNoOverflow(page, what)
        await expectReachableByKeyboard(page, what)
      }
      const judged = javaScriptEnabled ? page : (await copyOf(page)).page
      for await (const shape of shapesOf(judged)) {
        await expectAccessible(judged, `${name}-${shape}, scripts ${scripts}`, except(name))
      }
      if (judged !== page) await judged.context().close()
      expect(complaints).toEqual([])
    } finally {
      await close()
    }
  })
})
