// The peer: better-auth as its documentation sets it up for a Worker. Hono in front, Drizzle on D1, e-mail
// verification on, mail handed to a Queue, the rate limit on.
//
// Its defaults, but for what makes it cheaper without taking anything away from it:
// - one instance per isolate, not one per request as many guides have it;
// - `requireEmailVerification`: no session is written at registration, one at confirmation;
// - `experimental.joins`: session and user in one trip to D1, so that a session check, a resend with a session and a
//   login take one trip less; CPU time and rows stay the same;
// - logs only errors.
//
// Left at their defaults, though they would make session checks cheaper still, because they take something away:
// - `session.cookieCache`, off: a session that was revoked would go on for as long as the cookie is believed;
// - `rateLimit.customRules`, none for `/get-session`: `false` there would leave session checks uncounted, and write
//   no row for one. Ours does not count them; the peer with its rate limit in memory, measured beside it, shows the
//   difference.

import { AsyncLocalStorage } from 'node:async_hooks'
import { betterAuth } from 'better-auth'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import * as schema from './schema.ts'
import { hash, verify } from './scrypt.ts'

interface PeerEnv {
  readonly DB: D1Database
  readonly MAIL_QUEUE: Queue<PeerMail>
  readonly AUTH_SECRET: string
  readonly AUTH_BASE_URL: string
  readonly MAIL_API: string
  readonly MAIL_API_KEY: string
  readonly MAIL_FROM: string
  /** See sides/contestants.ts. */
  readonly RATE_LIMIT_STORAGE?: 'memory'
}

/** What travels through the Queue: better-auth mints the link in the request. */
interface PeerMail {
  readonly to: string
  readonly name: string
  readonly url: string
}

/** Workers let so many calls wait for their headers at once. */
const CONCURRENT_CALLS = 6

const context = new AsyncLocalStorage<ExecutionContext>()

/** Far above what any run needs: every request is counted, at the same cost whatever the limit, and none refused. */
const UNREACHED = 1_000_000

function createAuth(env: PeerEnv) {
  return betterAuth({
    baseURL: env.AUTH_BASE_URL,
    secret: env.AUTH_SECRET,
    database: drizzleAdapter(drizzle(env.DB, { schema }), { provider: 'sqlite', schema }),
    emailAndPassword: {
      enabled: true,
      requireEmailVerification: true,
      password: { hash, verify },
    },
    emailVerification: {
      sendOnSignUp: true,
      autoSignInAfterVerification: true,
      async sendVerificationEmail({ user, url }) {
        const sent = env.MAIL_QUEUE.send({ to: user.email, name: user.name, url })
        context.getStore()?.waitUntil(sent)
      },
    },
    // Its documentation warns that the default, memory, does not fit serverless: isolates share none. Of the two
    // that remain, secondary storage would be KV here: it has no atomic increment, takes one write a second per
    // key, refuses a lifetime under 60 seconds where the default window has 10, and bills a write at five rows of
    // D1. So: the database.
    rateLimit: {
      enabled: true,
      storage: env.RATE_LIMIT_STORAGE ?? 'database',
      max: UNREACHED,
      // The stricter rules of these paths, with their own windows.
      customRules: {
        '/sign-up/email': { window: 10, max: UNREACHED },
        '/sign-in/email': { window: 10, max: UNREACHED },
        '/send-verification-email': { window: 60, max: UNREACHED },
      },
    },
    advanced: {
      ipAddress: { ipAddressHeaders: ['cf-connecting-ip'], ipv6Subnet: 64 },
      backgroundTasks: { handler: (promise) => context.getStore()?.waitUntil(promise) },
    },
    experimental: { joins: true },
    logger: { level: 'error' },
    telemetry: { enabled: false },
  })
}

const instances = new WeakMap<PeerEnv, ReturnType<typeof createAuth>>()

function authOf(env: PeerEnv) {
  const auth = instances.get(env) ?? createAuth(env)
  instances.set(env, auth)
  return auth
}

const app = new Hono<{ Bindings: PeerEnv }>()
app.on(['GET', 'POST'], '/api/auth/*', (c) =>
  context.run(c.executionCtx as ExecutionContext, () => authOf(c.env).handler(c.req.raw)),
)

/** A mail of about the size of ours. */
function mailBody({ to, name, url }: PeerMail, from: string) {
  const text = `Hello ${name},\n\nconfirm that this is your e-mail address:\n\n${url}\n\nIf you did not sign up, ignore this mail.\n`
  const html = `<!doctype html><html lang="en"><body style="font-family:sans-serif"><p>Hello ${name},</p><p>confirm that this is your e-mail address:</p><p><a href="${url}">Confirm</a></p><p>If you did not sign up, ignore this mail.</p></body></html>`
  return {
    personalizations: [{ to: [{ email: to }] }],
    from: { email: from },
    subject: 'Verify your email address',
    content: [
      { type: 'text/plain', value: text },
      { type: 'text/html', value: html },
    ],
  }
}

async function send(env: PeerEnv, mail: PeerMail): Promise<boolean> {
  try {
    const response = await fetch(`${env.MAIL_API}/v3/mail/send`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${env.MAIL_API_KEY}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(mailBody(mail, env.MAIL_FROM)),
    })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

export default {
  fetch: app.fetch,

  // One mail, one call, as its documentation sends mail; as many at once as a Worker may have waiting.
  async queue(batch, env) {
    const waiting = [...batch.messages]
    async function work(): Promise<void> {
      for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
        if (await send(env, message.body)) message.ack()
        else message.retry()
      }
    }
    await Promise.all(Array.from({ length: CONCURRENT_CALLS }, work))
  },
} satisfies ExportedHandler<PeerEnv, PeerMail>
