// npm run secrets: the secrets of a deployment, fresh, in a file to hand to `wrangler deploy --secrets-file`.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomSecret } from './dev-vars.ts'
import { PROJECT } from './wrangler.ts'

const FILE = 'secrets.env'

const text = `# For the first deploy. Keep a copy where you keep secrets, and delete this file.
TOKEN_KEYS="k1:${randomSecret()}"
PASSWORD_KEY="${randomSecret()}"
# Opens the desk and its API under /admin. Without it they do not exist.
ADMIN_TOKEN="${randomSecret()}"
# A key of SendGrid's that may send mail goes here.
SENDGRID_API_KEY=""
# Where MAIL_PROVIDERS names others, their keys, and what proves that their webhooks are theirs:
# RESEND_API_KEY=""
# RESEND_WEBHOOK_SECRETS=""
# POSTMARK_SERVER_TOKEN=""
# POSTMARK_WEBHOOK_SECRETS=""
`

try {
  await writeFile(join(PROJECT, FILE), text, { flag: 'wx', mode: 0o600 })
  console.log(
    `Wrote ${FILE}. Put the key of your mail API into it: SENDGRID_API_KEY, or another provider's.`,
  )
} catch (error) {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  console.error(`${FILE} is there already. Delete it to have it written anew.`)
  process.exitCode = 1
}
