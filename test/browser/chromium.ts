// The browser. None is downloaded: the machine's own Chromium does.

import { accessSync, constants } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { inject } from 'vitest'

const DEFAULT_PATH = '/usr/bin/chromium'

/**
 * The path of a Chromium.
 * @throws Error that says how to get one
 */
export function findChromium(): string {
  const path = process.env.CHROMIUM || DEFAULT_PATH
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    throw new Error(
      `No Chromium at ${path}. Install it (Debian and Ubuntu: apt-get install chromium), or set CHROMIUM to the path of one.`,
    )
  }
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** A device: a page in a context of its own, and what its console complained about. */
export interface Device {
  readonly page: Page
  readonly complaints: string[]
  readonly close: () => Promise<void>
}

/**
 * Opens a device.
 * @param browser from {@link launchChromium}
 * @param options `javaScriptEnabled: false` for a visitor who runs no scripts
 */
export async function openDevice(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Device> {
  const context = await browser.newContext({
    baseURL: inject('workerUrl'),
    locale: 'en-US',
    ...options,
  })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // Chromium calls every page of 400 and above an error; ours are meant to be that.
    const isOwnStatus =
      message.text().startsWith('Failed to load resource') &&
      message.location().url.split('#')[0] === page.url().split('#')[0]
    if (['error', 'warning'].includes(message.type()) && !isOwnStatus) {
      complaints.push(`${page.url()}: ${message.text()}`)
    }
  })
  page.on('requestfailed', (request) => {
    // What a navigation cuts off is no failure.
    const reason = request.failure()?.errorText ?? ''
    if (reason !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${reason}`)
  })
  return { page, complaints, close: () => context.close() }
}
