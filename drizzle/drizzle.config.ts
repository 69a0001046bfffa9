import { defineConfig } from 'drizzle-kit'

// Paths are seen from the project's root, where the npm scripts run.
export default defineConfig({
  dialect: 'sqlite',
  schema: './src/schema.ts',
  out: './drizzle/migrations',
})
