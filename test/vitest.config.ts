import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

// Two projects: tests that run inside workerd, against its own D1, KV and Queue; and tests that run in Node,
// because they start a whole Worker, or read the source.
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                ENVIRONMENT: 'development',
                APP_NAME: 'Testproof',
                APP_BASE_URL: 'https://auth.testproof.dev',
                SENDGRID_BASE_URL: 'https://auth.testproof.dev/dev',
                MAIL_FROM: 'noreply@testproof.dev',
                SENDGRID_API_KEY: 'SG.a-key-for-tests',
                TOKEN_KEYS: `k1:${'A'.repeat(43)}`,
                PASSWORD_KEY: `${'B'.repeat(42)}A`,
                TEST_MIGRATIONS: await readD1Migrations('drizzle/migrations'),
              },
            },
          })),
        ],
        test: {
          name: 'workerd',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/node/**', 'test/bench/**'],
          setupFiles: ['test/support/migrate.ts'],
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/node/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
