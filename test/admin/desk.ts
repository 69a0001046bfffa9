// The desk as tests use it: a Worker that has one, a program with the token, and a person who is signed in.

import { expect } from 'vitest'
import type { Answer, Browser } from '../support/browser.ts'
import {
  createHarness,
  freshAddress,
  type Harness,
  linkIn,
  type Settings,
} from '../support/harness.ts'

export const ADMIN_TOKEN = 'desk-token-for-tests-0123456789abcdef'
export const HTML = { Accept: 'text/html,application/xhtml+xml' }

/** A Worker with a desk. */
export function deskHarness(settings: Settings = {}): Promise<Harness> {
  return createHarness({ ADMIN_TOKEN, ...settings })
}

/** A program that has the token; each has an IP of its own. */
export class Program {
  readonly #browser: Browser
  readonly #headers: Record<string, string>

  constructor(h: Harness, options: { token?: string; actor?: string | null } = {}) {
    const { token = ADMIN_TOKEN, actor = 'Grace Hopper' } = options
    this.#browser = h.browser()
    this.#headers = {
      Authorization: `Bearer ${token}`,
      ...(actor === null ? {} : { 'X-Actor': actor }),
    }
  }

  get(path: string): Promise<Answer> {
    return this.#browser.get(path, this.#headers)
  }

  post(path: string, json: unknown): Promise<Answer> {
    return this.#browser.send('POST', path, { json, headers: this.#headers })
  }
}

/** A browser in which somebody has signed in to the desk. */
export async function personAtDesk(h: Harness, name = 'Ida Rhodes'): Promise<Browser> {
  const browser = h.browser()
  const answer = await browser.submit('/admin/sign-in', { name, token: ADMIN_TOKEN })
  expect([answer.status, answer.headers.get('Location')]).toEqual([303, '/admin'])
  return browser
}

/** Somebody who has registered; with their id, and the token of their verification mail. */
export async function claim(h: Harness, email = freshAddress()) {
  const browser = h.browser()
  const answer = await browser.register(email)
  await h.deliver()
  const { token } = linkIn((await h.mails(email))[0])
  h.now += 1000
  const id: string = answer.body.user.id
  return { browser, email, id, token }
}

/** Somebody whose address is verified. */
export async function owner(h: Harness, email = freshAddress()) {
  const person = await claim(h, email)
  expect((await person.browser.confirm(person.token)).body.status).toBe('verified')
  h.now += 1000
  return person
}

/** Lets the provider refuse what is delivered now, so that it ends as a failure. */
export async function deliverRefused(h: Harness): Promise<void> {
  const real = h.network
  h.network = async () => new Response('{"errors":[{"message":"no"}]}', { status: 400 })
  await h.deliver()
  h.network = real
}

/** The desk's entries in a user's timeline. */
export function supportEvents(h: Harness, userId: string) {
  return h.rows<{ type: string; actor: string; detail: string; message_id: string }>(
    "select type, actor, detail, message_id from events where user_id = ? and type like 'support_%' order by at",
    userId,
  )
}
