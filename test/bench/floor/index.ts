// The floor: Hono's router and one bare batch for each request, in plain SQL (batches.ts tells what it leaves out);
// no limits before D1, no signatures, no validation, no headers, no log. Nobody should deploy this.

import { Hono } from 'hono'
import { confirm, readSession, readSessionAndMail, resend, type SessionKey } from './batches.ts'
import { drain, type QueuedMail } from './drain.ts'

interface FloorEnv {
  readonly DB: D1Database
  readonly MAIL_QUEUE: Queue<QueuedMail>
  readonly MAIL_API: string
}

const UUID_LENGTH = 36

const app = new Hono<{ Bindings: FloorEnv }>()

/** The cookie names the user and the session, so that one look-up by key finds both. */
function sessionOf(cookie = ''): SessionKey {
  const value = cookie.slice('session='.length)
  return { userId: value.slice(0, UUID_LENGTH), id: value.slice(UUID_LENGTH) }
}

app.get('/forged', (c) => c.json({ ok: false, error: 'invalid' }, 400))

app.get('/check', async (c) => {
  const [found] = await c.env.DB.batch<{ id: string; email: string; verified_at: number | null }>(
    readSession(c.env.DB, sessionOf(c.req.header('Cookie'))),
  )
  const user = found?.results[0]
  if (user === undefined) return c.json({ ok: false }, 401)
  return c.body(null, 200, {
    'X-Auth-User-Id': user.id,
    'X-Auth-Email': user.email,
    'X-Auth-Email-Verified': String(user.verified_at !== null),
  })
})

app.get('/session', async (c) => {
  const [found, mail] = await c.env.DB.batch(
    readSessionAndMail(c.env.DB, sessionOf(c.req.header('Cookie'))),
  )
  const user = found?.results[0]
  if (user === undefined) return c.json({ ok: false }, 401)
  return c.json({ ok: true, user, mail: mail?.results[0] ?? null })
})

app.post('/confirm', async (c) => {
  const { email, next } = await c.req.json<{ email: string; next: string }>()
  const batch = confirm(c.env.DB, sessionOf(c.req.header('Cookie')), email, next)
  const [, , rotated] = await c.env.DB.batch(batch)
  const user = rotated?.results[0]
  return user === undefined ? c.json({ ok: false }, 403) : c.json({ ok: true, user, session: next })
})

app.post('/resend', async (c) => {
  const { DB, MAIL_QUEUE } = c.env
  const id = crypto.randomUUID()
  const [written] = await DB.batch(resend(DB, sessionOf(c.req.header('Cookie')), id))
  if (written?.results.length !== 1) return c.json({ ok: false }, 429)
  c.executionCtx.waitUntil(MAIL_QUEUE.send({ id }))
  return c.json({ ok: true })
})

export default {
  fetch: app.fetch,
  queue: (batch, env) => drain(batch, env),
} satisfies ExportedHandler<FloorEnv, QueuedMail>
