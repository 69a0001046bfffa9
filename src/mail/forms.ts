// The form letters of one configuration. Each is written when its first mail is sent, and kept.

import type { Config } from '../config.ts'
import type { Locale } from '../schema.ts'
import type { Purpose } from '../signing/token.ts'
import { linkKind } from './links.ts'
import { blank, type FormLetter, renderForm } from './messages/form-letter.ts'
import type { Brand, MailContent } from './messages/render-message.ts'

/** By configuration, hence per isolate; within it by language and kind. */
const known = new WeakMap<Config, Map<string, FormLetter>>()

/**
 * The form letter of a kind of mail: the same object each time.
 * @param config whose name, colours and addresses it carries
 * @param locale the recipient's language
 * @param kind of mail
 */
export function formOf(config: Config, locale: Locale, kind: MailContent['kind']): FormLetter {
  const forms = known.get(config) ?? new Map<string, FormLetter>()
  known.set(config, forms)
  const name = `${locale} ${kind}`
  const form = forms.get(name) ?? renderForm(brandOf(config), locale, contentOf(config, kind))
  forms.set(name, form)
  return form
}

function contentOf(config: Config, kind: MailContent['kind']): MailContent {
  const { APP_BASE_URL } = config
  const forgotUrl = `${APP_BASE_URL}/forgot-password`
  const url = blank('url')
  const ttlMsOf = (purpose: Purpose) => linkKind(config, purpose).ttlMs
  switch (kind) {
    case 'verify_email':
      return { kind, url, ttlMs: ttlMsOf('verify'), disownUrl: blank('disownUrl') }
    case 'account_exists':
      return { kind, signInUrl: `${APP_BASE_URL}/login`, forgotUrl }
    case 'reset_password':
    case 'reset_after_undo':
      return { kind, url, ttlMs: ttlMsOf('reset') }
    case 'change_email':
      return { kind, url, ttlMs: ttlMsOf('change') }
    case 'email_change_notice':
      return { kind, undoUrl: url, ttlMs: ttlMsOf('undo'), newAddress: blank('newAddress') }
    case 'password_changed_notice':
      return { kind, forgotUrl }
  }
}

function brandOf(config: Config): Brand {
  return {
    appName: config.APP_NAME,
    color: config.BRAND_COLOR,
    supportEmail: config.SUPPORT_EMAIL ?? null,
  }
}
