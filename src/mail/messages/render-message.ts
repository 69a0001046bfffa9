// From what a mail is about to the mail itself: picks the language's words and puts them into the layout.

import type { Locale } from '../../schema.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { type MailParts, type RenderedMail, renderMail } from './layout.ts'
import type { About, MailTexts } from './texts.ts'

/** What a mail is about. Durations are in milliseconds, URLs complete. */
export type MailContent =
  | {
      readonly kind: 'verify_email'
      readonly url: string
      readonly ttlMs: number
      readonly disownUrl: string
    }
  | { readonly kind: 'account_exists'; readonly signInUrl: string; readonly forgotUrl: string }
  | { readonly kind: 'reset_password'; readonly url: string; readonly ttlMs: number }
  | { readonly kind: 'reset_after_undo'; readonly url: string; readonly ttlMs: number }
  /** To the new address. */
  | { readonly kind: 'change_email'; readonly url: string; readonly ttlMs: number }
  /** To the old address; the new one comes masked. */
  | {
      readonly kind: 'email_change_notice'
      readonly newAddress: string
      readonly undoUrl: string
      readonly ttlMs: number
    }
  | { readonly kind: 'password_changed_notice'; readonly forgotUrl: string }

/** Whose mail it is. */
export interface Brand {
  readonly appName: string
  /** `#rrggbb` */
  readonly color: string
  readonly supportEmail: string | null
}

const TEXTS: Readonly<Record<Locale, MailTexts>> = { en, de }

/**
 * Renders a mail: subject, text and HTML.
 * @param brand whose mail it is
 * @param locale the recipient's language
 * @param address the recipient's, as the mail shows it
 * @param content what it is about
 * @returns what a provider is given
 */
export function renderMessage(
  brand: Brand,
  locale: Locale,
  address: string,
  content: MailContent,
): RenderedMail {
  const texts = TEXTS[locale]
  const appName = oneLine(brand.appName)
  const { supportEmail, color } = brand
  return renderMail(partsOf(texts, { appName, address }, content), {
    lang: locale,
    appName,
    color,
    support:
      supportEmail === null ? null : { email: supportEmail, line: texts.supportLine(supportEmail) },
  })
}

function partsOf(texts: MailTexts, about: About, content: MailContent): MailParts {
  switch (content.kind) {
    case 'verify_email':
      return texts.verifyEmail({ ...about, ...content })
    case 'account_exists':
      return texts.accountExists({ ...about, ...content })
    case 'reset_password':
      return texts.resetPassword({ ...about, ...content })
    case 'reset_after_undo':
      return texts.resetAfterUndo({ ...about, ...content })
    case 'change_email':
      return texts.changeEmail({ ...about, ...content })
    case 'email_change_notice':
      return texts.emailChangeNotice({ ...about, ...content })
    case 'password_changed_notice':
      return texts.passwordChangedNotice({ ...about, ...content })
  }
}

/** The name goes into a header, where a line break would begin another one. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
