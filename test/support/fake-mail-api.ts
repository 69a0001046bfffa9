// A mail API in memory, behind the harness's network, and the shortest adapter that can talk to it. It keeps what
// it accepted, knows repeated calls by their key where it is told to, and can fail in every way that matters here.

import type { Deps } from '../../src/deps.ts'
import type { MailProvider, ProviderName, SendOutcome } from '../../src/mail/providers/provider.ts'

/**
 * What the API does with a call: carries it out; carries it out and the answer is lost; loses the call itself; or
 * answers with a status and does nothing.
 */
export type Behaviour = 'ok' | 'answer_lost' | 'call_lost' | { status: number; retryAfter?: number }

export interface FakeCall {
  readonly key: string
  readonly ids: readonly string[]
}

export class FakeMailApi {
  readonly name: ProviderName
  readonly maxBatch: number
  readonly maxConcurrentCalls: number
  readonly knowsKeys: boolean
  /** Every call that arrived. */
  readonly calls: FakeCall[] = []
  /** How many copies of each mail were accepted. */
  readonly copies = new Map<string, number>()
  /** How many calls were open at once, at most. */
  mostOpen = 0
  /** Mails that it asks to bring again later, while it takes the others of the call. */
  readonly turnsAway = new Set<string>()
  behaviour: (nth: number, call: FakeCall) => Behaviour | Promise<Behaviour> = () => 'ok'
  #open = 0
  readonly #keys = new Map<string, readonly string[]>()

  constructor(
    name: ProviderName,
    options: { maxBatch?: number; maxConcurrentCalls?: number; knowsKeys?: boolean } = {},
  ) {
    this.name = name
    this.maxBatch = options.maxBatch ?? 100
    this.maxConcurrentCalls = options.maxConcurrentCalls ?? 4
    this.knowsKeys = options.knowsKeys ?? name === 'resend'
  }

  get url(): string {
    return `https://${this.name}.example/send`
  }

  /** As an adapter sees it: 409 says that the key is known and the content another. */
  async handle(request: Request): Promise<Response> {
    const ids: string[] = await request.json()
    const call = { key: request.headers.get('Idempotency-Key') ?? '', ids }
    this.calls.push(call)
    this.mostOpen = Math.max(this.mostOpen, ++this.#open)
    try {
      const does = await this.behaviour(this.calls.length, call)
      if (does === 'call_lost') throw new TypeError('network')
      if (typeof does === 'object') {
        const headers = does.retryAfter === undefined ? {} : { 'Retry-After': `${does.retryAfter}` }
        return new Response(null, { status: does.status, headers })
      }
      const status = this.#accept(call)
      if (does === 'answer_lost') throw new TypeError('network')
      return Response.json(status === 200 ? this.#turnedAway(ids) : [], { status })
    } finally {
      this.#open--
    }
  }

  #accept({ key, ids }: FakeCall): number {
    if (this.knowsKeys) {
      const known = this.#keys.get(key)
      if (known !== undefined) return known.join() === ids.join() ? 200 : 409
      this.#keys.set(key, ids)
    }
    for (const id of ids) {
      if (!this.turnsAway.has(id)) this.copies.set(id, (this.copies.get(id) ?? 0) + 1)
    }
    return 200
  }

  #turnedAway(ids: readonly string[]): string[] {
    return ids.filter((id) => this.turnsAway.has(id))
  }

  provider({ fetch }: Pick<Deps, 'fetch'>): MailProvider {
    return {
      name: this.name,
      maxBatch: this.maxBatch,
      maxConcurrentCalls: this.maxConcurrentCalls,
      knowsRepeatedCalls: this.knowsKeys,
      send: async (mails, key) => {
        if (mails.length > this.maxBatch) throw new Error('too many mails in one call')
        const body = JSON.stringify(mails.map(({ id }) => id))
        const headers = { 'Idempotency-Key': key }
        let outcome: (id: string) => SendOutcome
        try {
          outcome = await outcomeOf(
            await fetch(new Request(this.url, { method: 'POST', body, headers })),
          )
        } catch {
          outcome = () => retry('no answer', null, true)
        }
        return mails.map(({ id }) => outcome(id))
      },
    }
  }
}

async function outcomeOf(response: Response): Promise<(id: string) => SendOutcome> {
  const { status } = response
  // 409: known by its key, with other links in it. It was carried out then.
  if (status === 200 || status === 409) {
    const turnedAway: string[] = await response.json()
    return (id) =>
      turnedAway.includes(id)
        ? { ...retry('later', null, false), isProviderDown: false }
        : { kind: 'accepted', providerMessageId: `p-${id}` }
  }
  if (status < 500 && status !== 429) {
    return () => ({ kind: 'refused', reason: `${status}`, isAccountRefused: status === 401 })
  }
  const after = response.headers.get('Retry-After')
  return () => retry(`${status}`, after === null ? null : Number(after), status === 500)
}

const retry = (reason: string, afterSeconds: number | null, mayBeAccepted: boolean) => ({
  kind: 'retry' as const,
  reason,
  afterSeconds,
  isProviderDown: true,
  mayBeAccepted,
})
