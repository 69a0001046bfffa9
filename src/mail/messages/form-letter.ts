// A mail as a form letter: words that all mails of its kind and language share, written once, with blanks for what
// differs from one to the next. A provider that fills blanks in itself is sent the words once for many mails.

import type { Locale } from '../../schema.ts'
import { escapeHtml, type RenderedMail } from './layout.ts'
import { type Brand, type MailContent, renderMessage } from './render-message.ts'

/** What differs: to whom the mail goes, and its links. */
const BLANKS = ['address', 'newAddress', 'url', 'disownUrl'] as const
type Blank = (typeof BLANKS)[number]

/** In every blank, and in no text of ours. */
const MARK = '9c41e7d05ab2'
const ANY_BLANK = new RegExp(`-mailproof-[A-Za-z-]+-${MARK}-`, 'g')

/**
 * What a form has where something is to be filled in.
 * @param name of what
 */
export function blank(name: Blank): string {
  return `-mailproof-${name}-${MARK}-`
}

/** The HTML has blanks of its own, because what is filled in there is escaped. */
function htmlBlank(name: Blank): string {
  return `-mailproof-html-${name}-${MARK}-`
}

/** Subject, text and HTML, with blanks. */
export type FormLetter = RenderedMail

/** What one mail has in its blanks, as plain text. */
export type Values = { readonly [Name in Blank]?: string }

/** A form letter with what makes one mail of it. */
export interface Filled {
  readonly form: FormLetter
  readonly values: Values
}

/**
 * Writes a form letter.
 * @param brand whose mail it is
 * @param locale the recipient's language
 * @param content what it is about, with a `blank` for whatever differs; the recipient's address is one anyway
 */
export function renderForm(brand: Brand, locale: Locale, content: MailContent): FormLetter {
  const { subject, text, html } = renderMessage(brand, locale, blank('address'), content)
  const htmlOf = (words: string, name: Blank) => words.replaceAll(blank(name), htmlBlank(name))
  return { subject, text, html: BLANKS.reduce(htmlOf, html) }
}

/**
 * What stands for each blank.
 * @param values of one mail
 */
export function fillings(values: Values): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of BLANKS) {
    const value = values[name]
    if (value === undefined) continue
    found[blank(name)] = value
    found[htmlBlank(name)] = escapeHtml(value)
  }
  return found
}

/**
 * Fills a form letter in.
 * @param mail the form, and what goes into its blanks
 * @returns the mail as it is read
 */
export function fillIn({ form, values }: Filled): RenderedMail {
  const found = fillings(values)
  // Each blank once: what was filled in is looked through no more, or an address could be taken for a blank.
  const fill = (words: string) => words.replace(ANY_BLANK, (name) => found[name] ?? name)
  return { subject: fill(form.subject), text: fill(form.text), html: fill(form.html) }
}

/**
 * Whether a value could be taken for a blank, by somebody who fills in one after the other.
 * @param values of one mail
 */
export function hasBlankInside(values: Values): boolean {
  return Object.values(values).some((value) => value.includes(MARK))
}
