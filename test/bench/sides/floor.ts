// The floor: see ../floor. As many rows lie in its tables as in ours.

import { readFileSync } from 'node:fs'
import { addressOf, firstOf, secretOf, sizeOf, uuidOf, verifiedIn } from '../population.ts'
import { type BenchRequest, MAIL_API, NUMBERS, type Operation, type Side } from './side.ts'

const HOUR = 3600 * 1000
const DAY = 24 * HOUR
/** As long as a real one. */
const SOME_HASH = `$scrypt$ln=15,r=8,p=3$${'A'.repeat(22)}$${'A'.repeat(43)}`

const sessionOf = (i: number) => secretOf('floor session', i)

export const floor: Side = {
  name: 'floor',
  title: 'floor',
  config: 'test/bench/floor/wrangler.toml',
  kv: false,
  limiter: false,
  queue: 'floor-mail',
  bindings: { MAIL_API },
  operations: ['confirm', 'repeat', 'resend', 'check', 'session', 'forged'],

  schema: () => [readFileSync(new URL('../floor/schema.sql', import.meta.url), 'utf8')],

  async seed(db, population, now) {
    db.function('address', { deterministic: true }, (i) => addressOf(Number(i)))
    db.function('uuid', { deterministic: true }, (i, kind) => uuidOf(Number(i), Number(kind)))
    db.function('session', { deterministic: true }, (i) => sessionOf(Number(i)))
    const total = sizeOf(population)
    const run = (sql: string, from = 0, to = total) => {
      if (to > from) db.prepare(sql).run(from, to)
    }
    const verified = verifiedIn(population)
    const cameAt = now - 2 * HOUR
    run(`insert into users (id, email, password_hash, verified_at, created_at)
      ${NUMBERS} select uuid(i, 0), address(i), '${SOME_HASH}', iif(i < ${verified}, ${cameAt}, null), ${cameAt} from n`)
    run(`insert into sessions (user_id, id, expires_at)
      ${NUMBERS} select uuid(i, 0), session(i), ${now + 30 * DAY} from n`)
    run(`insert into messages (id, user_id, to_email, state, created_at, sent_at)
      ${NUMBERS} select uuid(i, 1), uuid(i, 0), address(i), 'sent', ${cameAt}, ${cameAt} from n`)
    const waiting = firstOf(population, 'waiting')
    run(
      `insert into messages (id, user_id, to_email, state, created_at)
      ${NUMBERS} select uuid(i, 2), uuid(i, 0), address(i), 'queued', ${now} from n`,
      waiting,
      waiting + population.waiting,
    )
  },

  request,
  queued: async (i) => ({ id: uuidOf(i, 2) }),
  upkeep: null,
}

async function request(operation: Operation, i: number): Promise<BenchRequest> {
  const headers = { Cookie: `session=${uuidOf(i)}${sessionOf(i)}` }
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
      return post('/confirm', { email: addressOf(i), next: secretOf('floor next session', i) })
    case 'resend':
      return post('/resend', {})
    case 'check':
      return get('/check', 200)
    case 'session':
      return get('/session', 200)
    case 'forged':
      return get('/forged', 400)
    default:
      throw new Error(`the floor has no ${operation}`)
  }
}
