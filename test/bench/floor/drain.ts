// The floor's consumer: claim the mails, one call for all of them, write down that they went.

/** What travels through the Queue. */
export interface QueuedMail {
  readonly id: string
}

const LEASE_MS = 60_000

interface Waiting {
  readonly id: string
  readonly to_email: string
}

/** One call takes a thousand recipients, so a batch needs no second one. */
function mailBody(mails: readonly Waiting[]) {
  return JSON.stringify({
    personalizations: mails.map(({ id, to_email }) => ({
      to: [{ email: to_email }],
      substitutions: { '-link-': `https://auth.bench.dev/auth/verify-email?token=${id}` },
      custom_args: { message_id: id },
    })),
    from: { email: 'noreply@bench.dev' },
    subject: 'Confirm your address',
    content: [
      { type: 'text/plain', value: 'Confirm your address: -link-' },
      { type: 'text/html', value: '<p><a href="-link-">Confirm your address</a></p>' },
    ],
  })
}

/**
 * Sends a batch.
 * @param batch of ids
 * @param env the database, and where the mail API is
 */
export async function drain(
  batch: MessageBatch<QueuedMail>,
  env: { readonly DB: D1Database; readonly MAIL_API: string },
): Promise<void> {
  const now = Date.now()
  const lease = now + LEASE_MS
  const ids = JSON.stringify(batch.messages.map(({ body }) => body.id))
  // A lease, or a message that is delivered twice is sent twice: the Queue delivers at least once.
  const [leased] = await env.DB.batch<Waiting>([
    env.DB.prepare(
      `update messages set state = 'sending', lease_until = ?1
       where id in (select value from json_each(?2))
         and (state = 'queued' or (state = 'sending' and lease_until <= ?3))
       returning id, to_email`,
    ).bind(lease, ids, now),
  ])
  const mails = leased?.results ?? []
  if (mails.length === 0) return batch.ackAll()
  const response = await fetch(`${env.MAIL_API}/v3/mail/send`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: mailBody(mails),
  })
  await response.body?.cancel()
  if (!response.ok) return batch.retryAll()
  // The record, or the sweeper sends it again (promise 1), and reports of its delivery find nothing (S8).
  await env.DB.batch([
    env.DB.prepare(
      `update messages set state = 'sent', lease_until = null, sent_at = ?1, provider_message_id = ?2
       where id in (select value from json_each(?3)) and lease_until = ?4`,
    ).bind(Date.now(), response.headers.get('X-Message-Id'), ids, lease),
  ])
  batch.ackAll()
}
