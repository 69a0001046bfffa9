// What the tests of webhooks share: SendGrid's signature, made as its documentation describes, a mail that was sent,
// and the whole content of the tables.
import type { Harness } from '../../support/harness.ts'
import { freshAddress } from '../../support/harness.ts'

export interface Signer {
  /** SubjectPublicKeyInfo in base64, as SendGrid shows it. */
  readonly publicKey: string
  /** DER in base64. */
  readonly sign: (timestamp: string, body: string) => Promise<string>
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** A key pair of SendGrid's. */
export async function createSigner(): Promise<Signer> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  if (!('privateKey' in pair)) throw new Error('not a pair')
  const spki = await crypto.subtle.exportKey('spki', pair.publicKey)
  if (!(spki instanceof ArrayBuffer)) throw new Error('not bytes')
  return {
    publicKey: new Uint8Array(spki).toBase64(),
    async sign(timestamp, body) {
      const data = new TextEncoder().encode(timestamp + body)
      return der(new Uint8Array(await crypto.subtle.sign(ALGORITHM, pair.privateKey, data)))
    },
  }
}

/** r ‖ s as DER in base64. */
function der(raw: Uint8Array): string {
  const integer = (bytes: Uint8Array) => {
    let start = 0
    while (start < bytes.length - 1 && bytes[start] === 0) start++
    const digits = [...bytes.subarray(start)]
    if ((digits[0] ?? 0) > 127) digits.unshift(0)
    return [0x02, digits.length, ...digits]
  }
  const both = [...integer(raw.subarray(0, 32)), ...integer(raw.subarray(32))]
  return Uint8Array.from([0x30, both.length, ...both]).toBase64()
}

export type Headers = Record<string, string>

export const SIGNATURE = 'X-Twilio-Email-Event-Webhook-Signature'
export const TIMESTAMP = 'X-Twilio-Email-Event-Webhook-Timestamp'

/** The headers that SendGrid would send with a body now, or so many seconds from now. */
export async function signed(
  h: Harness,
  signer: Signer,
  body: string,
  offsetSeconds = 0,
): Promise<Headers> {
  const timestamp = String(Math.floor(h.now / 1000) + offsetSeconds)
  return {
    'Content-Type': 'application/json',
    [TIMESTAMP]: timestamp,
    [SIGNATURE]: await signer.sign(timestamp, body),
  }
}

/** One call of a webhook. */
export function post(
  h: Harness,
  provider: string,
  body: string | Uint8Array,
  headers: Headers,
): Promise<Response> {
  return h.fetch(`/webhooks/${provider}`, { method: 'POST', headers, body })
}

/** One signed call of SendGrid's. */
export async function report(h: Harness, signer: Signer, events: unknown[]): Promise<Response> {
  const body = JSON.stringify(events)
  return post(h, 'sendgrid', body, await signed(h, signer, body))
}

/** A registration whose mail the provider has accepted: SendGrid, or as if it had been another. */
export async function sentMail(h: Harness, provider = 'sendgrid') {
  const email = freshAddress()
  const browser = h.browser()
  await browser.register(email)
  const [id = ''] = h.bindings.queued.splice(0)
  await h.deliver({ ids: [id] })
  await h.rows('update messages set provider = ? where id = ? returning id', provider, id)
  h.now += 1000
  return { email, browser, id }
}

/** An event as SendGrid reports it of one of our mails. */
export function sendGridEvent(h: Harness, id: string, event: string, more: object = {}) {
  return {
    email: 'whoever@elsewhere.example',
    event,
    timestamp: Math.floor(h.now / 1000),
    message_id: id,
    sg_event_id: crypto.randomUUID(),
    sg_message_id: `fromSendGrid.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0`,
    ...more,
  }
}

/** One mail's row. */
export async function mailRow(h: Harness, id: string): Promise<Record<string, unknown>> {
  const [row] = await h.rows<Record<string, unknown>>('select * from messages where id = ?', id)
  return row ?? {}
}

const TABLES = ['users', 'sessions', 'messages', 'events', 'suppressions', 'email_changes']

/** Every row of every table that a report could touch. */
export async function dump(h: Harness): Promise<Record<string, unknown[]>> {
  const tables: Record<string, unknown[]> = {}
  for (const table of TABLES)
    tables[table] = await h.rows(`select * from ${table} order by 1, 2, 3`)
  return tables
}
