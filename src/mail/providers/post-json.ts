// One call to a mail API over HTTP: JSON out, a bounded wait for the answer, a bounded look at its body.

import { bounded, Outage } from '../../bounded.ts'
import { BODY_TIMEOUT_MS, withoutAddresses } from './http-outcome.ts'
import type { SendOutcome } from './provider.ts'

/** What every HTTP adapter is handed. */
export interface HttpApi {
  /** Where the API lives, without a slash at the end. */
  readonly baseUrl: string
  /** How long to wait for the answer's status, in milliseconds. */
  readonly timeoutMs: number
  readonly fetch: (request: Request) => Promise<Response>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export type Answer =
  | { readonly ok: true; readonly response: Response }
  /** No answer, or none in time. */
  | { readonly ok: false; readonly outcome: SendOutcome }

/** The results of a hundred mails take about 30 KB. */
const MAX_BODY_BYTES = 256 * 1024

/**
 * Posts JSON and waits for the status. Never rejects.
 * @param options where, how long, the network
 * @param path below the base URL
 * @param headers besides `Content-Type`
 * @param body becomes JSON
 */
export async function postJson(
  options: HttpApi,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): Promise<Answer> {
  const abort = new AbortController()
  try {
    // The signal frees the connection; the bound holds even for a network that ignores the signal.
    const response = await bounded('mail_api', options.timeoutMs, () =>
      options.fetch(
        new Request(`${options.baseUrl}${path}`, {
          method: 'POST',
          headers: { ...headers, 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
          // A redirect would carry the key and the links to another host.
          redirect: 'manual',
          signal: abort.signal,
        }),
      ),
    )
    return { ok: true, response }
  } catch (error) {
    abort.abort()
    return { ok: false, outcome: lostAnswer(error) }
  }
}

/**
 * What it means that a call to a mail API failed without an answer: it may have been accepted.
 * @param error of `bounded`; its words are kept only where they are ours, because a network's may name the
 * recipient
 */
export function lostAnswer(error: unknown): SendOutcome {
  const isLate = error instanceof Outage && error.timedOut
  return {
    kind: 'retry',
    reason: isLate ? error.message : 'mail_api failed',
    afterSeconds: null,
    isProviderDown: true,
    mayBeAccepted: true,
  }
}

/**
 * Reads a body as text, for a bounded time and up to a bounded length.
 * @param response its body must not have been read
 * @param timeoutMs of the API, in milliseconds; a body gets no more than `BODY_TIMEOUT_MS`
 * @returns the text; what is longer is cut short, and what breaks off or does not end is empty
 */
export async function readBody(response: Response, timeoutMs: number): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  try {
    return await bounded('mail_api', Math.min(timeoutMs, BODY_TIMEOUT_MS), async () => {
      const decoder = new TextDecoder()
      let text = ''
      for (let bytes = 0; bytes <= MAX_BODY_BYTES; ) {
        const { done, value } = await reader.read()
        if (done) return text + decoder.decode()
        bytes += value.byteLength
        text += decoder.decode(value, { stream: true })
      }
      return text
    })
  } catch {
    return ''
  } finally {
    reader.cancel().catch(() => {})
  }
}

/**
 * Parses JSON from somebody else.
 * @param text anything
 * @returns undefined where it is no JSON, such as a proxy's HTML page
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * A provider's words, fit to be stored and logged: without addresses, and without the key, which some APIs repeat
 * in what they say of it.
 * @param text from an answer
 * @param key that the call was made with
 */
export function cleanWords(text: string, key: string): string {
  return withoutAddresses(key === '' ? text : text.replaceAll(key, '<key>'))
}
