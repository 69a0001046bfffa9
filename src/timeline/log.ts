// Log lines: one JSON object per event, addresses masked, nothing secret. Facts about known users also
// go to the `events` table; strangers' noise goes here alone.

/** The names of log events. Stable: dashboards and alerts are built on them. */
export type LogEvent =
  | 'registered'
  | 'signed_in'
  | 'sign_in_refused'
  | 'signed_out'
  | 'account_deleted'
  | 'verification_sent'
  | 'provider_accepted'
  | 'provider_deferred'
  | 'provider_refused'
  | 'provider_down'
  | 'provider_recovered'
  | 'daily_cap_reached'
  | 'mail_failed'
  | 'mail_expired'
  | 'mail_suppressed'
  | 'delivery_reported'
  | 'mail_bounced'
  | 'mail_complained'
  | 'webhook_refused'
  | 'mail_stalled'
  | 'invalid_token'
  | 'expired_token'
  | 'proof_refused'
  | 'already_verified'
  | 'verified'
  | 'reset_requested'
  | 'password_reset'
  | 'password_changed'
  | 'email_change_requested'
  | 'email_change_cancelled'
  | 'email_changed'
  | 'email_change_refused'
  | 'email_change_undone'
  | 'session_revoked'
  | 'disowned'
  | 'resend_requested'
  | 'resend_limited'
  | 'request_limited'
  | 'desk_signed_in'
  | 'desk_refused'
  | 'support_action'
  | 'counter_unavailable'
  | 'enqueue_failed'
  | 'consumer_failed'
  | 'dead_letter'
  | 'sweep'
  | 'outage'
  | 'error'
  | 'misconfigured'

/** What a line may carry besides its event. A closed list, so that no secret slips in by spreading. */
export interface LogFields {
  readonly userId?: string | null
  readonly messageId?: string
  /** Masked before it is written. */
  readonly email?: string
  readonly reason?: string
  /** Who of the support desk it was. An address in it is masked before it is written. */
  readonly actor?: string
  readonly provider?: string
  readonly providerMessageId?: string | null
  readonly attempt?: number
  readonly delaySeconds?: number
  readonly status?: number
  readonly policy?: string
  readonly count?: number
  /** For how many lines of the same this one stands; see repeated-lines.ts. */
  readonly repeated?: number
  /** How many delivery reports of each kind. */
  readonly reported?: Readonly<Record<string, number>>
  /** How many ids were not ours. */
  readonly unknown?: number
  readonly pruned?: Readonly<Record<string, number>>
  readonly path?: string
  readonly problems?: readonly { readonly name: string; readonly message: string }[]
}

export type Log = (event: LogEvent, fields?: LogFields) => void

const NAMES = Object.entries({
  userId: 'user_id',
  messageId: 'message_id',
  email: 'email',
  reason: 'reason',
  actor: 'actor',
  provider: 'provider',
  providerMessageId: 'provider_message_id',
  attempt: 'attempt',
  delaySeconds: 'delay_seconds',
  status: 'status',
  policy: 'policy',
  count: 'count',
  repeated: 'repeated',
  reported: 'reported',
  unknown: 'unknown',
  pruned: 'pruned',
  path: 'path',
  problems: 'problems',
} satisfies Record<keyof LogFields, string>)

/**
 * Formats one line.
 * @param event its name
 * @param fields what else there is to say
 * @param at milliseconds since the epoch
 * @returns JSON without a line break
 */
export function formatLogLine(event: LogEvent, fields: LogFields, at: number): string {
  const line: Record<string, unknown> = { event, at: new Date(at).toISOString() }
  for (const [key, name] of NAMES) {
    const value = Reflect.get(fields, key)
    if (value === undefined || value === null) continue
    line[name] =
      key === 'email'
        ? maskEmail(String(value))
        : key === 'actor'
          ? String(value).replace(/\S+@\S+/g, maskEmail)
          : value
  }
  return JSON.stringify(line)
}

/**
 * Keeps what support needs to recognise an address and no more: `ada@example.com` → `a***@example.com`.
 * @param email an address, canonical or not
 */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@')
  return at < 1 ? '***' : `${[...email][0]}***${email.slice(at)}`
}
