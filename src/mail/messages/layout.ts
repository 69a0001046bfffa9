// One layout for all mails: text and HTML from the same parts. Tables and inline styles, because mail
// clients are what they are; readable in the dark, at 320 px and with images off (there are none).

import { contrast, readableOn } from '../../contrast.ts'

/** A mail's words and links, before it is rendered. */
export interface MailParts {
  readonly subject: string
  /** Shown beside the subject in the inbox. */
  readonly preview: string
  readonly heading: string
  readonly paragraphs: readonly string[]
  /** The one thing to do. Its URL is also given raw, for clients that eat buttons. */
  readonly action: MailLink
  /** Small print under the action. */
  readonly notes: readonly string[]
  /** A second thing that may be done, after the notes and no rival to the first. */
  readonly quietAction?: MailLink
}

/** Something to do in a mail. */
export interface MailLink {
  readonly label: string
  readonly url: string
}

/** What surrounds the parts, the same in every mail of one brand and language. */
export interface MailFrame {
  /** The language of the words, for screen readers and translators. */
  readonly lang: string
  readonly appName: string
  /** `#rrggbb`, of the button. */
  readonly color: string
  /** A line with an address in it. */
  readonly support: { readonly line: string; readonly email: string } | null
}

/** What a provider is given. */
export interface RenderedMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** The card on which everything stands. */
const LIGHT_CARD = '#ffffff'
const DARK_CARD = '#1d2126'
/** A shade that is seen on both, for the edge of a button that is not. */
const EDGE = '#8c959f'

/**
 * Renders both bodies.
 * @param parts plain text throughout; it is escaped here
 * @param frame the brand's and the language's share
 * @returns what a provider is given
 */
export function renderMail(parts: MailParts, frame: MailFrame): RenderedMail {
  return {
    subject: parts.subject,
    text: renderText(parts, frame),
    html: renderHtml(parts, frame),
  }
}

/** The main URL comes first and alone on its line: people copy it, and tools take the first they find. */
function renderText(parts: MailParts, frame: MailFrame): string {
  const link = ({ label, url }: MailLink) => `${label}:\n${url}`
  return [
    parts.heading,
    ...parts.paragraphs,
    link(parts.action),
    ...parts.notes,
    ...(parts.quietAction === undefined ? [] : [link(parts.quietAction)]),
    ...(frame.support === null ? [] : [frame.support.line]),
    `-- \n${frame.appName}`,
  ].join('\n\n')
}

// Colours stand inline for clients that drop <style>; the dark ones are in <style>, which then has to insist.
// `lang` is given twice, because webmail drops <html>.
function renderHtml(parts: MailParts, frame: MailFrame): string {
  const lang = escapeHtml(frame.lang)
  const url = escapeHtml(parts.action.url)
  const color = escapeHtml(frame.color)
  const edgeOn = (card: string) => (contrast(frame.color, card) < 1.35 ? EDGE : color)
  const paragraph = (text: string) => `<p style="margin:0 0 16px">${escapeHtml(text)}</p>`
  const quiet = (html: string) =>
    `<p class="quiet" style="margin:0 0 12px;font-size:14px;color:#57606a">${html}</p>`
  return `<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${escapeHtml(parts.subject)}</title>
<style>
:root { color-scheme: light dark }
@media (prefers-color-scheme: dark) {
  .page { background: #121417 !important; color: #e6e8eb !important }
  .card { background: ${DARK_CARD} !important; color: #e6e8eb !important }
  .quiet, .quiet a { color: #a3acb8 !important }
  .foot { border-color: #363c44 !important }
  .button { border-color: ${edgeOn(DARK_CARD)} !important }
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f4f5f7;color:#1c2024">
<div lang="${lang}" style="display:none;max-height:0;overflow:hidden;mso-hide:all">${escapeHtml(parts.preview)}</div>
<table role="presentation" lang="${lang}" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:520px;background:${LIGHT_CARD};color:#1c2024;border-radius:8px"><tr><td style="padding:28px 24px;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;text-align:left;overflow-wrap:anywhere;word-break:break-word">
<h1 style="margin:0 0 16px;font-size:22px;line-height:1.25">${headingHtml(parts.heading)}</h1>
${parts.paragraphs.map(paragraph).join('\n')}
<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:24px 0 16px"><tr><td class="button" bgcolor="${color}" style="background:${color};border:1px solid ${edgeOn(LIGHT_CARD)};border-radius:6px;mso-padding-alt:12px 20px"><a href="${url}" style="display:inline-block;padding:12px 20px;color:${readableOn(frame.color)};font-size:16px;line-height:1.25;font-weight:600;text-decoration:none">${escapeHtml(parts.action.label)}</a></td></tr></table>
<p class="quiet" style="margin:0 0 20px;font-size:13px;color:#57606a;word-break:break-all">${url}</p>
${parts.notes.map((note) => quiet(escapeHtml(note))).join('\n')}
${parts.quietAction === undefined ? '' : quiet(linkTo(parts.quietAction))}
<div class="foot" style="margin:20px 0 0;padding:16px 0 0;border-top:1px solid #d8dde3">
${frame.support === null ? '' : quiet(supportHtml(frame.support))}
<p class="quiet" style="margin:0;font-size:14px;color:#57606a">${escapeHtml(frame.appName)}</p>
</div>
</td></tr></table>
</td></tr></table>
</body>
</html>`
}

/** Keeps a large "E-Mail" from breaking after its "E-", which a narrow screen otherwise does. */
function headingHtml(heading: string): string {
  return escapeHtml(heading).replace(
    /e-mail/gi,
    (word) => `<span style="white-space:nowrap">${word}</span>`,
  )
}

/** Looks like the text around it, but for the line under it. */
function linkTo({ label, url }: MailLink): string {
  return `<a href="${escapeHtml(url)}" style="color:#57606a;text-decoration:underline">${escapeHtml(label)}</a>`
}

function supportHtml({ line, email }: { readonly line: string; readonly email: string }): string {
  const url = `mailto:${encodeURIComponent(email).replaceAll('%40', '@')}`
  // By a function, for `$&` in a replacement means something.
  return escapeHtml(line).replace(escapeHtml(email), () => linkTo({ label: email, url }))
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Stops markup in a name or an address from becoming markup in the mail.
 * @param text plain
 * @returns HTML, fit for content and for quoted attributes
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
