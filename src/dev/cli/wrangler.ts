// Running the wrangler of node_modules: never asking, never calling home, and leaving nothing behind.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The directory of wrangler.toml. */
export const PROJECT = fileURLToPath(new URL('../../..', import.meta.url).href)

const WRANGLER = join(
  dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
  'bin/wrangler.js',
)

const QUIET = {
  // No terminal to ask in: a migration would wait for a yes.
  CI: '1',
  WRANGLER_SEND_METRICS: 'false',
  // The banner looks for a newer release.
  WRANGLER_HIDE_BANNER: 'true',
  // Where the caller is, as the edge would tell: asked of the network otherwise.
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
}

const GRACE_MS = 5_000

/**
 * Starts wrangler on the Node that runs this, in a process group of its own so that all of it can be
 * ended: wrangler starts another Node, which starts workerd.
 * @param args its arguments
 * @param options where its output goes; more environment variables
 */
export function startWrangler(
  args: readonly string[],
  options: { output: 'inherit' | 'pipe'; env?: Readonly<Record<string, string>> },
): ChildProcess {
  return spawn(process.execPath, [WRANGLER, ...args], {
    cwd: PROJECT,
    env: { ...process.env, ...QUIET, ...options.env },
    stdio: ['ignore', options.output, options.output],
    detached: process.platform !== 'win32',
  })
}

/**
 * Applies the migrations to a local D1. Says nothing unless it fails.
 * @param persistTo the directory of the state; `.wrangler/state` without it
 * @throws Error with wrangler's output
 */
export async function applyMigrations(persistTo?: string): Promise<void> {
  const persist = persistTo === undefined ? [] : ['--persist-to', persistTo]
  await runWrangler(['d1', 'migrations', 'apply', 'DB', '--local', ...persist])
}

/**
 * Runs wrangler and waits for its end. Says nothing unless it fails.
 * @param args its arguments
 * @returns what it printed
 * @throws Error with that text where it fails
 */
export async function runWrangler(args: readonly string[]): Promise<string> {
  const child = startWrangler(args, { output: 'pipe' })
  const output = collectOutput(child)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`wrangler ${args.join(' ')} failed.\n${output()}`)
  return output()
}

/**
 * Remembers what a process prints.
 * @param child with piped output
 * @returns gives the text so far
 */
export function collectOutput(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  return () => text
}

/**
 * Waits until a Worker answers, with whatever status.
 * @param url its origin
 * @param child the process that is to serve it
 * @param timeoutMs how long to wait
 * @returns the answer of `/healthz`
 * @throws Error where the process ends or the time runs out
 */
export async function untilAnswering(
  url: string,
  child: ChildProcess,
  timeoutMs: number,
): Promise<Response> {
  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline) {
    if (hasEnded(child)) throw new Error('wrangler ended before the Worker answered.')
    try {
      return await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) })
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
  }
  throw new Error(`The Worker did not answer within ${timeoutMs / 1000} seconds.`)
}

/**
 * Ends a process and all that it started: kindly, then by force.
 * @param child from {@link startWrangler}
 */
export async function endTree(child: ChildProcess): Promise<void> {
  if (!hasEnded(child)) {
    const ended = once(child, 'exit')
    signalTree(child, 'SIGTERM')
    let timer: NodeJS.Timeout | undefined
    const grace = new Promise((resolve) => {
      timer = setTimeout(resolve, GRACE_MS)
    })
    await Promise.race([ended, grace])
    clearTimeout(timer)
  }
  // The group may outlive its first process.
  signalTree(child, 'SIGKILL')
}

/**
 * Sends a signal to a process and all that it started.
 * @param child from {@link startWrangler}
 * @param signal the signal
 */
export function signalTree(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  if (process.platform === 'win32') {
    if (!hasEnded(child)) spawnSync('taskkill', ['/T', '/F', '/PID', String(child.pid)])
    return
  }
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The whole group is gone.
  }
}

/**
 * Tells when this script is to end: on a signal, on the closing of its terminal, and when its parent has
 * gone. `npm run` passes SIGTERM to a shell, which dies of it without telling us.
 * @param onEnd called with the signal to pass on; may be called more than once
 */
export function whenTold(onEnd: (signal: 'SIGINT' | 'SIGTERM') => void): void {
  process.on('SIGINT', () => onEnd('SIGINT'))
  process.on('SIGTERM', () => onEnd('SIGTERM'))
  process.on('SIGHUP', () => onEnd('SIGTERM'))
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) onEnd('SIGTERM')
  }, 1_000).unref()
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
