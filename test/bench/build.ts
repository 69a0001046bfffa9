// Bundles each contestant for production, exactly as `wrangler deploy` would upload it.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { runWrangler } from '../../src/dev/cli/wrangler.ts'
import type { Side } from './sides/side.ts'

export interface Bundle {
  readonly script: string
  readonly sha256: string
  readonly bytes: number
  readonly gzipBytes: number
  /** Modules whose code runs when the isolate starts, built-in ones apart. */
  readonly modules: number
  readonly builtinModules: number
  /** Bytes in the bundle by package, the largest first; `src` is the Worker's own. */
  readonly packages: readonly (readonly [name: string, bytes: number])[]
}

interface Metafile {
  readonly inputs: Record<
    string,
    { imports: { path: string; kind: string; external?: boolean }[] } | undefined
  >
  readonly outputs: Record<
    string,
    { entryPoint?: string; inputs: Record<string, { bytesInOutput: number }> }
  >
}

/**
 * Bundles one contestant.
 * @param side which
 * @param scratch a directory for the output
 * @param options minified, as its configuration has it, or not
 */
export async function build(
  side: Side,
  scratch: string,
  { minified } = { minified: true },
): Promise<Bundle> {
  const outdir = join(scratch, `bundle-${side.name}${minified ? '' : '-named'}`)
  const metafile = join(outdir, 'meta.json')
  await runWrangler([
    ...['deploy', '--dry-run', '--config', side.config],
    ...['--outdir', outdir, '--metafile', metafile],
    ...(minified ? [] : ['--minify', 'false']),
  ])
  const script = readFileSync(join(outdir, 'index.js'))
  return {
    script: script.toString('utf8'),
    sha256: createHash('sha256').update(script).digest('hex'),
    bytes: script.length,
    gzipBytes: gzipSync(script).length,
    ...modulesOf(JSON.parse(readFileSync(metafile, 'utf8'))),
  }
}

function modulesOf({ inputs, outputs }: Metafile) {
  const output = Object.values(outputs).find(({ entryPoint }) => entryPoint !== undefined)
  if (output?.entryPoint === undefined) throw new Error('no entry point in the metafile')
  const builtin = new Set<string>()
  const seen = new Set<string>()
  const waiting = [output.entryPoint]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    for (const { path: imported, kind, external } of inputs[path]?.imports ?? []) {
      // What is imported dynamically does not run at the start.
      if (kind === 'dynamic-import') continue
      if (external || inputs[imported] === undefined) builtin.add(imported)
      else waiting.push(imported)
    }
  }
  const packages = new Map<string, number>()
  let modules = 0
  for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
    if (bytesInOutput === 0) continue
    if (seen.has(path)) modules++
    const name = packageOf(path)
    packages.set(name, (packages.get(name) ?? 0) + bytesInOutput)
  }
  return {
    modules,
    builtinModules: builtin.size,
    packages: [...packages].sort(([, a], [, b]) => b - a),
  }
}

function packageOf(path: string): string {
  const inside = path.split('node_modules/').pop() ?? ''
  if (inside === path) return 'src'
  const [scope = '', name = ''] = inside.split('/')
  return scope.startsWith('@') ? `${scope}/${name}` : scope
}
