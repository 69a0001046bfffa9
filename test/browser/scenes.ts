// Every page there is, each with the way to it.

import type { Page } from 'playwright-core'
import { deskScenes } from './desk-scenes.ts'
import { linkTo, mailTo, PASSWORD, post, settled, signIn, waiting } from './people.ts'

export interface Scene {
  readonly name: string
  /** What its heading says; a pattern where it is an address. */
  readonly heading: string | RegExp
  readonly arrive: (page: Page) => Promise<unknown>
}

const at = (name: string, path: string, heading: string): Scene => ({
  name,
  heading,
  arrive: (page) => page.goto(path),
})

/** Fills the fields of the form that leads to a path, and sends it. */
export async function sendForm(
  page: Page,
  action: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<void> {
  const form = page.locator(`form[action="${action}"]`)
  for (const [name, value] of Object.entries(fields)) {
    await form.locator(`[name="${name}"]`).fill(value)
  }
  await Promise.all([page.waitForEvent('domcontentloaded'), form.locator('button').click()])
}

const LONG = 'a-person-with-quite-a-long-name-for-a-narrow-screen'

export const scenes: readonly Scene[] = [
  at('start', '/', 'Sign up for Mailproof'),
  at('login', '/login', 'Sign in to Mailproof'),
  at('login-notice', '/login?notice=password_reset', 'Sign in to Mailproof'),
  at('forgot', '/forgot-password', 'Forgot your password?'),
  at('new-link', '/resend', 'Get a new link'),
  at('not-found', '/no/such/page', 'Not found'),
  at('verify-invalid', '/auth/verify-email?token=x', 'This link does not work'),
  at('reset-invalid', '/reset-password?token=x', 'This link does not work'),
  at('disown-invalid', '/disown?token=x', 'This link does not work'),
  at('undo-invalid', '/undo-email-change?token=x', 'This link does not work'),
  {
    name: 'register-errors',
    heading: 'Sign up for Mailproof',
    arrive: async (page) => {
      await page.goto('/register')
      await sendForm(page, '/register', { email: 'ada@nowhere', password: 'short' })
    },
  },
  {
    name: 'login-errors',
    heading: 'Sign in to Mailproof',
    arrive: async (page) => {
      await page.goto('/login')
      await sendForm(page, '/login', { email: 'ada@example.com', password: 'not this one' })
    },
  },
  {
    name: 'forgot-accepted',
    heading: 'Check your inbox',
    arrive: async (page) => {
      await page.goto('/forgot-password')
      await sendForm(page, '/forgot-password', { email: 'ada@example.com' })
    },
  },
  {
    name: 'resend-accepted',
    heading: 'Check your inbox',
    arrive: async (page) => {
      await page.goto('/resend')
      await sendForm(page, '/resend', { email: 'ada@example.com' })
    },
  },
  {
    name: 'inbox',
    heading: 'Check your inbox',
    arrive: async (page) => {
      await signIn(page, await waiting(LONG))
      await page.goto('/')
    },
  },
  {
    name: 'inbox-limit',
    heading: 'Check your inbox',
    arrive: async (page) => {
      await signIn(page, await waiting())
      await page.goto('/')
      await sendForm(page, '/resend')
      await sendForm(page, '/resend')
    },
  },
  {
    name: 'correct-address',
    heading: 'Correct your address',
    arrive: async (page) => {
      await signIn(page, await waiting())
      await page.goto('/correct-address')
      await sendForm(page, '/correct-address', { password: 'not this one' })
    },
  },
  {
    name: 'account-unverified',
    heading: 'Your account',
    arrive: async (page) => {
      await signIn(page, await waiting())
      await page.goto('/account')
    },
  },
  {
    name: 'confirm',
    heading: 'Is this your address?',
    arrive: async (page) => {
      const ada = await waiting(LONG)
      await signIn(page, ada)
      await page.goto(await linkTo(ada.email, '/auth/verify-email'))
    },
  },
  {
    name: 'confirm-password',
    heading: 'Is this your address?',
    arrive: async (page) => {
      const ada = await waiting()
      await page.goto(await linkTo(ada.email, '/auth/verify-email'))
      await sendForm(page, '/auth/verify-email', { password: 'not this one' })
    },
  },
  {
    name: 'confirmed',
    heading: 'Address confirmed',
    arrive: async (page) => {
      const ada = await waiting()
      await page.goto(await linkTo(ada.email, '/auth/verify-email'))
      await sendForm(page, '/auth/verify-email', { password: PASSWORD })
    },
  },
  {
    name: 'already-confirmed',
    heading: 'Already confirmed',
    arrive: async (page) => {
      const ada = await settled()
      await page.goto(await linkTo(ada.email, '/auth/verify-email'))
    },
  },
  {
    name: 'account',
    heading: 'Your account',
    arrive: async (page) => {
      const ada = await settled()
      await post('/auth/login', { email: ada.email, password: PASSWORD, transport: 'bearer' })
      await signIn(page, ada)
      await page.goto('/account')
      await sendForm(page, '/account/email', {
        new_email: `${LONG}@example.com`,
        password: PASSWORD,
      })
    },
  },
  {
    name: 'account-errors',
    heading: 'Your account',
    arrive: async (page) => {
      await signIn(page, await settled())
      await page.goto('/account')
      await sendForm(page, '/account/delete', { password: 'not this one' })
    },
  },
  {
    name: 'confirm-change',
    heading: 'Confirm your new address',
    arrive: async (page) => {
      const ada = await settled()
      const new_email = `next-${ada.email}`
      await post('/auth/change-email', { new_email, password: PASSWORD }, ada.session)
      await page.goto(await linkTo(new_email, '/auth/verify-email'))
    },
  },
  {
    name: 'reset',
    heading: 'Choose a new password',
    arrive: async (page) => {
      const ada = await settled()
      await post('/auth/forgot-password', { email: ada.email })
      await page.goto(await linkTo(ada.email, '/reset-password'))
    },
  },
  {
    name: 'disown',
    heading: 'Did you not sign up?',
    arrive: async (page) => page.goto(await linkTo((await waiting()).email, '/disown')),
  },
  {
    name: 'disowned',
    heading: 'We have deleted it',
    arrive: async (page) => {
      await page.goto(await linkTo((await waiting()).email, '/disown'))
      await sendForm(page, '/disown')
    },
  },
  {
    name: 'undo',
    heading: 'Undo the change of address?',
    arrive: async (page) => page.goto(await undoLink()),
  },
  {
    name: 'undone',
    heading: 'The change is undone',
    arrive: async (page) => {
      await page.goto(await undoLink())
      await sendForm(page, '/undo-email-change')
    },
  },
  {
    name: 'mailbox',
    heading: 'Mailbox',
    arrive: async (page) => {
      const { email } = await settled(LONG)
      await page.goto(`/dev/mailbox?to=${email}`)
    },
  },
  {
    name: 'mailbox-mail',
    heading: 'Confirm your e-mail address for Mailproof',
    arrive: async (page) => {
      const { email } = await waiting(LONG)
      const { id } = await mailTo(email, '/auth/verify-email')
      await page.goto(`/dev/mailbox/${id}`)
    },
  },
  at('mailbox-none', '/dev/mailbox/none', 'No such mail'),
  ...deskScenes(),
]

async function undoLink(): Promise<string> {
  const ada = await settled()
  const new_email = `next-${ada.email}`
  await post('/auth/change-email', { new_email, password: PASSWORD }, ada.session)
  return linkTo(ada.email, '/undo-email-change')
}
