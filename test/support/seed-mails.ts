// Mails that wait to be sent, by SQL: registering thousands of people one by one would take minutes. And a harness
// whose network leads to mail APIs in memory.

import type { MessageKind } from '../../src/schema.ts'
import { uuidV7 } from '../../src/uuid-v7.ts'
import type { FakeMailApi } from './fake-mail-api.ts'
import { createHarness, type Harness, type Settings } from './harness.ts'

/** Rows of one statement: D1 takes two megabytes in a parameter. */
const ROWS = 2000
let seeded = 0

/** A harness that sends by these mail APIs, in this order. */
export async function harnessWith(
  apis: readonly FakeMailApi[],
  settings: Settings = {},
): Promise<Harness> {
  const h = await createHarness(settings, {
    providers: (deps) => apis.map((api) => api.provider(deps)),
  })
  h.network = (request, pass) => {
    const api = apis.find(({ url }) => url === request.url)
    return api === undefined ? pass(request) : api.handle(request)
  }
  return h
}

/**
 * Writes claims and a queued mail for each; a millisecond lies between one and the next, by their ids as well.
 * @returns their ids, oldest first
 */
export async function seedMails(
  h: Harness,
  count: number,
  { kind = 'verify_email' as MessageKind, createdAt = h.now } = {},
): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => uuidV7(createdAt + i))
  const rows = ids.map((id, i) => ({
    id,
    user: h.deps.newId(),
    email: `seed-${++seeded}@mail.example`,
    at: createdAt + i,
  }))
  for (let start = 0; start < rows.length; start += ROWS) {
    const json = JSON.stringify(rows.slice(start, start + ROWS))
    await h.rows(
      `insert into users (id, email, email_fingerprint, password_hash, created_at)
        select value ->> 'user', value ->> 'email', value ->> 'user', 'x', value ->> 'at' from json_each(?)`,
      json,
    )
    await h.rows(
      `insert into messages (id, user_id, kind, locale, to_email, generation, state, attempts, created_at)
        select value ->> 'id', value ->> 'user', ?, 'en', value ->> 'email', 0, 'queued', 0, value ->> 'at'
        from json_each(?)`,
      kind,
      json,
    )
  }
  return ids
}

export interface MailRow {
  id: string
  state: string
  attempts: number
  not_before: number | null
  provider: string | null
  provider_message_id: string | null
  error: string | null
  batch_id: string | null
  settled_at: number | null
}

/** The rows of some mails, in the order of the ids. */
export async function mailRows(h: Harness, ids: readonly string[]): Promise<MailRow[]> {
  const rows = await h.rows<MailRow>(
    'select * from messages where id in (select value from json_each(?))',
    JSON.stringify(ids),
  )
  return ids.flatMap((id) => rows.filter((row) => row.id === id))
}
