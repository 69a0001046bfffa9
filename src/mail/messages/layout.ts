// One layout for all mails: text and HTML from the same parts. Tables and inline styles, because mail
// clients are what they are; readable in the dark, at 320 px and with images off (there are none).

/** A mail before it is rendered. */
export interface MailParts {
  readonly subject: string
  /** Shown beside the subject in the inbox. */
  readonly preview: string
  readonly heading: string
  readonly paragraphs: readonly string[]
  /** The one thing to do. Its URL is also given raw, for clients that eat buttons. */
  readonly action: { readonly label: string; readonly url: string }
  /** Small print under the action. */
  readonly notes: readonly string[]
  readonly appName: string
}

/** What a provider is given. */
export interface RenderedMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/**
 * Renders both bodies.
 * @param parts plain text throughout; it is escaped here
 */
export function renderMail(parts: MailParts): RenderedMail {
  return { subject: parts.subject, text: renderText(parts), html: renderHtml(parts) }
}

function renderText(parts: MailParts): string {
  return [
    parts.heading,
    ...parts.paragraphs,
    `${parts.action.label}:\n${parts.action.url}`,
    ...parts.notes,
    `-- \n${parts.appName}`,
  ].join('\n\n')
}

function renderHtml(parts: MailParts): string {
  const url = escapeHtml(parts.action.url)
  const paragraph = (text: string) => `<p style="margin:0 0 16px">${escapeHtml(text)}</p>`
  const note = (text: string) =>
    `<p class="quiet" style="margin:0 0 12px;font-size:14px;color:#57606a">${escapeHtml(text)}</p>`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(parts.subject)}</title>
<style>
@media (prefers-color-scheme: dark) {
  .page, .card { background: #16191d !important; color: #e6e8eb !important }
  .quiet, .raw { color: #a3acb8 !important }
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f4f5f7;color:#1c2024">
<div style="display:none;max-height:0;overflow:hidden">${escapeHtml(parts.preview)}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:520px;background:#ffffff;border-radius:8px"><tr><td style="padding:28px 24px;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;text-align:left">
<h1 style="margin:0 0 16px;font-size:22px;line-height:1.25">${escapeHtml(parts.heading)}</h1>
${parts.paragraphs.map(paragraph).join('\n')}
<p style="margin:24px 0"><a href="${url}" style="display:inline-block;padding:12px 20px;background:#1f5fbf;color:#ffffff;border-radius:6px;font-weight:600;text-decoration:none">${escapeHtml(parts.action.label)}</a></p>
<p class="raw" style="margin:0 0 20px;font-size:13px;color:#57606a;word-break:break-all">${url}</p>
${parts.notes.map(note).join('\n')}
<p class="quiet" style="margin:20px 0 0;font-size:14px;color:#57606a">${escapeHtml(parts.appName)}</p>
</td></tr></table>
</td></tr></table>
</body>
</html>`
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Stops markup in a name or an address from becoming markup in the mail. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
