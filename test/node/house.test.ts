// The rules of the house, held against the source itself: imports go one way, and the clock, the network and
// the bindings are read in one place each.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

interface Source {
  readonly path: string
  readonly text: string
  /** Without comments, so that prose breaks no rule. */
  readonly code: string
  readonly imports: readonly { readonly from: string; readonly isType: boolean }[]
}

const sources: Source[] = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((name) => join('src', name))
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'))
  // Scripts for Node: not part of the Worker.
  .filter((path) => !path.startsWith('src/dev/cli/'))
  .map((path) => {
    const text = readFileSync(path, 'utf8')
    const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
    const imports = [...code.matchAll(/^(import|export) ([^'";]*?)from '([^']+)'/gm)].map(
      ([, , what = '', from = '']) => ({
        from: from.startsWith('.') ? normalize(join(dirname(path), from)) : from,
        isType: what.startsWith('type '),
      }),
    )
    return { path, text, code, imports }
  })

const inFolder = (folder: string) => (path: string) => path.startsWith(`src/${folder}/`)
const importsInto = (source: Source, ...folders: string[]) =>
  source.imports
    .filter(({ from }) => folders.some((folder) => from.startsWith(`src/${folder}`)))
    .map(({ from }) => `${source.path} → ${from}`)

/** Where each folder may not reach. */
const FORBIDDEN: Record<string, string[]> = {
  signing: ['accounts', 'mail', 'pages', 'dev', 'http', 'limits', 'timeline', 'schema', 'deps'],
  limits: ['accounts', 'mail', 'pages', 'dev', 'http', 'timeline', 'schema', 'deps'],
  timeline: ['accounts', 'mail', 'pages', 'dev', 'http', 'limits', 'signing'],
  mail: ['accounts', 'pages', 'dev'],
  accounts: ['pages', 'dev'],
  dev: ['accounts', 'pages', 'mail'],
  http: ['accounts', 'mail', 'pages', 'dev'],
  pages: ['mail', 'dev'],
  admin: ['dev'],
}

describe('imports go one way', () => {
  it('there is source to judge', () => {
    expect(sources.length).toBeGreaterThan(40)
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(150)
  })

  it.each(Object.entries(FORBIDDEN))('%s does not reach up', (folder, forbidden) => {
    const offences = sources
      .filter(({ path }) => inFolder(folder)(path))
      .flatMap((source) => importsInto(source, ...forbidden, 'app.ts', 'index.ts'))
    expect(offences).toEqual([])
  })

  it('nobody imports the entry, and only the entry imports the app', () => {
    expect(sources.flatMap((source) => importsInto(source, 'index.ts'))).toEqual([])
    expect(sources.flatMap((source) => importsInto(source, 'app.ts'))).toEqual([
      'src/index.ts → src/app.ts',
    ])
  })

  it('nobody but the app imports the desk', () => {
    const outside = sources.filter(({ path }) => !inFolder('admin')(path))
    expect(outside.flatMap((source) => importsInto(source, 'admin/'))).toEqual([
      'src/app.ts → src/admin/routes/admin-routes.ts',
    ])
  })

  it('no file imports itself by a detour', () => {
    const values = new Map(
      sources.map(({ path, imports }) => [
        path,
        imports.filter(({ from, isType }) => from.startsWith('src/') && !isType),
      ]),
    )
    const circles: string[] = []
    function walk(path: string, trail: string[]): void {
      for (const { from } of values.get(path) ?? []) {
        if (from === trail[0]) circles.push([...trail, from].join(' → '))
        else if (!trail.includes(from)) walk(from, [...trail, from])
      }
    }
    for (const { path } of sources) walk(path, [path])
    expect(circles).toEqual([])
  })

  it('only routes, pages and http know Hono', () => {
    const mayKnow =
      /^src\/(app\.ts|index\.ts|http\/|pages\/|dev\/|admin\/.*\.tsx$|.*routes\.tsx?$|.*\/routes\/)/
    const offences = sources
      .filter(({ path }) => !mayKnow.test(path))
      .filter(({ imports }) => imports.some(({ from }) => /^hono\b|^@hono\//.test(from)))
    expect(offences.map(({ path }) => path)).toEqual([])
  })
})

/** Each of these may be named in these files only. */
const ONE_PLACE: [string, RegExp, RegExp][] = [
  ['the clock', /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/, /^src\/deps\.ts$/],
  ['chance', /\bMath\.random\b/, /^src\/deps\.ts$/],
  ['the bindings', /(?<!process\.)\benv\.\w/, /^src\/(deps|config)\.ts$/],
  ['the network', /(?<![.\w])fetch\(/, /^src\/(deps\.ts|index\.ts)$/],
  // In development the mailbox is the provider, and posts its webhook.
  [
    'the handed-in network',
    /\b(deps|options)\.fetch\b/,
    /^src\/(mail\/providers\/|dev\/event-webhook\.ts$)/,
  ],
  ['the console', /\bconsole\./, /^src\/deps\.ts$/],
  ['unbatched D1', /\bdb\.(transaction|run|all|get|values)\(|await (deps\.)?db\./, /^$/],
  ['casts that hide', /\bas any\b|\bas unknown as\b|: any\b|@ts-ignore|@ts-expect-error/, /^$/],
]

describe('one place each', () => {
  it.each(ONE_PLACE)('%s', (_what, pattern, allowed) => {
    const offences = sources
      .filter(({ path, code }) => pattern.test(code) && !allowed.test(path))
      .map(({ path }) => path)
    expect(offences).toEqual([])
  })

  it('zod is its small edition, as a namespace: the others bundle what nobody calls', () => {
    const imports = sources.flatMap(({ path, code }) =>
      [...code.matchAll(/^(?:import|export) ([^'";]*?) ?from '(zod(?:\/[^']*)?)'/gm)].map(
        ([, what = '', from = '']) => ({ path, what: what.replace(/^type /, ''), from }),
      ),
    )
    expect(imports.length).toBeGreaterThan(20)
    const offences = imports.filter(({ what, from }) => what !== '* as z' || from !== 'zod/mini')
    expect(offences).toEqual([])
  })

  it('every file opens by saying what it is', () => {
    const silent = sources.filter(({ text }) => !/^(\/\/|\/\*)/.test(text))
    expect(silent.map(({ path }) => path)).toEqual([])
  })

  it('every exported function says what it does', () => {
    const silent = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/(\*\/\n)?^export (?:async )?function (\w+)/gm)]
        .filter(([, comment]) => comment === undefined)
        .map(([, , name]) => `${path}: ${name}`),
    )
    // The second overload signature of a documented function needs no comment of its own.
    expect(silent.filter((name) => !/: instant$/.test(name))).toEqual([])
  })
})

describe('migrations', () => {
  const folder = 'drizzle/migrations'
  const migrations = readdirSync(folder).filter((name) => name.endsWith('.sql'))
  const lines = migrations.flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .map((line) => ({ name, line })),
  )

  // The remote D1 takes a file apart by itself, not as SQLite would, nor as the local one does: a trigger over several
  // lines, or with another END inside, is cut short there (https://github.com/cloudflare/workers-sdk/issues/4998).
  it('F14: a trigger is one line with one statement and one END', () => {
    const triggers = lines.filter(({ line }) => /\bTRIGGER\b/i.test(line) && !line.startsWith('--'))
    expect(triggers.length).toBeGreaterThan(0)
    const odd = triggers.filter(
      ({ line }) => !/^CREATE TRIGGER [^;]+ BEGIN [^;]+; END;$/.test(line) || /END.*END/.test(line),
    )
    expect(odd).toEqual([])
  })

  it('F14: a comment has nothing in it that could be taken for SQL: no quote, no semicolon', () => {
    const odd = lines.filter(({ line }) => line.startsWith('--') && /['";]/.test(line))
    expect(odd).toEqual([])
  })

  it('F14: lines end in LF alone', () => {
    expect(lines.filter(({ line }) => line.includes('\r'))).toEqual([])
  })
})
