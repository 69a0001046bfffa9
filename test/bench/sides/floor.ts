// The floor: see ../floor.

import { readFileSync } from 'node:fs'
import { addressOf, firstOf, secretOf, sizeOf, uuidOf, verifiedIn } from '../population.ts'
import { type BenchRequest, MAIL_API, NUMBERS, type Operation, type Side } from './side.ts'

const DAY = 24 * 3600 * 1000

const sessionOf = (i: number) => secretOf('floor session', i)

export const floor: Side = {
  name: 'floor',
  title: 'floor',
  config: 'test/bench/floor/wrangler.toml',
  kv: false,
  limiter: false,
  queue: 'floor-mail',
  bindings: { MAIL_API },
  operations: ['confirm', 'repeat', 'resend', 'session', 'forged'],

  schema: () => [readFileSync(new URL('../floor/schema.sql', import.meta.url), 'utf8')],

  async seed(db, population, now) {
    db.function('address', { deterministic: true }, (i) => addressOf(Number(i)))
    db.function('uuid', { deterministic: true }, (i, kind) => uuidOf(Number(i), Number(kind)))
    db.function('session', { deterministic: true }, (i) => sessionOf(Number(i)))
    const total = sizeOf(population)
    const run = (sql: string, from = 0, to = total) => {
      if (to > from) db.prepare(sql).run(from, to)
    }
    run(`insert into users (id, email, verified_at)
      ${NUMBERS} select uuid(i, 0), address(i), iif(i < ${verifiedIn(population)}, ${now}, null) from n`)
    run(`insert into sessions (id, user_id, expires_at)
      ${NUMBERS} select session(i), uuid(i, 0), ${now + 30 * DAY} from n`)
    const waiting = firstOf(population, 'waiting')
    run(
      `insert into messages (id, user_id, state, created_at)
      ${NUMBERS} select uuid(i, 2), uuid(i, 0), 'queued', ${now} from n`,
      waiting,
      waiting + population.waiting,
    )
  },

  request,
  queued: async (i) => ({ id: uuidOf(i, 2) }),
  upkeep: null,
}

async function request(operation: Operation, i: number): Promise<BenchRequest> {
  const headers = { Cookie: `session=${sessionOf(i)}` }
  const get = (path: string, expect: number): BenchRequest => ({
    method: 'GET',
    path,
    headers,
    body: null,
    expect,
  })
  const post = (path: string, body: object): BenchRequest => ({
    method: 'POST',
    path,
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    expect: 200,
  })
  switch (operation) {
    case 'confirm':
    case 'repeat':
      return post('/confirm', { user: uuidOf(i), next: secretOf('floor next session', i) })
    case 'resend':
      return post('/resend', { user: uuidOf(i) })
    case 'session':
      return get('/session', 200)
    case 'forged':
      return get('/forged', 400)
    default:
      throw new Error(`the floor has no ${operation}`)
  }
}
