// One Worker for all browser tests, and a front end of somebody else's for `redirect_to` to lead to.

import { createServer } from 'node:http'
import type { TestProject } from 'vitest/node'
import { freePort } from '../../src/dev/cli/port.ts'
import { findChromium } from './chromium.ts'
import { serveBundle } from './serve-bundle.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The Worker's origin. */
    readonly workerUrl: string
    /** The front end's origin, listed in `ALLOWED_ORIGINS`. */
    readonly appUrl: string
    /** What opens the desk. */
    readonly adminToken: string
  }
}

/** One machine plays everybody here. */
const GENEROUS = {
  MAIL_LIMIT_PER_IP: '100000/1h',
  MAIL_REQUESTS_PER_ADDRESS: '100000/15m',
  LOGIN_LIMIT_PER_IP: '100000/15m',
  LOGIN_LIMIT_PER_ADDRESS: '100000/15m',
  CONFIRM_LIMIT_PER_IP: '100000/15m',
  CONFIRM_LIMIT_PER_ADDRESS: '100000/15m',
  ADMIN_LIMIT_PER_IP: '100000/15m',
}

const ADMIN_TOKEN = 'desk-token-for-browser-tests-0123456789'

export default async function setup(project: TestProject) {
  findChromium() // before anything slow, so that its absence is told at once
  const appPort = await freePort()
  const appUrl = `http://localhost:${appPort}`
  const app = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.end(
      '<!doctype html><title>The app</title><link rel="icon" href="data:,"><h1>The app</h1>',
    )
  })
  await new Promise<void>((resolve) => app.listen(appPort, '127.0.0.1', resolve))
  const worker = await serveBundle({
    ...GENEROUS,
    ALLOWED_ORIGINS: appUrl,
    SUPPORT_EMAIL: 'help@mailproof.test',
    ADMIN_TOKEN,
  })
  project.provide('workerUrl', worker.url)
  project.provide('appUrl', appUrl)
  project.provide('adminToken', ADMIN_TOKEN)
  return async () => {
    app.close()
    await worker.stop()
  }
}
