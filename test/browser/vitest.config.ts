import { defineConfig } from 'vitest/config'

// A real browser against a real Worker. The files are named apart from `*.test.ts`, which run in workerd.
export default defineConfig({
  test: {
    name: 'browser',
    include: ['test/browser/**/*.browser.ts'],
    globalSetup: ['test/browser/setup.ts'],
    testTimeout: 90_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // Most of the time goes by waiting for mail.
    maxConcurrency: 4,
  },
})
