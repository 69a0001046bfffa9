// A whole Worker for a script or a test: its own port, its own state, its own secrets. It touches neither
// `.dev.vars` nor `.wrangler/state`, and leaves nothing behind.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { developmentVars, type Vars, varArguments } from './dev-vars.ts'
import { freePort } from './port.ts'
import { inScratch } from './scratch.ts'
import {
  applyMigrations,
  collectOutput,
  endTree,
  signalTree,
  startWrangler,
  untilAnswering,
} from './wrangler.ts'

export interface WorkerOptions {
  /** A free one without it. */
  readonly port?: number
  /** A directory of state to keep; a temporary one without it. */
  readonly persistTo?: string
  /** Settings over those of `developmentVars`. */
  readonly vars?: Vars
  readonly timeoutMs?: number
}

export interface RunningWorker {
  /** Its origin, without a slash at the end. */
  readonly url: string
  /** What it was started with, secrets included. */
  readonly vars: Vars
  /** What wrangler and the Worker have printed so far. */
  readonly output: () => string
  /** Ends it and deletes its temporary files. May be called more than once. */
  readonly stop: () => Promise<void>
}

const READY_TIMEOUT_MS = 90_000
const ATTEMPTS = 3

/**
 * Starts `wrangler dev` and waits until the Worker answers.
 * @param options see {@link WorkerOptions}
 * @throws Error with wrangler's output where it does not come up
 */
export async function startWorker(options: WorkerOptions = {}): Promise<RunningWorker> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inScratch((scratch, remove) => startIn(scratch, options, remove))
    } catch (error) {
      // Between finding a free port and taking it, another process can take it.
      const isTaken = error instanceof Error && /address already in use/i.test(error.message)
      if (!isTaken || options.port !== undefined || attempt === ATTEMPTS) throw error
    }
  }
}

async function startIn(
  scratch: string,
  options: WorkerOptions,
  removeScratch: () => Promise<void>,
): Promise<RunningWorker> {
  const port = options.port ?? (await freePort())
  const url = `http://localhost:${port}`
  const vars: Record<string, string> = { ...developmentVars(url), ...options.vars }
  // Refused outside development.
  if (vars.ENVIRONMENT !== 'development') delete vars.DEV_WEBHOOK_SIGNING_KEY
  const state = options.persistTo ?? join(scratch, 'state')
  // Where an env file is named, wrangler leaves `.dev.vars` alone. The secrets come by environment.
  const envFile = join(scratch, 'empty.env')
  await writeFile(envFile, '')
  await applyMigrations(state)

  const child = startWrangler(
    [
      'dev',
      ...['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'],
      ...['--persist-to', state, '--env-file', envFile],
      ...['--show-interactive-dev-session', 'false'],
      ...varArguments(vars),
    ],
    // A registry of its own: other running Workers are not to be seen, nor to see this one.
    { output: 'pipe', env: { ...vars, WRANGLER_REGISTRY_PATH: join(scratch, 'registry') } },
  )
  const output = collectOutput(child)
  const killNow = () => signalTree(child, 'SIGKILL')
  process.once('exit', killNow)

  const stop = async () => {
    process.off('exit', killNow)
    await endTree(child)
    await removeScratch()
  }
  try {
    await untilAnswering(url, child, options.timeoutMs ?? READY_TIMEOUT_MS)
  } catch (error) {
    await stop()
    throw new Error(`${error instanceof Error ? error.message : error}\n${output()}`)
  }
  return { url, vars, output, stop }
}

/**
 * Runs the Worker's cron once: `wrangler dev` does not by itself.
 * @param url the Worker's origin
 * @returns whether it ran
 */
export async function fireCron(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/cdn-cgi/local/scheduled?cron=*+*+*+*+*`, {
      signal: AbortSignal.timeout(30_000),
    })
    return response.ok
  } catch {
    return false
  }
}
