// The floor: what no implementation can save. Hono's router and the one D1 batch that the operation is about, or
// none; no limits, no signature, no validation, no headers, no log. Nobody should deploy this.

import { Hono } from 'hono'

interface FloorEnv {
  readonly DB: D1Database
  readonly MAIL_QUEUE: Queue<{ id: string }>
  readonly MAIL_API: string
}

/** Workers let so many calls wait for their headers at once. */
const CONCURRENT_CALLS = 6

const app = new Hono<{ Bindings: FloorEnv }>()

const sessionOf = (cookie: string | undefined) => cookie?.slice('session='.length) ?? ''

app.get('/forged', (c) => c.json({ ok: false, error: 'invalid' }, 400))

app.get('/session', async (c) => {
  const { DB } = c.env
  const [found] = await DB.batch<{ email: string }>([
    DB.prepare(
      `select u.*, s.expires_at from sessions s join users u on u.id = s.user_id
       where s.id = ? and s.expires_at > ?`,
    ).bind(sessionOf(c.req.header('Cookie')), Date.now()),
  ])
  const user = found?.results[0]
  return user === undefined ? c.json({ ok: false }, 401) : c.json({ ok: true, user })
})

app.post('/confirm', async (c) => {
  const { DB } = c.env
  const { user, next } = await c.req.json<{ user: string; next: string }>()
  const [verified] = await DB.batch([
    DB.prepare(
      'update users set verified_at = ? where id = ? and verified_at is null returning *',
    ).bind(Date.now(), user),
    DB.prepare('update sessions set id = ? where id = ? and user_id = ?').bind(
      next,
      sessionOf(c.req.header('Cookie')),
      user,
    ),
  ])
  return c.json({ ok: true, user: verified?.results[0] ?? null, session: next })
})

app.post('/resend', async (c) => {
  const { DB, MAIL_QUEUE } = c.env
  const { user } = await c.req.json<{ user: string }>()
  const id = crypto.randomUUID()
  const now = Date.now()
  await DB.batch([
    DB.prepare(
      `insert into messages (id, user_id, state, created_at) select ?1, ?2, 'queued', ?3
       where (select count(*) from messages where user_id = ?2 and created_at > ?3 - 900000) < 1000`,
    ).bind(id, user, now),
  ])
  c.executionCtx.waitUntil(MAIL_QUEUE.send({ id }))
  return c.json({ ok: true })
})

export default {
  fetch: app.fetch,

  async queue(batch, env) {
    const waiting = [...batch.messages]
    async function work(): Promise<void> {
      for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
        const response = await fetch(`${env.MAIL_API}/v3/mail/send`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(message.body),
        })
        await response.body?.cancel()
      }
    }
    await Promise.all(Array.from({ length: CONCURRENT_CALLS }, work))
    const ids = JSON.stringify(batch.messages.map(({ body }) => body.id))
    await env.DB.batch([
      env.DB.prepare(
        "update messages set state = 'sent' where id in (select value from json_each(?))",
      ).bind(ids),
    ])
    batch.ackAll()
  },
} satisfies ExportedHandler<FloorEnv, { id: string }>
