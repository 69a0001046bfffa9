// npm run demo: the whole journey without a browser, against a Worker of its own or the one at `--url`.
// Exits 0 where every step held, 1 where one did not, 2 where some could not be seen, 64 on a wrong flag.

import { parseArgs } from 'node:util'
import { type Journey, runJourney } from './journey.ts'
import { startWorker } from './serve.ts'
import { whenTold } from './wrangler.ts'

const USAGE = `Usage: npm run demo [-- --url https://auth.example.com]

Registers a fresh address, reads the mail, confirms the link and checks the gate before and after; then
one that does not exist, and waits for its mail to be reported bounced.
Without --url it starts a Worker of its own and stops it in the end.`

const EXIT_CODES: Record<Journey, number> = { held: 0, failed: 1, unseen: 2 }

function urlArgument(): string | null {
  const { values } = parseArgs({ options: { url: { type: 'string' } } })
  if (values.url === undefined) return null
  const url = URL.parse(values.url)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Error('--url must be an http(s) URL')
  return url.href.replace(/\/+$/, '')
}

async function main(): Promise<number> {
  let given: string | null
  try {
    given = urlArgument()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    return 64
  }
  if (given !== null) return EXIT_CODES[await runJourney(given)]

  console.log('Starting a Worker …')
  const worker = await startWorker()
  whenTold(() => worker.stop().finally(() => process.exit(130)))
  try {
    return EXIT_CODES[await runJourney(worker.url)]
  } finally {
    await worker.stop()
  }
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: Error) => {
    console.error(error.message)
    process.exitCode = 1
  },
)
