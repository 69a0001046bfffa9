// The journey of the README over real HTTP: wrangler's own server, workerd's own D1, KV, Queue and cron, and
// the mail through the production adapter into the mailbox.

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { fetchText } from '../../src/dev/cli/fetch-text.ts'
import { fireCron, type RunningWorker, startWorker } from '../../src/dev/cli/serve.ts'
import { firstIdOf } from '../../src/uuid-v7.ts'

const run = promisify(execFile)
const PASSWORD = 'correct horse battery'
const workers: RunningWorker[] = []
const folders: string[] = []

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()))
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
})

async function start(options: Parameters<typeof startWorker>[0] = {}) {
  const worker = await startWorker(options)
  workers.push(worker)
  return worker
}

interface Body {
  status: string
  session: { token: string }
}

interface Mail {
  to: string
  subject: string
  text: string
  html: string
}

async function post(url: string, body: unknown, token?: string) {
  const { response, text } = await fetchText(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  })
  const answer: Body = JSON.parse(text)
  return { status: response.status, body: answer }
}

async function mailTo(url: string, to: string, tries = 240): Promise<Mail> {
  for (let i = 0; i < tries; i++) {
    const response = await fetch(`${url}/dev/mailbox.json?to=${encodeURIComponent(to)}`)
    const mails = await response.json<Mail[]>()
    if (mails[0] !== undefined) return mails[0]
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error(`no mail to ${to}`)
}

describe('over real HTTP', () => {
  it('register, find the mail, open the link, confirm, and the gate opens', async () => {
    const { url } = await start()
    const email = 'ada@example.com'

    const registered = await post(`${url}/auth/register`, {
      email,
      password: PASSWORD,
      transport: 'bearer',
    })
    expect(registered).toMatchObject({ status: 201, body: { status: 'verification_sent' } })
    const before = registered.body.session.token

    const gate = (token: string) =>
      fetch(`${url}/auth/check?verified=1`, { headers: { Authorization: `Bearer ${token}` } })
    expect((await gate(before)).status).toBe(403)

    const mail = await mailTo(url, email)
    expect(mail.subject).toBe('Confirm your e-mail address for Mailproof')
    const link = /http\S+token=\S+/.exec(mail.text)?.[0] ?? ''
    expect(link.startsWith(`${url}/auth/verify-email?token=`)).toBe(true)
    expect(mail.html).toContain(link)

    const page = await fetch(link, { headers: { Accept: 'text/html' } })
    expect(await page.text()).toContain('Is this your address?')
    expect((await gate(before)).status).toBe(403)

    const token = new URL(link).searchParams.get('token')
    const confirmed = await post(`${url}/auth/verify-email`, { token }, before)
    expect(confirmed).toMatchObject({ status: 200, body: { status: 'verified' } })
    const open = await gate(confirmed.body.session.token)
    expect(open.status).toBe(200)
    expect(open.headers.get('X-Auth-Email-Verified')).toBe('true')
  })

  it('F5: what the mail API reports, in its own time, is what the one who waits sees', async () => {
    const { url } = await start()
    const people = await Promise.all(
      Object.entries({
        ada: ['delivered'],
        deferred: ['deferred', 'delivered'],
        'soft-bounce': ['bounced'],
        bounce: ['bounced'],
        complaint: ['delivered', 'complained'],
        silence: ['sent'],
      }).map(async ([name, states]) => {
        const registered = await post(`${url}/auth/register`, {
          email: `${name}-1@example.com`,
          password: PASSWORD,
          transport: 'bearer',
        })
        return { name, states, token: registered.body.session.token, seen: ['queued'] }
      }),
    )
    const isOver = () => people.every(({ seen, states }) => seen.at(-1) === states.at(-1))
    for (let i = 0; i < 240 && !isOver(); i++) {
      for (const { token, seen } of people) {
        const headers = { Authorization: `Bearer ${token}` }
        const { mail } = await (await fetch(`${url}/auth/session`, { headers })).json<{
          mail: { state: string }
        }>()
        if (seen.at(-1) !== mail.state) seen.push(mail.state)
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    for (const { name, states, seen } of people) {
      const passing = ['queued', 'sending', ...(name === 'silence' ? [] : ['sent'])]
      expect([name, seen.filter((state) => !passing.includes(state))]).toEqual([name, states])
    }
  })

  it('promise 1: a queue lost in a restart is mended by the sweeper', async () => {
    const state = await mkdtemp(join(tmpdir(), 'mailproof-state-'))
    folders.push(state)
    // No consumer gets far while the mail API refuses connections, and the Queue lives in memory alone.
    const first = await start({
      persistTo: state,
      vars: { SENDGRID_BASE_URL: 'http://127.0.0.1:9' },
    })
    const email = 'lost@example.com'
    await post(`${first.url}/auth/register`, { email, password: PASSWORD })
    // Tried once and put back, its second try waiting in the Queue.
    await expect.poll(() => first.output(), { timeout: 60_000 }).toContain('provider_deferred')
    await first.stop()

    const { TOKEN_KEYS = '', PASSWORD_KEY = '' } = first.vars
    const second = await start({ persistTo: state, vars: { TOKEN_KEYS, PASSWORD_KEY } })
    expect(await (await fetch(`${second.url}/dev/mailbox.json`)).json()).toEqual([])
    await age(state)
    expect(await fireCron(second.url)).toBe(true)
    expect((await mailTo(second.url, email)).to).toBe(email)
    const health = await (await fetch(`${second.url}/healthz`)).json()
    expect(health).toMatchObject({ ok: true, checks: { oldest_queued_mail: { seconds: 0 } } })
  })

  it('npm run demo walks the same journey and says so, a line a step', async () => {
    const { stdout } = await run(process.execPath, ['src/dev/cli/demo.ts'], { timeout: 110_000 })
    expect(stdout.match(/^✓ /gm)?.length).toBeGreaterThanOrEqual(9)
    expect(stdout).toContain('✓ the mail is reported delivered')
    expect(stdout).toContain('✓ its mail is reported bounced')
    expect(stdout).toContain('Every step held.')
    expect(stdout).not.toContain('✗')
  })

  it('npm run demo says what it cannot see, and does not call it success', async () => {
    const { url } = await start({
      vars: {
        ENVIRONMENT: 'staging',
        APP_BASE_URL: 'https://auth.mailproof.dev',
        SENDGRID_BASE_URL: 'https://127.0.0.1:9',
      },
    })
    const failure = await run(process.execPath, ['src/dev/cli/demo.ts', '--url', url]).catch(
      (error) => error,
    )
    expect(failure.code).toBe(2)
    expect(failure.stdout).toContain('not visible from here')
  })
})

/** Lets an hour pass in the ledger: the sweeper waits for a minute, for backoffs and for leases. */
async function age(state: string): Promise<void> {
  // A mail's id tells its age as well.
  const older = (id: string) => `'${firstIdOf(Date.now() - 3600000)}' || substr(${id}, 14)`
  const sql = `update messages set id = ${older('id')}, created_at = created_at - 3600000,
      not_before = not_before - 3600000, lease_until = lease_until - 3600000;
    update users set last_message_id = ${older('last_message_id')}`
  const wrangler = 'node_modules/wrangler/bin/wrangler.js'
  const args = ['d1', 'execute', 'DB', '--local', '--persist-to', state, '--command', sql]
  await run(process.execPath, [wrangler, ...args], { env: { ...process.env, CI: '1' } })
}
