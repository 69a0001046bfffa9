// The form letters of one configuration, and what goes into their blanks. A letter is written when its first mail is
// sent, and kept.

import type { Config } from '../config.ts'
import type { Deps } from '../deps.ts'
import type { Locale } from '../schema.ts'
import type { Purpose } from '../signing/token.ts'
import { maskEmail } from '../timeline/log.ts'
import type { LeasedMessage } from './lease-messages.ts'
import { type LinkRecipient, linkSettings, mintLink } from './links.ts'
import { blankFor, type FormLetter, renderForm, type Values } from './messages/form-letter.ts'
import type { Brand, MailContent } from './messages/render-message.ts'

type MailKind = MailContent['kind']

/**
 * What the main link of each kind may do; null where it has no token. A letter tells how long such a link works, and
 * such a link is minted for it: both read it here, or a mail could promise what its link does not keep.
 */
const PURPOSES = {
  verify_email: 'verify',
  account_exists: null,
  reset_password: 'reset',
  reset_after_undo: 'reset',
  change_email: 'change',
  email_change_notice: 'undo',
  password_changed_notice: null,
} as const satisfies Record<MailKind, Purpose | null>

type KindWithLink = {
  [Kind in MailKind]: (typeof PURPOSES)[Kind] extends null ? never : Kind
}[MailKind]

/** Per isolate there is one configuration; within it by language and kind. */
const lettersByConfig = new WeakMap<Config, Map<string, FormLetter>>()

/**
 * The form letter of a kind of mail: the same object each time.
 * @param config whose name, colours and addresses it carries
 * @param locale the recipient's language
 * @param kind of mail
 */
export function formLetterOf(config: Config, locale: Locale, kind: MailKind): FormLetter {
  const letters = lettersByConfig.get(config) ?? new Map<string, FormLetter>()
  lettersByConfig.set(config, letters)
  const name = `${locale} ${kind}`
  const letter = letters.get(name) ?? renderForm(brandOf(config), locale, contentOf(config, kind))
  letters.set(name, letter)
  return letter
}

/** What a letter says, with blanks for what `valuesOf` has of each mail. */
function contentOf(config: Config, kind: MailKind): MailContent {
  const { APP_BASE_URL } = config
  const forgotUrl = `${APP_BASE_URL}/forgot-password`
  const url = blankFor('url')
  const ttlMsOf = (linked: KindWithLink) => linkSettings(config, PURPOSES[linked]).ttlMs
  switch (kind) {
    case 'verify_email':
      return { kind, url, ttlMs: ttlMsOf(kind), disownUrl: blankFor('disownUrl') }
    case 'account_exists':
      return { kind, signInUrl: `${APP_BASE_URL}/login`, forgotUrl }
    case 'reset_password':
    case 'reset_after_undo':
    case 'change_email':
      return { kind, url, ttlMs: ttlMsOf(kind) }
    case 'email_change_notice':
      return { kind, undoUrl: url, ttlMs: ttlMsOf(kind), newAddress: blankFor('newAddress') }
    case 'password_changed_notice':
      return { kind, forgotUrl }
  }
}

/**
 * What goes into the blanks of one mail. Mints its links.
 * @param deps the configuration, the key ring, the clock
 * @param kind of mail
 * @param message to whom, and for a notice of a change the new address
 * @param recipient of the links
 */
export async function valuesOf(
  deps: Pick<Deps, 'config' | 'keyRing' | 'now'>,
  kind: MailKind,
  { toEmail: address, newEmail }: Pick<LeasedMessage, 'toEmail' | 'newEmail'>,
  recipient: LinkRecipient,
): Promise<Values> {
  const urlTo = async (purpose: Purpose) => (await mintLink(deps, purpose, recipient)).url
  const purpose = PURPOSES[kind]
  const main = purpose === null ? { address } : { address, url: await urlTo(purpose) }
  if (kind === 'verify_email') return { ...main, disownUrl: await urlTo('disown') }
  if (kind === 'email_change_notice' && newEmail !== null) {
    // Masked: the old mailbox may be read by somebody who need not know the new address.
    return { ...main, newAddress: maskEmail(newEmail) }
  }
  return main
}

function brandOf(config: Config): Brand {
  return {
    appName: config.APP_NAME,
    color: config.BRAND_COLOR,
    supportEmail: config.SUPPORT_EMAIL ?? null,
  }
}
