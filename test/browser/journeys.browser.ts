// Journeys through the pages, in a browser as it is.

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Device, launchChromium, openDevice } from './chromium.ts'
import { freshAddress, linkTo, mailTo, PASSWORD, settled, signIn, waiting } from './people.ts'
import { sendForm } from './scenes.ts'

const NEXT_PASSWORD = 'quite another password'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser?.close())

/** Runs a story on as many devices as it takes, and holds that none of them complained. */
async function onDevices(
  options: readonly { readonly javaScriptEnabled: boolean }[],
  story: (...pages: Page[]) => Promise<void>,
): Promise<void> {
  const devices: Device[] = await Promise.all(options.map((each) => openDevice(browser, each)))
  try {
    await story(...devices.map(({ page }) => page))
    expect(devices.flatMap(({ complaints }) => complaints)).toEqual([])
  } finally {
    await Promise.all(devices.map(({ close }) => close()))
  }
}

const withScripts = { javaScriptEnabled: true }
const withoutScripts = { javaScriptEnabled: false }
const headingOf = (page: Page) => page.locator('h1').textContent()
const pathOf = (page: Page) => new URL(page.url()).pathname

describe('two devices', () => {
  it.concurrent('F11: register on one, confirm on another with the password, and the first notices by itself', () =>
    onDevices([withScripts, withScripts], async (laptop, phone) => {
      if (laptop === undefined || phone === undefined) throw new Error('two devices')
      const email = freshAddress('ada')
      await laptop.goto('/')
      await sendForm(laptop, '/register', { email, password: PASSWORD })
      expect(await headingOf(laptop)).toBe('Check your inbox')

      await phone.goto(await linkTo(email, '/auth/verify-email'))
      // The state of the mail changes on the page as it is, without a reload.
      await laptop.getByText(`A mail was delivered to ${email}.`).waitFor()
      await sendForm(phone, '/auth/verify-email', { password: PASSWORD })
      expect(await headingOf(phone)).toBe('Address confirmed')
      await laptop.waitForURL('**/account')
      expect(await laptop.getByText('Confirmed.').count()).toBe(1)
      await phone.getByRole('link', { name: 'Continue' }).click()
      await phone.waitForURL('**/account')
    }))

  it.concurrent('F11: without scripts the first notices when it reloads', () =>
    onDevices([withoutScripts, withoutScripts], async (laptop, phone) => {
      if (laptop === undefined || phone === undefined) throw new Error('two devices')
      const email = freshAddress('ada')
      await laptop.goto('/register')
      await sendForm(laptop, '/register', { email, password: PASSWORD })
      await phone.goto(await linkTo(email, '/auth/verify-email'))
      await sendForm(phone, '/auth/verify-email', { password: PASSWORD })
      await laptop.waitForURL('**/account', { timeout: 40_000 })
    }))
})

describe('one device without scripts', () => {
  const alone = (story: (page: Page) => Promise<void>) => () =>
    onDevices([withoutScripts], async (page) => {
      if (page === undefined) throw new Error('one device')
      await story(page)
    })

  it(
    'S18: register, mend a typo, confirm, sign out, sign in',
    alone(async (page) => {
      const email = freshAddress('ada')
      await page.goto('/')
      await sendForm(page, '/register', { email: freshAddress('tpyo'), password: PASSWORD })
      await page.getByRole('link', { name: 'Wrong address? Correct it' }).click()
      await sendForm(page, '/correct-address', { new_email: email, password: PASSWORD })
      expect(await page.getByText(email).count()).toBeGreaterThan(0)
      await page.goto(await linkTo(email, '/auth/verify-email'))
      await sendForm(page, '/auth/verify-email')
      expect(await headingOf(page)).toBe('Address confirmed')
      await page.getByRole('link', { name: 'Continue' }).click()
      await sendForm(page, '/logout')
      await page.goto('/login')
      await sendForm(page, '/login', { email, password: PASSWORD })
      expect(pathOf(page)).toBe('/account')
    }),
  )

  it(
    'S19: forget the password, reset it by mail, sign in with the new one',
    alone(async (page) => {
      const { email } = await settled()
      await page.goto('/login')
      await page.getByRole('link', { name: 'Forgot your password?' }).click()
      await sendForm(page, '/forgot-password', { email })
      await page.goto(await linkTo(email, '/reset-password'))
      await sendForm(page, '/reset-password', { password: NEXT_PASSWORD })
      expect(await page.getByText('Your new password is set.').count()).toBe(1)
      await sendForm(page, '/login', { email, password: NEXT_PASSWORD })
      expect(pathOf(page)).toBe('/account')
    }),
  )

  it(
    'S13, F9: change the address and confirm it; then undo it from the old mailbox',
    alone(async (page) => {
      const ada = await settled()
      const next = freshAddress('next')
      await signIn(page, ada)
      await page.goto('/account')
      await sendForm(page, '/account/email', { new_email: next, password: PASSWORD })
      expect(await page.getByText('waits to be confirmed').count()).toBe(1)
      await page.goto(await linkTo(next, '/auth/verify-email'))
      expect(await headingOf(page)).toBe('Confirm your new address')
      await sendForm(page, '/auth/verify-email')
      expect(await headingOf(page)).toBe('Address confirmed')

      await page.goto(await linkTo(ada.email, '/undo-email-change'))
      await sendForm(page, '/undo-email-change')
      expect(await page.getByText(ada.email).count()).toBe(1)
      await page.goto('/account')
      expect(pathOf(page)).toBe('/login')
      await page.goto(await linkTo(ada.email, '/reset-password'))
      await sendForm(page, '/reset-password', { password: NEXT_PASSWORD })
      await sendForm(page, '/login', { email: ada.email, password: NEXT_PASSWORD })
      expect(pathOf(page)).toBe('/account')
    }),
  )

  it(
    'F9: "I did not sign up", and an account of one\'s own after all',
    alone(async (page) => {
      const { email } = await waiting('victim')
      const first = await mailTo(email, '/disown')
      await page.goto(first.url)
      await sendForm(page, '/disown')
      expect(await headingOf(page)).toBe('We have deleted it')
      await sendForm(page, '/register', { email, password: NEXT_PASSWORD })
      expect(await headingOf(page)).toBe('Check your inbox')
      const second = await mailTo(email, '/auth/verify-email', first.id)
      await page.goto(second.url)
      await sendForm(page, '/auth/verify-email')
      expect(await headingOf(page)).toBe('Address confirmed')
    }),
  )

  it(
    'change the password, end another session, delete the account',
    alone(async (page) => {
      const ada = await settled()
      await signIn(page, ada)
      await page.goto('/account')
      const passwords = { current_password: PASSWORD, new_password: NEXT_PASSWORD }
      await sendForm(page, '/account/password', passwords)
      expect(await page.getByText('Your password is changed.').count()).toBe(1)
      await sendForm(page, '/account/delete', { password: NEXT_PASSWORD })
      expect(await page.getByText('Your account is deleted.').count()).toBe(1)
    }),
  )
})

describe('redirect_to', () => {
  it('leads from a sign-in form to a listed front end, past the policy for forms', () =>
    onDevices([withScripts], async (page) => {
      if (page === undefined) throw new Error('one device')
      const { email } = await settled()
      const target = `${inject('appUrl')}/welcome`
      await page.goto(`/login?redirect_to=${encodeURIComponent(target)}`)
      await sendForm(page, '/login', { email, password: PASSWORD })
      await page.waitForURL(target)
    }))
})
