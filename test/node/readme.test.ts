// The README is the front door: what it says of settings, routes and commands is held against the code.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { settings } from '../../src/settings.ts'

const readme = readFileSync('README.md', 'utf8')

function settingRow(name: string, setting: { about: string; fallback?: string; secret?: true }) {
  const fallback = setting.fallback ?? (setting.secret ? 'required, secret' : 'required')
  const shown =
    setting.fallback === undefined || fallback.startsWith('`') ? fallback : `\`${fallback}\``
  return `| \`${name}\` | ${shown} | ${setting.about} |`
}

describe('the README', () => {
  it.each(Object.entries(settings('production')))('has the row of %s', (name, setting) => {
    const optional = setting.rule.safeParse(undefined).success && setting.fallback === undefined
    expect(optional).toBe(false)
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
    const named = [...readme.matchAll(/npm (?:run )?([a-z][\w:]*)/g)].map(([, name]) => name ?? '')
    const builtIn = ['install', 'ci', 'test']
    expect(named.filter((name) => !(name in scripts) && !builtIn.includes(name))).toEqual([])
  })
})
