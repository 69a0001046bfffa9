// The desk's pages, each with the way to it.

import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { inject } from 'vitest'
import { PASSWORD, type Person, post, settled, waiting } from './people.ts'
import { type Scene, sendForm } from './scenes.ts'

const REASON = 'Called, and knew the number of the invoice'

async function toDesk(page: Page, path = '/admin'): Promise<void> {
  await page.goto(path)
  await sendForm(page, '/admin/sign-in', { name: 'Ida Rhodes', token: inject('adminToken') })
}

/** The page of somebody to whom a few things have happened. */
async function toUser(page: Page, { email }: Pick<Person, 'email'>): Promise<void> {
  await toDesk(page)
  await sendForm(page, '/admin/users/find', { query: email })
}

/** Sends the form of actions by one of its buttons. */
async function act(page: Page, button: string): Promise<void> {
  await page.locator('#actions [name=reason]').fill(REASON)
  await Promise.all([
    page.waitForEvent('domcontentloaded'),
    page.getByRole('button', { name: button, exact: true }).click(),
  ])
}

/** Addresses as long as they come, where a page gives what they do to it. */
const LONG = 'a-person-with-quite-a-long-name-for-a-narrow-screen'

/** What the desk shows, for the tests of all pages. */
export function deskScenes(): readonly Scene[] {
  const person = async (name?: string) => settled(name)
  return [
    {
      name: 'desk-sign-in',
      heading: 'Sign in to the desk',
      arrive: (page) => page.goto('/admin'),
    },
    {
      name: 'desk-sign-in-errors',
      heading: 'Sign in to the desk',
      arrive: async (page) => {
        await page.goto('/admin')
        await sendForm(page, '/admin/sign-in', { name: 'Eve', token: 'a guess' })
      },
    },
    { name: 'desk-find', heading: 'Find a user', arrive: (page) => toDesk(page) },
    {
      name: 'desk-find-several',
      heading: 'Find a user',
      arrive: async (page) => {
        const { email } = await person(LONG)
        await post('/auth/register', { email, password: PASSWORD })
        await toUser(page, { email })
      },
    },
    {
      name: 'desk-find-errors',
      heading: 'Find a user',
      arrive: (page) => toUser(page, { email: 'nobody at all' }),
    },
    {
      name: 'desk-user',
      heading: /^a-person-/,
      arrive: async (page) => {
        await toUser(page, await waiting(LONG))
        await act(page, 'Send the link to confirm')
      },
    },
    {
      name: 'desk-user-verified',
      heading: /^ada-/,
      arrive: async (page) => {
        await toUser(page, await waiting())
        await act(page, 'Mark as verified')
      },
    },
    {
      name: 'desk-user-errors',
      heading: /^ada-/,
      arrive: async (page) => {
        await toUser(page, await person())
        // Past the browser's own check of the field.
        await page.evaluate("document.querySelector('#actions').noValidate = true")
        await page.locator('#actions [name=reason]').fill('x')
        await Promise.all([
          page.waitForEvent('domcontentloaded'),
          page.getByRole('button', { name: 'Send a reset link' }).click(),
        ])
      },
    },
    {
      name: 'desk-failed',
      heading: 'Failed mail',
      arrive: (page) => toDesk(page, '/admin/mails/failed'),
    },
    {
      name: 'desk-not-found',
      heading: 'Not found',
      arrive: (page) => toDesk(page, `/admin/users/${randomUUID()}`),
    },
    {
      name: 'desk-link',
      heading: 'A reset link',
      arrive: async (page) => {
        await toUser(page, await person())
        await act(page, 'Show a reset link')
      },
    },
  ]
}
