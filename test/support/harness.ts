// A whole Mailproof inside workerd, with the clock and the network in the test's hand. Mail crosses `fetch`
// to the development mailbox of the same Worker, through the production adapter.

import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  waitOnExecutionContext,
} from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config.ts'
import { createDeps, type Deps } from '../../src/deps.ts'
import { rollUp } from '../../src/figures/rollup.ts'
import { consumeMail } from '../../src/mail/consume.ts'
import { consumeDeadLetters } from '../../src/mail/dead-letters.ts'
import { createProviders } from '../../src/mail/providers/create-providers.ts'
import type { MailProvider } from '../../src/mail/providers/provider.ts'
import { type SweepResult, sweep } from '../../src/mail/sweep.ts'
import { type Pruned, prune } from '../../src/retention/prune.ts'
import { Browser } from './browser.ts'
import { type FaultyBindings, faultyBindings } from './faulty-bindings.ts'

/** Cheap enough for tests that are about something else than hashing. */
const FAST_SCRYPT = { N: 2 ** 4, r: 8, p: 1 }

export const ORIGIN = 'https://auth.testproof.dev'

/** A mail as the mailbox lists it. */
export interface ReceivedMail {
  readonly id: string
  readonly to: string
  readonly from: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly received_at: string
}

export interface Harness {
  readonly deps: Deps
  readonly bindings: FaultyBindings
  /** Log lines, parsed. */
  readonly logs: Record<string, unknown>[]
  /** Milliseconds since the epoch; the test moves it. */
  now: number
  /** How many passwords were hashed. */
  hashes: number
  /** Stands between the adapter and the mail API; by default it lets everything through. */
  network: (request: Request, pass: (request: Request) => Promise<Response>) => Promise<Response>
  /** Requests that reached the network. */
  httpCalls: number
  /** Sends one request and waits for what follows the response. */
  fetch: (path: string, init?: RequestInit) => Promise<Response>
  /** A fresh browser: its own cookies, its own IP. */
  browser: (ip?: string) => Browser
  /** Delivers what is queued, once, as one batch; returns what the consumer did with each id. */
  deliver: (options?: { ids?: readonly string[]; attempts?: number }) => Promise<{
    acked: string[]
    retried: string[]
  }>
  deliverDead: (ids: readonly string[]) => Promise<{ acked: string[]; retried: string[] }>
  /** The cron's minute: sends on what was lost, prunes what is old, counts. */
  sweep: () => Promise<SweepResult & { readonly pruned: Pruned }>
  /** Mails to an address, newest first. */
  mails: (to: string) => Promise<ReceivedMail[]>
  rows: <T = Record<string, unknown>>(query: string, ...params: unknown[]) => Promise<T[]>
}

/** Settings that a test changes. */
export type Settings = Record<string, string>

/**
 * Builds one.
 * @param settings over those of vitest.config.ts
 * @param options `realHash` for tests of the hash itself; `providers` to stand in for the configured ones
 */
export async function createHarness(
  settings: Settings = {},
  options: { realHash?: boolean; providers?: (deps: Deps) => readonly MailProvider[] } = {},
): Promise<Harness> {
  const checked = parseConfig({ ...env, ...settings })
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems))
  const { config } = checked
  const bindings = faultyBindings(env)
  // Each harness begins with empty tables: a sweep or a count must not meet another test's rows.
  const tables = [
    'events',
    'sessions',
    'messages',
    'email_changes',
    'users',
    'suppressions',
    'retired_links',
    'mail_batches',
    'provider_outages',
    'daily_sends',
    'figures',
    'cursors',
  ]
  await env.DB.batch(tables.map((table) => env.DB.prepare(`delete from ${table}`)))

  const harness: Harness = {
    bindings,
    logs: [],
    now: Date.UTC(2026, 10, 2, 12),
    hashes: 0,
    httpCalls: 0,
    network: (request, pass) => pass(request),
    get deps() {
      return deps
    },
    async fetch(path, init) {
      const ctx = createExecutionContext()
      const response = await app.fetch(new Request(new URL(path, ORIGIN), init), env, ctx)
      await waitOnExecutionContext(ctx)
      return response
    },
    browser: (ip = freshIp()) => new Browser(harness, ip),
    deliver: ({ ids, attempts = 1 } = {}) =>
      deliver(ids ?? bindings.queued.splice(0), attempts, 'mailproof-mail', (batch) =>
        consumeMail(deps, providers, batch),
      ),
    deliverDead: (ids) =>
      deliver(ids, 1, 'mailproof-mail-dead', (batch) => consumeDeadLetters(deps, batch)),
    async sweep() {
      const swept = await sweep(deps)
      const pruned = await prune(deps)
      await rollUp(deps)
      return { ...swept, pruned }
    },
    async mails(to) {
      const response = await harness.fetch(`/dev/mailbox.json?to=${encodeURIComponent(to)}`)
      return response.json()
    },
    async rows<T>(query: string, ...params: unknown[]) {
      return (
        await env.DB.prepare(query)
          .bind(...params)
          .all<T>()
      ).results
    },
  }

  const made = await createDeps(config, bindings, {
    now: () => harness.now,
    random: () => 0.5,
    ...(options.realHash ? {} : { scryptCost: FAST_SCRYPT }),
    fetch: (request) => {
      harness.httpCalls++
      return harness.network(request, passOn)
    },
    writeLog: (line) => {
      harness.logs.push(JSON.parse(line))
    },
  })
  const deps: Deps = {
    ...made,
    hashPassword: (password, email) => {
      harness.hashes++
      return made.hashPassword(password, email)
    },
  }
  const app = createApp(deps)
  const providers = options.providers?.(deps) ?? createProviders(deps)

  async function passOn(request: Request): Promise<Response> {
    return app.fetch(request, env, createExecutionContext())
  }

  return harness
}

async function deliver(
  ids: readonly string[],
  attempts: number,
  queue: string,
  consume: (batch: MessageBatch) => Promise<void>,
): Promise<{ acked: string[]; retried: string[] }> {
  const messages = ids.map((id, i) => ({
    id: `${id}#${i}`,
    timestamp: new Date(),
    attempts,
    body: { id },
  }))
  const batch = createMessageBatch(queue, messages)
  const ctx = createExecutionContext()
  await consume(batch)
  const result = await getQueueResult(batch, ctx)
  const plain = (messageId: string) => messageId.split('#')[0] ?? ''
  return {
    acked: result.ackAll ? [...ids] : result.explicitAcks.map(plain),
    retried: result.retryMessages.map(({ msgId }) => plain(msgId)),
  }
}

let addresses = 0
/** An address that no other test uses. */
export function freshAddress(name = 'ada'): string {
  return `${name}-${++addresses}-${crypto.randomUUID().slice(0, 8)}@mail.example`
}

let ips = 0
/** An IP that no other test counts against. */
export function freshIp(): string {
  ips++
  return `10.${Math.floor(ips / 65536) % 256}.${Math.floor(ips / 256) % 256}.${ips % 256}`
}

/** The link of a mail, and its token. */
export function linkIn(mail: ReceivedMail | undefined): { url: string; token: string } {
  const url = /https?:\/\/\S+token=\S+/.exec(mail?.text ?? '')?.[0]
  if (url === undefined) throw new Error(`no link in: ${mail?.text}`)
  return { url, token: new URL(url).searchParams.get('token') ?? '' }
}
