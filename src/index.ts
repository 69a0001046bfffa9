// The Worker: HTTP, the Queue's consumers and the cron. It checks the configuration, once per isolate, and
// hands everything on.

import type { Hono } from 'hono'
import { createApp } from './app.ts'
import { reasonOf } from './bounded.ts'
import { type ConfigProblem, parseConfig } from './config.ts'
import { createDeps, createLog, type Deps } from './deps.ts'
import { problemResponse } from './http/problem.ts'
import { consumeMail } from './mail/consume.ts'
import { consumeDeadLetters } from './mail/dead-letters.ts'
import { createProvider } from './mail/providers/create-provider.ts'
import type { MailProvider } from './mail/providers/provider.ts'
import { sweep } from './mail/sweep.ts'
import { misconfiguredPage } from './pages/misconfigured-page.tsx'
import type { Environment } from './settings.ts'

interface Service {
  readonly ok: true
  readonly deps: Deps
  readonly app: Hono
  readonly provider: MailProvider
}

interface Misconfigured {
  readonly ok: false
  readonly environment: Environment
  readonly problems: readonly ConfigProblem[]
}

/** One service per `env`, hence per isolate. It holds nothing of any request. */
const services = new WeakMap<Env, Promise<Service | Misconfigured>>()

/** A message that meets a Worker without configuration comes back in so many seconds. */
const MISCONFIGURED_RETRY_SECONDS = 300

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
  return { ok: true, deps, app: createApp(deps), provider: createProvider(deps) }
}

export default {
  async fetch(request, env, ctx) {
    const service = await serviceOf(env)
    return service.ok ? service.app.fetch(request, env, ctx) : answerMisconfigured(request, service)
  },

  async queue(batch, env) {
    const service = await serviceOf(env)
    if (!service.ok) return batch.retryAll({ delaySeconds: MISCONFIGURED_RETRY_SECONDS })
    // As wrangler.toml names them.
    return batch.queue.endsWith('-dead')
      ? consumeDeadLetters(service.deps, batch)
      : consumeMail(service.deps, service.provider, batch)
  },

  async scheduled(_controller, env) {
    const service = await serviceOf(env)
    if (!service.ok) return
    try {
      await sweep(service.deps)
    } catch (error) {
      service.deps.log('outage', { reason: reasonOf(error), path: 'cron' })
    }
  },
} satisfies ExportedHandler<Env>

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
