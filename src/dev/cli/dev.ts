// npm run dev: one command from a fresh checkout to a running Worker with a mailbox. Arguments after `--`
// go to `wrangler dev`.

import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseArgs, parseEnv } from 'node:util'
import { settings } from '../../settings.ts'
import {
  atPort,
  completedDevVars,
  developmentVars,
  formatDevVars,
  varArguments,
} from './dev-vars.ts'
import { isFree } from './port.ts'
import { fireCron } from './serve.ts'
import {
  applyMigrations,
  PROJECT,
  signalTree,
  startWrangler,
  untilAnswering,
  whenTold,
} from './wrangler.ts'

const DEFAULT_PORT = 8787
const READY_TIMEOUT_MS = 120_000
const CRON_MS = 60_000
const DEV_VARS = join(PROJECT, '.dev.vars')

/** Reads the settings of this machine; writes them first where there are none, and completes older ones. */
async function devVars() {
  const origin = `http://localhost:${DEFAULT_PORT}`
  const file = relative(process.cwd(), DEV_VARS)
  try {
    const text = formatDevVars(developmentVars(origin))
    await writeFile(DEV_VARS, text, { flag: 'wx', mode: 0o600 })
    console.log(`Wrote ${file} with fresh secrets.`)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    const { text, changed } = completedDevVars(await readFile(DEV_VARS, 'utf8'), origin)
    if (changed.length > 0) {
      await writeFile(DEV_VARS, text)
      console.log(`Completed ${file}: ${changed.join(', ')}.`)
    }
  }
  const vars: Record<string, string> = {}
  for (const [name, value] of Object.entries(parseEnv(await readFile(DEV_VARS, 'utf8')))) {
    if (value !== undefined) vars[name] = value
  }
  return vars
}

/** What `wrangler dev` is told, and what of it is needed here. */
function wranglerArguments(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      ip: { type: 'string' },
      'persist-to': { type: 'string' },
    },
    strict: false,
    allowPositionals: true,
  })
  // Without a value the option is `true`.
  const port = values.port === true ? Number.NaN : Number(values.port ?? DEFAULT_PORT)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error('--port must be a number from 1 to 65535.')
  }
  return {
    port,
    persistTo: typeof values['persist-to'] === 'string' ? values['persist-to'] : undefined,
    extra: [
      ...(values.port === undefined ? ['--port', String(port)] : []),
      // This machine alone: everybody who reaches the mailbox can confirm any address.
      ...(values.ip === undefined ? ['--ip', '127.0.0.1'] : []),
      ...args,
    ],
  }
}

/** The Worker names what it does not like; in development it does so to whoever asks. */
async function explain(url: string): Promise<void> {
  const { errors = [] } = (await (await fetch(url)).json()) as {
    errors?: { path: string; message: string }[]
  }
  const problems = errors.map(({ path, message }) => `  ${path} ${message}`)
  console.error(
    `\nMend these in .dev.vars and start again, or delete the file to have it written anew:\n${problems.join('\n')}\n`,
  )
}

async function main(): Promise<number> {
  const { port, persistTo, extra } = wranglerArguments(process.argv.slice(2))
  const url = `http://localhost:${port}`
  if (!(await isFree(port))) {
    throw new Error(`Port ${port} is taken. Another one: npm run dev -- --port ${port + 1}`)
  }
  const vars = await devVars()
  const known = settings('development')
  for (const name of Object.keys(vars).filter((name) => !(name in known))) {
    console.warn(`.dev.vars: there is no setting ${name}.`)
  }
  for (const name of ['APP_BASE_URL', 'SENDGRID_BASE_URL']) {
    if (vars[name] !== undefined) vars[name] = atPort(vars[name], port)
  }
  await applyMigrations(persistTo)

  const child = startWrangler(
    ['dev', '--show-interactive-dev-session', 'false', ...varArguments(vars), ...extra],
    { output: 'inherit' },
  )
  const ended = once(child, 'exit')
  // In a group of its own it hears neither Ctrl-C nor the closing of the terminal.
  whenTold((signal) => signalTree(child, signal))
  process.once('exit', () => signalTree(child, 'SIGKILL'))

  untilAnswering(url, child, READY_TIMEOUT_MS).then(
    async (health) => {
      if (!health.ok) return explain(url)
      console.log(`\nMailproof   ${url}/`)
      console.log(`Its mails   ${url}/dev/mailbox`)
      console.log(
        vars.ADMIN_TOKEN ? `Its desk    ${url}/admin (token: ADMIN_TOKEN in .dev.vars)\n` : '',
      )
      setInterval(() => fireCron(url), CRON_MS).unref()
    },
    (error: Error) => {
      if (child.exitCode === null && child.signalCode === null) console.error(error.message)
    },
  )
  const [code] = await ended
  return typeof code === 'number' ? code : 0
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message)
    process.exit(1)
  },
)
