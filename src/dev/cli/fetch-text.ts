// Requests to a Worker that `wrangler dev` may serve.

/** What wrangler's proxy answers in the Worker's place. */
const LOST = /^Error: Network connection lost/

const ATTEMPTS = 3

/**
 * Fetches, and again where `wrangler dev` lost the request before the Worker saw it: its proxy keeps a
 * connection idle for the same five seconds after which workerd closes it, and repeats a lost GET but no
 * POST (https://github.com/cloudflare/workers-sdk/issues/14641).
 * @param url where to
 * @param init as for `fetch`, with a body that can be sent again
 * @returns the answer and its body
 * @throws as `fetch` does
 */
export async function fetchText(
  url: string,
  init: RequestInit,
): Promise<{ readonly response: Response; readonly text: string }> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(url, init)
    const text = await response.text()
    const isLost = response.status === 500 && LOST.test(text)
    if (!isLost || attempt === ATTEMPTS) return { response, text }
  }
}
