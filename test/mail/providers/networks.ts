// What the tests of all adapters share: mails, and networks that answer as told.

import { blankFor, renderForm } from '../../../src/mail/messages/form-letter.ts'
import type { OutgoingMail, SendOutcome } from '../../../src/mail/providers/provider.ts'

export const NOW = Date.UTC(2026, 10, 2, 18)
/** Until the next UTC day, seen from {@link NOW}. */
export const SECONDS_LEFT_TODAY = 6 * 60 * 60
export const TIMEOUT_MS = 60
export const FROM = { email: 'noreply@example.com', name: 'Example' }

const brand = { appName: 'Example', color: '#1f5fbf', supportEmail: null }

/** A form letter like ours. */
export const FORM = renderForm(brand, 'en', {
  kind: 'verify_email',
  url: blankFor('url'),
  ttlMs: 86_400_000,
  disownUrl: blankFor('disownUrl'),
})

/** A mail like ours. */
export function mailTo(to: string, n = 0, form = FORM): OutgoingMail {
  const urlOf = (path: string) => `https://auth.example.com/${path}?lang=en&token=abc${n}`
  return {
    id: `0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}`,
    to,
    form,
    values: { address: to, url: urlOf('verify'), disownUrl: urlOf('disown') },
  }
}

/** Mails to as many addresses. */
export function mails(count: number): OutgoingMail[] {
  return Array.from({ length: count }, (_, n) => mailTo(`person${n}@example.com`, n))
}

export type Network = (request: Request, nth: number) => Promise<Response> | Response

/** A network that keeps what it is sent, and how many calls were under way at once. */
export function watch(network: Network) {
  const seen = { requests: [] as Request[], atOnce: 0, most: 0 }
  return {
    seen,
    async fetch(request: Request): Promise<Response> {
      seen.requests.push(request.clone())
      seen.most = Math.max(seen.most, ++seen.atOnce)
      try {
        return await network(request, seen.requests.length)
      } finally {
        seen.atOnce--
      }
    },
  }
}

/** Always the same answer. */
export function answer(
  status: number,
  body: unknown = null,
  headers: Record<string, string> = {},
): Network {
  const text = body === null || typeof body === 'string' ? body : JSON.stringify(body)
  return () => new Response(text, { status, headers })
}

/** An answer whose body is a stream. */
export function streaming(status: number, body: () => ReadableStream): Network {
  return () => new Response(body(), { status })
}

export const never = () => new Promise<never>(() => {})

/** Bodies that a careless reader would wait for, or fill its memory with. */
export const BAD_BODIES: [string, () => ReadableStream][] = [
  ['never comes', () => new ReadableStream()],
  ['cannot be cancelled', () => new ReadableStream({ cancel: () => Promise.reject(new Error()) })],
  ['hangs when it is cancelled', () => new ReadableStream({ cancel: never })],
  ['breaks off', () => new ReadableStream({ start: (stream) => stream.error(new Error('reset')) })],
  [
    'never ends',
    () =>
      new ReadableStream({
        pull: (stream) => stream.enqueue(new TextEncoder().encode('x'.repeat(50_000))),
      }),
  ],
]

export const accepted = (providerMessageId: string | null): SendOutcome => ({
  kind: 'accepted',
  providerMessageId,
})

export const refused = (reason: string, isAccountRefused = false): SendOutcome => ({
  kind: 'refused',
  reason,
  isAccountRefused,
})

export const LOST: SendOutcome = {
  kind: 'retry',
  reason: 'mail_api failed',
  afterSeconds: null,
  isProviderDown: true,
  mayBeAccepted: true,
}

export const SILENT: SendOutcome = { ...LOST, reason: 'mail_api did not answer in time' }

/** Trouble of the provider in which nothing was accepted. */
export const pushback = (reason: string, afterSeconds: number | null = null): SendOutcome => ({
  kind: 'retry',
  reason,
  afterSeconds,
  isProviderDown: true,
  mayBeAccepted: false,
})
