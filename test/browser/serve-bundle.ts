// The Worker as `wrangler deploy` would upload it, served from Miniflare's own socket. `wrangler dev` has a
// proxy in between that loses a POST now and then: where it has kept a connection idle for the same five
// seconds after which workerd closes it (https://github.com/cloudflare/workers-sdk/issues/14641).

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { unstable_getMiniflareWorkerOptions } from 'wrangler'
import { developmentVars, type Vars } from '../../src/dev/cli/dev-vars.ts'
import { freePort } from '../../src/dev/cli/port.ts'
import { inScratch } from '../../src/dev/cli/scratch.ts'
import { applyMigrations, PROJECT, runWrangler } from '../../src/dev/cli/wrangler.ts'

export interface ServedWorker {
  /** Its origin, without a slash at the end. */
  readonly url: string
  /** Ends it and deletes its files. */
  readonly stop: () => Promise<void>
}

/**
 * Bundles the Worker, gives it an empty database and serves it.
 * @param vars settings over those of `developmentVars`
 * @throws Error with wrangler's output where it cannot be bundled or its database not be made
 */
export async function serveBundle(vars: Vars): Promise<ServedWorker> {
  return inScratch(async (scratch, removeScratch) => {
    const state = join(scratch, 'state')
    await Promise.all([
      runWrangler(['deploy', '--dry-run', '--outdir', scratch]),
      applyMigrations(state),
    ])
    // Told to Miniflare beforehand: the Worker's settings name its own origin.
    const port = await freePort()
    const url = `http://localhost:${port}`
    const { workerOptions } = unstable_getMiniflareWorkerOptions(join(PROJECT, 'wrangler.toml'))
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: '127.0.0.1',
        port,
        log: new Log(LogLevel.ERROR),
        // Thrown away: other tests read the log.
        handleStructuredLogs: () => {},
        // Where `wrangler d1 migrations apply` puts the database.
        resourcePersistencePath: join(state, 'v3'),
        telemetry: { enabled: false },
        cf: false,
        workers: [
          {
            ...workerOptions,
            name: 'mailproof',
            modules: [
              {
                type: 'ESModule',
                path: 'index.js',
                contents: await readFile(join(scratch, 'index.js'), 'utf8'),
              },
            ],
            bindings: { ...(workerOptions.bindings ?? {}), ...developmentVars(url), ...vars },
          },
        ],
      }),
    )
    await miniflare.ready
    const stop = async () => {
      await miniflare.dispose()
      await removeScratch()
    }
    return { url, stop }
  })
}
