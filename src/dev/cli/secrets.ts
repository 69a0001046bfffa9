// npm run secrets: the secrets of a deployment, fresh, in a file to hand to `wrangler deploy --secrets-file`.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomSecret } from './dev-vars.ts'
import { PROJECT } from './wrangler.ts'

const FILE = 'secrets.env'

const text = `# For the first deploy. Keep a copy where you keep secrets, and delete this file.
TOKEN_KEYS="k1:${randomSecret()}"
PASSWORD_KEY="${randomSecret()}"
# The key of your mail API goes here.
SENDGRID_API_KEY=""
`

try {
  await writeFile(join(PROJECT, FILE), text, { flag: 'wx', mode: 0o600 })
  console.log(`Wrote ${FILE}. Put the key of your mail API into it.`)
} catch (error) {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  console.error(`${FILE} is there already. Delete it to have it written anew.`)
  process.exitCode = 1
}
