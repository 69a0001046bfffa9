// The README is the front door: what it says of settings, routes, commands and log lines is held against the
// code.

import { randomFillSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config.ts'
import { type Bindings, createDeps, type Deps } from '../../src/deps.ts'
import { pageRoutes } from '../../src/pages/routes.tsx'
import { settings } from '../../src/settings.ts'

const readme = readFileSync('README.md', 'utf8')

type Setting = ReturnType<typeof settings>[keyof ReturnType<typeof settings>]

function isOptional({ rule }: Setting): boolean {
  return rule.safeParse(undefined).success
}

/** What the comment above a setting says. Comments, because the Worker has no use for the words. */
function commentOn(name: string): string {
  const source = readFileSync('src/settings.ts', 'utf8')
  const [, comment = ''] =
    new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\n    ${name}: `).exec(source) ?? []
  return comment.replace(/\s*\n\s*\*\s*/g, ' ').trim()
}

function settingRow(name: string, setting: Setting) {
  const absent = isOptional(setting) ? 'none' : 'required'
  const fallback = setting.fallback ?? (setting.secret ? `${absent}, secret` : absent)
  const shown =
    setting.fallback === undefined || fallback.startsWith('`') ? fallback : `\`${fallback}\``
  return `| \`${name}\` | ${shown} | ${commentOn(name)} |`
}

describe('the README', () => {
  it.each(Object.entries(settings('production')))('has the row of %s', (name, setting) => {
    // An absent setting has a default that can be read here, unless it is a secret that may be absent.
    expect(isOptional(setting) && setting.fallback === undefined && !setting.secret).toBe(false)
    expect(commentOn(name)).not.toBe('')
    expect(readme).toContain(settingRow(name, setting))
  })

  it('names no setting that does not exist', () => {
    const known = new Set(Object.keys(settings('production')))
    const rows = [...readme.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map(([, name]) => name ?? '')
    expect(rows.filter((name) => !known.has(name))).toEqual([])
    expect(rows).toHaveLength(known.size)
  })

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
    // In code alone: prose may speak of npm as it likes.
    const commands = readme.matchAll(/(?:^|`|&& )npm (?:run )?([a-z][\w:]*)/gm)
    const named = [...commands].map(([, name]) => name ?? '')
    expect(named.length).toBeGreaterThan(5)
    const builtIn = ['install', 'ci', 'test']
    expect(named.filter((name) => !(name in scripts) && !builtIn.includes(name))).toEqual([])
  })

  it('has in its tables exactly the routes that the Worker serves beside its pages', async () => {
    const deps = await productionDeps()
    const all = difference(createApp(deps).routes, pageRoutes(deps).routes)
    const served = all.filter((route) => !isOfThePages(route, all))
    // `POST /auth/login` in the first cell of a row; a query is no part of a route.
    const named = [...readme.matchAll(/^\| (`[A-Z]+ \/[^|]*) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([A-Z]+ \/[^`?]*)/g)].map(([, route]) => route ?? ''),
    )
    expect(served.length).toBeGreaterThan(15)
    expect(named.sort()).toEqual(served.sort())
  })

  it('lists exactly the log events that there are', () => {
    const source = readFileSync('src/timeline/log.ts', 'utf8')
    const type = /export type LogEvent =([^/]*?)\n\n/.exec(source)?.[1] ?? ''
    const events = [...type.matchAll(/'(\w+)'/g)].map(([, name]) => name ?? '')
    expect(events.length).toBeGreaterThan(30)

    const paragraph = /^- \*\*Logs\*\*[\s\S]*?(?=^- )/m.exec(readme)?.[0] ?? ''
    const listed = [...paragraph.matchAll(/`([a-z_]+)`/g)]
      .map(([, name]) => name ?? '')
      .filter((name) => name !== 'event') // the member of a line that holds the name
    expect(listed.sort()).toEqual(events.sort())
  })
})

// workerd has them, Node 24 not yet.
Uint8Array.fromBase64 ??= (text) => new Uint8Array(Buffer.from(text, 'base64url'))
Uint8Array.prototype.toBase64 ??= function (this: Uint8Array) {
  return Buffer.from(this).toString('base64url')
}

/** The capabilities of a Worker in production. Nothing is called: only what is mounted matters here. */
async function productionDeps(): Promise<Deps> {
  const secret = randomFillSync(Buffer.alloc(32)).toString('base64url')
  const checked = parseConfig({
    APP_NAME: 'Testproof',
    APP_BASE_URL: 'https://auth.testproof.dev',
    MAIL_FROM: 'noreply@testproof.dev',
    SENDGRID_API_KEY: 'SG.a-key-for-tests',
    TOKEN_KEYS: `k1:${secret}`,
    PASSWORD_KEY: secret,
    // All that may be mounted is.
    ADMIN_TOKEN: secret,
    SENDGRID_WEBHOOK_KEYS: 'A'.repeat(120),
    RESEND_WEBHOOK_SECRETS: `whsec_${'A'.repeat(32)}`,
    POSTMARK_WEBHOOK_SECRETS: secret,
  })
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems))
  return createDeps(checked.config, {} as Bindings)
}

/** What the desk's pages need besides themselves: stylesheets, and where the reload of an action leads. */
function isOfThePages(route: string, all: readonly string[]): boolean {
  if (!route.startsWith('GET /admin/')) return false
  const isReload = route.includes('/:action{') || all.includes(route.replace('GET', 'POST'))
  return route.endsWith('.css') || isReload
}

interface Route {
  readonly method: string
  readonly path: string
}

/** The routes of an app without those of another that is mounted in it. Some serve pages and programs alike. */
function difference(app: readonly Route[], mounted: readonly Route[]): string[] {
  const handlers = new Map<string, number>()
  const count = (routes: readonly Route[], by: number) => {
    for (const { method, path } of routes) {
      // Middleware, which serves nothing by itself.
      if (method === 'ALL') continue
      const route = `${method} ${path}`
      handlers.set(route, (handlers.get(route) ?? 0) + by)
    }
  }
  count(app, 1)
  count(mounted, -1)
  return [...handlers].filter(([, left]) => left > 0).map(([route]) => route)
}
