// A browser as far as this Worker can tell: cookies, an IP, forms and JSON.

import type { Harness } from './harness.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

export const PASSWORD = 'correct horse battery'

export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #harness: Harness
  readonly #ip: string

  constructor(harness: Harness, ip: string) {
    this.#harness = harness
    this.#ip = ip
  }

  /** One request; JSON unless `form` is given. Cookies come along and are kept. */
  async send(
    method: string,
    path: string,
    options: {
      json?: unknown
      form?: Record<string, string>
      headers?: Record<string, string>
    } = {},
  ): Promise<Answer> {
    const headers = new Headers({ 'CF-Connecting-IP': this.#ip, ...options.headers })
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    if (cookie !== '') headers.set('Cookie', cookie)
    let body: string | null = null
    if (options.json !== undefined) {
      headers.set('Content-Type', 'application/json')
      body = JSON.stringify(options.json)
    } else if (options.form !== undefined) {
      headers.set('Content-Type', 'application/x-www-form-urlencoded')
      // An empty one stands for a browser that does not send it.
      if (headers.get('Sec-Fetch-Site') === '') headers.delete('Sec-Fetch-Site')
      else if (!headers.has('Sec-Fetch-Site')) headers.set('Sec-Fetch-Site', 'same-origin')
      body = new URLSearchParams(options.form).toString()
    }
    const response = await this.#harness.fetch(path, { method, headers, body, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0/i.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: parsed(text) }
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, { headers })
  }

  /** Navigates, as a person does. */
  open(url: string): Promise<Answer> {
    const { pathname, search } = new URL(url, 'https://auth.testproof.dev')
    return this.send('GET', pathname + search, {
      headers: { Accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' },
    })
  }

  post(path: string, json: unknown = {}): Promise<Answer> {
    return this.send('POST', path, { json })
  }

  submit(path: string, form: Record<string, string>): Promise<Answer> {
    return this.send('POST', path, { form })
  }

  register(email: string, password = PASSWORD): Promise<Answer> {
    return this.post('/auth/register', { email, password })
  }

  login(email: string, password = PASSWORD): Promise<Answer> {
    return this.post('/auth/login', { email, password })
  }

  confirm(token: string, password?: string): Promise<Answer> {
    return this.post('/auth/verify-email', {
      token,
      ...(password === undefined ? {} : { password }),
    })
  }

  session(): Promise<Answer> {
    return this.get('/auth/session')
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
