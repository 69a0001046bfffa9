// A form that is filled in must read as the mail that is written for one person.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formLetterOf } from '../../src/mail/form-letters.ts'
import { blankFor, fillable, fillIn, renderForm } from '../../src/mail/messages/form-letter.ts'
import { type MailContent, renderMessage } from '../../src/mail/messages/render-message.ts'
import { locales } from '../../src/schema.ts'
import { createHarness } from '../support/harness.ts'

const brand = { appName: 'Example', color: '#1f5fbf', supportEmail: 'help@example.com' }
const ttlMs = 86_400_000

const kinds: Record<MailContent['kind'], (of: Record<string, string>) => MailContent> = {
  verify_email: ({ url = '', disownUrl = '' }) => ({ kind: 'verify_email', url, ttlMs, disownUrl }),
  account_exists: () => ({
    kind: 'account_exists',
    signInUrl: 'https://a',
    forgotUrl: 'https://b',
  }),
  reset_password: ({ url = '' }) => ({ kind: 'reset_password', url, ttlMs }),
  reset_after_undo: ({ url = '' }) => ({ kind: 'reset_after_undo', url, ttlMs }),
  change_email: ({ url = '' }) => ({ kind: 'change_email', url, ttlMs }),
  email_change_notice: ({ url = '', newAddress = '' }) => ({
    kind: 'email_change_notice',
    newAddress,
    undoUrl: url,
    ttlMs,
  }),
  password_changed_notice: () => ({ kind: 'password_changed_notice', forgotUrl: 'https://b' }),
}
const everyKind = locales.flatMap((locale) =>
  Object.entries(kinds).map(([kind, contentOf]) => [kind, locale, contentOf] as const),
)
const blanks = {
  url: blankFor('url'),
  disownUrl: blankFor('disownUrl'),
  newAddress: blankFor('newAddress'),
}

describe.each(everyKind)('a form for %s in %s', (_, locale, contentOf) => {
  it('F12: reads as if it had been written for one, whatever it is filled with', () => {
    const form = renderForm(brand, locale, contentOf(blanks))
    const anything = fc.oneof(
      fc.string(),
      fc.constantFrom('$&', "o'hara@example.com", '<b>&amp;"</b>', ...Object.values(blanks)),
    )
    const values = fc.record({
      address: anything,
      url: anything,
      disownUrl: anything,
      newAddress: anything,
    })
    fc.assert(
      fc.property(values, (given) => {
        const written = renderMessage(brand, locale, given.address, contentOf(given))
        expect(fillIn(fillable(form, given))).toEqual(written)
      }),
    )
  })

  it('F12: is never sent with a blank in it: one value less, and there is no mail', () => {
    const form = renderForm(brand, locale, contentOf(blanks))
    const values = { address: 'a', url: 'b', disownUrl: 'c', newAddress: 'd' }
    expect(form.blanks).toContain('address')
    for (const name of form.blanks) {
      const { [name]: _, ...others } = values
      expect(() => fillable(form, others)).toThrow(`nothing to fill in for ${name}`)
      expect(() => fillIn({ form, values: others })).toThrow('nothing to fill in')
    }
    const needed = Object.fromEntries(form.blanks.map((name) => [name, values[name]]))
    expect(fillIn(fillable(form, needed))).toEqual(fillIn({ form, values }))
  })
})

it('text that looks like a blank and is none stays as it is', () => {
  const [before, after] = blankFor('url').split('url')
  const appName = `${before}nothing${after}`
  const form = renderForm({ ...brand, appName }, 'en', {
    kind: 'password_changed_notice',
    forgotUrl: 'https://b',
  })
  expect(form.blanks).toEqual(['address'])
  expect(fillIn(fillable(form, { address: 'a' })).subject).toContain(appName)
})

it('the forms of a configuration are written once, each by itself', async () => {
  const { deps } = await createHarness()
  const form = formLetterOf(deps.config, 'en', 'verify_email')
  expect(formLetterOf(deps.config, 'en', 'verify_email')).toBe(form)
  expect(formLetterOf(deps.config, 'de', 'verify_email')).not.toEqual(form)
  expect(formLetterOf(deps.config, 'en', 'reset_password')).not.toEqual(form)
  const renamed = { ...deps.config, APP_NAME: 'Another' }
  expect(formLetterOf(renamed, 'en', 'verify_email').subject).toContain('Another')
})
