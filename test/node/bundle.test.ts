// What is uploaded: its size, which every cold start pays for, and what must not be in it.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const KIB = 1024
let directory = ''
let code = ''

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'mailproof-bundle-'))
  const { NODE_ENV: _, ...env } = process.env
  const wrangler = join('node_modules', 'wrangler', 'bin', 'wrangler.js')
  const args = [wrangler, 'deploy', '--dry-run', '--outdir', directory]
  execFileSync(process.execPath, args, { env, stdio: 'ignore' })
  code = readFileSync(join(directory, 'index.js'), 'utf8')
})

afterAll(() => rmSync(directory, { recursive: true }))

describe('the bundle, as wrangler would upload it', () => {
  it('is of the size it has: more is a decision, not an accident', () => {
    expect(gzipSync(code).length / KIB).toBeLessThan(125)
    expect(code.length / KIB).toBeLessThan(385)
    expect(code.length / KIB).toBeGreaterThan(100)
  })

  it('carries no mailbox: whoever read it could confirm any address', () => {
    expect(code).toContain('/auth/verify-email')
    expect(code).not.toMatch(/\/dev\/mailbox|mailbox\.json|dev-mail:/)
  })

  it('takes zod without its locales, its schemas of other languages and what nothing here calls', () => {
    expect(code).toContain('$ZodObject')
    expect(code).not.toMatch(/json-schema\.org\/draft/)
    // A function of zod's toolbox, whose names are kept only where something takes the whole of it.
    expect(code).not.toContain('floatSafeRemainder')
  })

  it('takes of Hono the one router that it uses', () => {
    expect(code).toContain('"TrieRouter"')
    expect(code).not.toMatch(/"(RegExp|Smart|Linear|Pattern)Router"/)
  })
})
