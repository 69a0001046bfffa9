// The Worker: HTTP, the Queue's consumers, the cron, and the door for other Workers. It checks the
// configuration, once per isolate, and hands everything on.

import { WorkerEntrypoint } from 'cloudflare:workers'
import type { Hono } from 'hono'
import { type CheckResult, checkSession } from './accounts/check-session.ts'
import { createApp } from './app.ts'
import { Outage, reasonOf } from './bounded.ts'
import { type ConfigProblem, parseConfig } from './config.ts'
import { createDeps, createLog, type Deps } from './deps.ts'
import { rollUp } from './figures/rollup.ts'
import { problemResponse } from './http/problem.ts'
import { consumeMail } from './mail/consume.ts'
import { consumeDeadLetters } from './mail/dead-letters.ts'
import { createProviders } from './mail/providers/create-providers.ts'
import type { MailProvider } from './mail/providers/provider.ts'
import { sweep } from './mail/sweep.ts'
import { consumeDeliveryEvents } from './mail/webhooks/consume-delivery-events.ts'
import { misconfiguredPage } from './pages/misconfigured-page.tsx'
import { prune } from './retention/prune.ts'
import type { Environment } from './settings.ts'

interface Service {
  readonly ok: true
  readonly deps: Deps
  readonly app: Hono
  readonly providers: readonly MailProvider[]
}

interface Misconfigured {
  readonly ok: false
  readonly environment: Environment
  readonly problems: readonly ConfigProblem[]
}

/** One service per `env`, hence per isolate. It holds nothing of any request. */
const services = new WeakMap<Env, Promise<Service | Misconfigured>>()

/** An event that meets a Worker without configuration comes back in so many seconds. */
const MISCONFIGURED_RETRY_SECONDS = 300

/** What the cron does, every minute. */
const CRON_JOBS = { sweep, prune, rollUp } as const

function serviceOf(env: Env): Promise<Service | Misconfigured> {
  const known = services.get(env)
  if (known !== undefined) return known
  const made = createService(env)
  services.set(env, made)
  // What failed once may succeed at the next request.
  made.catch(() => services.delete(env))
  return made
}

async function createService(env: Env): Promise<Service | Misconfigured> {
  const result = parseConfig(env)
  if (!result.ok) {
    createLog()('misconfigured', { problems: result.problems })
    return result
  }
  const deps = await createDeps(result.config, env)
  return { ok: true, deps, app: createApp(deps), providers: createProviders(deps) }
}

export default {
  async fetch(request, env, ctx) {
    const service = await serviceOf(env)
    return service.ok ? service.app.fetch(request, env, ctx) : answerMisconfigured(request, service)
  },

  async queue(batch, env) {
    const service = await serviceOf(env)
    // As wrangler.toml names them.
    const isEvents = batch.queue.endsWith('-events')
    if (!service.ok) {
      // Mails wait in D1, and the sweeper enqueues them once the configuration is mended; to bring them back until the
      // Queue calls them dead would end them. Events are nowhere but here.
      return isEvents
        ? batch.retryAll({ delaySeconds: MISCONFIGURED_RETRY_SECONDS })
        : batch.ackAll()
    }
    if (isEvents) return consumeDeliveryEvents(service.deps, batch)
    return batch.queue.endsWith('-dead')
      ? consumeDeadLetters(service.deps, batch)
      : consumeMail(service.deps, service.providers, batch)
  },

  async scheduled(_controller, env) {
    const service = await serviceOf(env)
    if (!service.ok) return
    // Each by itself: what cannot be pruned must not keep lost mail from being sent.
    for (const [name, job] of Object.entries(CRON_JOBS)) {
      try {
        await job(service.deps)
      } catch (error) {
        const event = error instanceof Outage ? 'outage' : 'error'
        service.deps.log(event, { reason: reasonOf(error), path: `cron ${name}` })
      }
    }
  },
} satisfies ExportedHandler<Env>

/**
 * What other Workers of the account call over a service binding, without a detour through HTTP:
 * `services = [{ binding = "MAILPROOF", service = "mailproof", entrypoint = "Gate" }]`.
 */
export class Gate extends WorkerEntrypoint<Env> {
  /**
   * Whether a session token lets its holder pass.
   * @param token the visitor's session token, or null
   * @param options `verified` demands a verified address as well
   * @throws where D1 does not answer or the Worker is not configured: the caller decides what that means
   * @example
   * const gate = await env.MAILPROOF.check(token, { verified: true })
   * if (!gate.ok) return new Response(gate.error, { status: gate.error === 'not_signed_in' ? 401 : 403 })
   */
  async check(token: string | null, options: { verified?: boolean } = {}): Promise<CheckResult> {
    const service = await serviceOf(this.env)
    if (!service.ok) throw new Error('Mailproof is not configured')
    return checkSession(service.deps, token, options.verified ?? false)
  }
}

/** 503 that names nothing; in development the developer is the one who reads it. */
function answerMisconfigured(request: Request, { environment, problems }: Misconfigured): Response {
  if (new URL(request.url).pathname === '/healthz') {
    return Response.json({ ok: false, checks: { config: { ok: false } } }, { status: 503 })
  }
  if (environment !== 'development') return problemResponse('misconfigured')
  if (request.headers.get('Accept')?.includes('text/html')) return misconfiguredPage(problems)
  const errors = problems.map(({ name, message }) => ({ path: name, message }))
  return problemResponse('misconfigured', { errors })
}
