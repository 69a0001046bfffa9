// People whom several tests of pages need.

import { expect } from 'vitest'
import { type Answer, type Browser, PASSWORD } from '../support/browser.ts'
import { freshAddress, type Harness, linkIn } from '../support/harness.ts'

/** Somebody who has registered by the form and not confirmed yet. */
export async function waiting(h: Harness, email = freshAddress()) {
  const browser = h.browser()
  const answer = await browser.submit('/register', { email, password: PASSWORD })
  expect(answer.status).toBe(303)
  await h.deliver()
  return { browser, email, ...linkIn((await h.mails(email))[0]) }
}

/** Somebody whose address is confirmed. */
export async function settled(h: Harness, email = freshAddress()) {
  const person = await waiting(h, email)
  const done = await person.browser.submit('/auth/verify-email', { token: person.token })
  expect(done.text).toContain('Address confirmed')
  h.now += 1000
  return person
}

/** Submits, expects to be led on, and goes there. */
export async function submitAndFollow(
  browser: Browser,
  path: string,
  form: Record<string, string>,
): Promise<Answer> {
  const answer = await browser.submit(path, form)
  expect([answer.status, answer.text]).toEqual([303, ''])
  return browser.open(answer.headers.get('Location') ?? '')
}

/** The link in the newest mail to an address that leads to a path. */
export async function linkTo(h: Harness, email: string, path: string) {
  for (const { text } of await h.mails(email)) {
    for (const [url] of text.matchAll(/https:\/\/\S+\?token=\S+/g)) {
      if (new URL(url).pathname === path) {
        return { url, token: new URL(url).searchParams.get('token') ?? '' }
      }
    }
  }
  throw new Error(`no link to ${path} in the mails to ${email}`)
}
