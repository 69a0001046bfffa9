// People and their mail, made over HTTP: what is not the point of a test need not be clicked.

import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { inject } from 'vitest'

export const PASSWORD = 'correct horse battery'

export interface Person {
  readonly email: string
  readonly session: string
}

export const freshAddress = (name: string) => `${name}-${randomUUID().slice(0, 8)}@example.com`

interface Answer {
  readonly session: { readonly token: string }
}

/** Posts JSON, with a session where one is given. */
export async function post(path: string, body: unknown, session?: string): Promise<Answer> {
  const response = await fetch(inject('workerUrl') + path, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(session === undefined ? {} : { Authorization: `Bearer ${session}` }),
    },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json<Answer>()
}

/** Somebody who has registered and not confirmed yet. */
export async function waiting(name = 'ada'): Promise<Person> {
  const email = freshAddress(name)
  const body = { email, password: PASSWORD, transport: 'bearer' }
  return { email, session: (await post('/auth/register', body)).session.token }
}

/** Somebody whose address is confirmed. */
export async function settled(name = 'ada'): Promise<Person> {
  const person = await waiting(name)
  const token = new URL(await linkTo(person.email, '/auth/verify-email')).searchParams.get('token')
  const answer = await post('/auth/verify-email', { token }, person.session)
  return { ...person, session: answer.session.token }
}

/** Signs a device in. */
export async function signIn(page: Page, { session }: Person): Promise<void> {
  await page.context().addCookies([{ name: 'session', value: session, url: inject('workerUrl') }])
}

interface Mail {
  readonly id: string
  readonly text: string
}

/** Waits for a mail, `after` another, that has a link to a path; its URL, and the mail's id. */
export async function mailTo(
  to: string,
  path: string,
  after?: string,
): Promise<{ url: string; id: string }> {
  const mailbox = `${inject('workerUrl')}/dev/mailbox.json?to=${encodeURIComponent(to)}`
  for (let i = 0; i < 150; i++) {
    const mails = await (await fetch(mailbox)).json<Mail[]>()
    // Newest first.
    for (const { id, text } of mails) {
      if (id === after) break
      for (const [url] of text.matchAll(/https?:\/\/\S+\?token=\S+/g)) {
        if (new URL(url).pathname === path) return { url, id }
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`no mail to ${to} with a link to ${path}`)
}

/** The same, for the URL alone. */
export async function linkTo(to: string, path: string): Promise<string> {
  return (await mailTo(to, path)).url
}
