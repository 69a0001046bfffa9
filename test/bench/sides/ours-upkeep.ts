// A sign-up through our Worker from its first request to the day when nothing of it is left but the account.

import { generateKeyPairSync, sign } from 'node:crypto'
import type { Server } from '../serve.ts'
import { request } from './ours-requests.ts'
import type { Upkeep } from './side.ts'

const DAY = 24 * 3600 * 1000

const COOKIE = /__Host-session=([^;]+)/

/** SendGrid's, for the run. */
const webhookKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })

async function signUp(server: Server, i: number): Promise<unknown> {
  const registered = await server.send(await request('register', i))
  const { user } = JSON.parse(registered.body) as { user: { id: string } }
  const sessionToken = COOKIE.exec(registered.headers.get('Set-Cookie') ?? '')?.[1] ?? ''
  const [mail] = await server.takeQueued()
  await server.consume([mail])
  const claim = { userId: user.id, sessionToken }
  await server.send(await request('open', i, claim))
  await server.send(await request('confirm', i, claim))
  return mail
}

/** Both events of a mail that arrives, in a call of their own: busier senders get many to a call. */
async function report(server: Server, queued: unknown): Promise<void> {
  const { id } = queued as { id: string }
  const seconds = Math.floor(Date.now() / 1000)
  const event = { timestamp: seconds, message_id: id, sg_message_id: `bench-${id}` }
  const body = JSON.stringify([
    { ...event, event: 'processed' },
    { ...event, event: 'delivered', response: '250 OK' },
  ])
  const signature = sign('sha256', Buffer.from(`${seconds}${body}`), webhookKey.privateKey)
  await server.send({
    method: 'POST',
    path: '/webhooks/sendgrid',
    headers: {
      'Content-Type': 'application/json',
      'X-Twilio-Email-Event-Webhook-Signature': signature.toString('base64'),
      'X-Twilio-Email-Event-Webhook-Timestamp': String(seconds),
    },
    body,
    expect: 204,
  })
}

export const upkeep: Upkeep = {
  what: 'mail, session and timeline pruned, months later',
  byIp: false,
  signUp,
  reports: {
    bindings: {
      SENDGRID_WEBHOOK_KEYS: webhookKey.publicKey
        .export({ type: 'spki', format: 'der' })
        .toString('base64'),
    },
    report,
  },
  laterMs: 400 * DAY,
  clear: (server) => server.runCron(),
  remaining(db) {
    const tables = ['messages', 'sessions', 'events', 'mail_batches']
    const sum = tables.map((table) => `(select count(*) from ${table})`).join(' + ')
    return Number(db.prepare(`select ${sum} as n`).get()?.n)
  },
  byCron: true,
}
