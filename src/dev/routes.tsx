// What a Worker in development serves besides itself: a mail API to send to and a mailbox to look into.
// Mounted in no other environment: whoever reads the mailbox can confirm any address.

import type { Context, Hono } from 'hono'
import { csrf } from 'hono/csrf'
import type { Deps } from '../deps.ts'
import { newApp } from '../http/new-app.ts'
import { mailSendApi } from './mail-send-api.ts'
import { MAILBOX_CSS } from './mailbox-css.ts'
import { MailboxPage, MailPage, NoSuchMailPage } from './mailbox-page.tsx'
import { createMailboxStore } from './mailbox-store.ts'
import { createDeliveryReports, type Pause } from './report-deliveries.ts'

const PAGE_CSP =
  "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

/**
 * A mail runs no script, loads nothing from anywhere and cannot read this origin, where a session cookie
 * may lie; a click on its link still opens.
 */
const MAIL_CSP =
  "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"

/**
 * The routes to mount at `/dev`.
 * @param deps capabilities
 * @param pause waits between a mail's acceptance and the reports of what became of it
 */
export function devRoutes(deps: Deps, pause: Pause = realPause): Hono {
  const store = createMailboxStore(deps)
  const app = newApp()
  const ownHosts = new Set(['localhost', '127.0.0.1', '[::1]', hostOf(deps.config.APP_BASE_URL)])

  // A page elsewhere that has its own name resolve to this machine (DNS rebinding) could read every link.
  app.use(async (c, next) => {
    if (!ownHosts.has(hostOf(c.req.url))) return c.notFound()
    return next()
  })

  app.route('/', mailSendApi(deps, store, createDeliveryReports(deps, store, pause)))

  app.get('/mailbox.css', (c) => c.body(MAILBOX_CSS, 200, { 'Content-Type': 'text/css' }))

  app.get('/mailbox.json', async (c) => {
    const mails = await store.list(filterOf(c))
    return c.json(
      mails.map(({ id, to, from, subject, text, html, receivedAt }) => ({
        id,
        to: to.email,
        from: from.email,
        subject,
        text,
        html,
        received_at: new Date(receivedAt).toISOString(),
      })),
    )
  })

  app.get('/mailbox', async (c) => {
    const to = filterOf(c)
    const [mails, lastEvents] = await Promise.all([store.list(to), store.lastEvents()])
    return page(c, <MailboxPage mails={mails} lastEvents={lastEvents} to={to ?? ''} />)
  })

  app.post('/mailbox', csrf(), async (c) => {
    await store.clear()
    return c.redirect('/dev/mailbox', 303)
  })

  app.get('/mailbox/:id', async (c) => {
    const mail = await store.find(c.req.param('id'))
    if (mail === null) return page(c, <NoSuchMailPage />, 404)
    return page(c, <MailPage mail={mail} reports={await store.reportsOf(mail.id)} />)
  })

  app.get('/mailbox/:id/html', async (c) => {
    const mail = await store.find(c.req.param('id'))
    if (mail === null) return page(c, <NoSuchMailPage />, 404)
    return c.html(openingOutside(mail.html), 200, {
      'Content-Security-Policy': MAIL_CSP,
      'X-Frame-Options': 'SAMEORIGIN',
    })
  })

  return app
}

function realPause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function hostOf(url: string): string {
  return new URL(url).hostname
}

/** An empty filter, as the form sends it, is none. */
function filterOf(c: Context): string | undefined {
  return c.req.query('to')?.trim() || undefined
}

function page(
  c: Context,
  content: string | Promise<string>,
  status: 200 | 404 = 200,
): Response | Promise<Response> {
  return c.html(content, status, { 'Content-Security-Policy': PAGE_CSP })
}

/**
 * Has links open in a new tab, as webmail does: a page that refuses to be framed would stay blank inside
 * the frame.
 */
function openingOutside(html: string): string {
  const base = '<base target="_blank">'
  const head = /<head(\s[^>]*)?>/i.exec(html)
  if (head === null) return base + html
  const end = head.index + head[0].length
  return html.slice(0, end) + base + html.slice(end)
}
