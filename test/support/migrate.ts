// Runs before each test file: storage is isolated per file, and begins empty.
import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect } from 'vitest'
import { brokenRules } from './faulty-bindings.ts'

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)

afterEach(() => expect(brokenRules).toEqual([]))
