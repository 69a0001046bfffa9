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
/** Nothing but blanks: what merely looks like one is text. */
const ANY_BLANK = new RegExp(`-mailproof-(?:html-)?(?:${BLANKS.join('|')})-${MARK}-`, 'g')

/**
 * What a form has where something is to be filled in.
 * @param name of what
 */
export function blankFor(name: Blank): string {
  return `-mailproof-${name}-${MARK}-`
}

/** The HTML has blanks of its own, because what is filled in there is escaped. */
function htmlBlankFor(name: Blank): string {
  return `-mailproof-html-${name}-${MARK}-`
}

/** Subject, text and HTML, with blanks. */
export interface FormLetter extends RenderedMail {
  /** What has to be filled in, each once. */
  readonly blanks: readonly Blank[]
}

/** What one mail has in its blanks, as plain text. */
export type Values = { readonly [Name in Blank]?: string }

/** A form letter with what makes one mail of it. */
export interface FillableMail {
  readonly form: FormLetter
  /** One for each blank of the form at least: see `fillable`. */
  readonly values: Values
}

/**
 * Writes a form letter.
 * @param brand whose mail it is
 * @param locale the recipient's language
 * @param content what it is about, with `blankFor` whatever differs; the recipient's address is a blank anyway
 */
export function renderForm(brand: Brand, locale: Locale, content: MailContent): FormLetter {
  const { subject, text, html } = renderMessage(brand, locale, blankFor('address'), content)
  const htmlOf = (words: string, name: Blank) =>
    words.replaceAll(blankFor(name), htmlBlankFor(name))
  const words = subject + text + html
  return {
    subject,
    text,
    html: BLANKS.reduce(htmlOf, html),
    blanks: BLANKS.filter((name) => words.includes(blankFor(name))),
  }
}

/**
 * Puts a form letter and what goes into it together.
 * @param form the letter
 * @param values of one mail
 * @throws MissingValue where a blank has no value. Here, before mails meet in one call, it costs this mail alone.
 */
export function fillable(form: FormLetter, values: Values): FillableMail {
  for (const name of form.blanks) if (values[name] === undefined) throw new MissingValue(name)
  return { form, values }
}

/**
 * What stands for each blank, in text and in HTML.
 * @param values of one mail
 */
export function valueOfBlank(values: Values): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of BLANKS) {
    const value = values[name]
    if (value === undefined) continue
    found[blankFor(name)] = value
    found[htmlBlankFor(name)] = escapeHtml(value)
  }
  return found
}

/**
 * Fills a form letter in.
 * @param mail the form, and what goes into its blanks
 * @returns the mail as it is read
 * @throws MissingValue where a blank has no value, which `fillable` does not let happen
 */
export function fillIn({ form, values }: FillableMail): RenderedMail {
  const found = valueOfBlank(values)
  const valueFor = (blank: string) => {
    const value = found[blank]
    if (value === undefined) throw new MissingValue(blank)
    return value
  }
  // Each blank once: what was filled in is looked through no more, or an address could be taken for a blank.
  const fill = (words: string) => words.replace(ANY_BLANK, valueFor)
  return { subject: fill(form.subject), text: fill(form.text), html: fill(form.html) }
}

/** Has a name of its own, since of an error the log is told no more. */
class MissingValue extends Error {
  override readonly name = 'MissingValue'

  constructor(blank: string) {
    super(`nothing to fill in for ${blank}`)
  }
}

/**
 * Whether a value could be taken for a blank, by somebody who fills in one after the other.
 * @param values of one mail
 */
export function hasBlankInside(values: Values): boolean {
  return Object.values(values).some((value) => value.includes(MARK))
}
