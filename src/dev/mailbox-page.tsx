// The mailbox as a person sees it. Everything that comes out of a mail is text here: its HTML is shown
// only inside a sandboxed frame.

import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import type { MailboxMail, MailReport } from './mailbox-store.ts'
import { specialAddresses } from './special-addresses.ts'

function Page({ title, children }: { title: string; children?: Child }) {
  return (
    <>
      {raw('<!doctype html>')}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>{title}</title>
          <link rel="stylesheet" href="/dev/mailbox.css" />
        </head>
        <body>
          <header>
            <p>
              <a href="/dev/mailbox">Development mailbox</a>
            </p>
          </header>
          <main>{children}</main>
        </body>
      </html>
    </>
  )
}

/**
 * The list, newest first.
 * @param props the mails, the last event reported of each by its id, and the address they were filtered by
 * (empty for none)
 */
export function MailboxPage(props: {
  readonly mails: readonly MailboxMail[]
  readonly lastEvents: ReadonlyMap<string, string>
  readonly to: string
}) {
  const { mails, lastEvents, to } = props
  return (
    <Page title={to === '' ? 'Mailbox' : `Mailbox of ${to}`}>
      <h1>Mailbox</h1>
      <p class="quiet">
        Every mail that this Worker sends in development lands here and nowhere else. Reload for new
        ones.
      </p>
      <form method="get" action="/dev/mailbox">
        <label for="to">Only mails to</label>
        <div class="row">
          <input id="to" name="to" type="text" inputmode="email" autocomplete="off" value={to} />
          <button type="submit">Show</button>
        </div>
      </form>
      {mails.length === 0 ? (
        <p>{to === '' ? 'No mail yet.' : `No mail to ${to} yet.`}</p>
      ) : (
        <ol class="mails">
          {mails.map((mail) => (
            <li>
              <a href={`/dev/mailbox/${mail.id}`}>{mail.subject}</a>
              <p>to {mail.to.email}</p>
              <p class="quiet">
                <When at={mail.receivedAt} />
                {lastEvents.has(mail.id) && ` · reported: ${inWords(lastEvents.get(mail.id))}`}
              </p>
            </li>
          ))}
        </ol>
      )}
      {mails.length > 0 && (
        <form method="post" action="/dev/mailbox">
          <button type="submit" class="danger">
            Delete all mails
          </button>
        </form>
      )}
      <SpecialAddresses />
    </Page>
  )
}

function SpecialAddresses() {
  return (
    <section aria-labelledby="addresses-heading">
      <h2 id="addresses-heading">Addresses that meet trouble</h2>
      <p class="quiet">
        <a href="/register">Sign up</a> with one of them and watch what becomes of its mail. Any
        domain will do, and after the first word anything that begins with a digit, <code>+</code>,{' '}
        <code>-</code> or <code>.</code>. Mail to every other address is delivered.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Address</th>
            <th scope="col">What its mail meets</th>
          </tr>
        </thead>
        <tbody>
          {specialAddresses.map(({ name, meets }) => (
            <tr>
              <td>
                <code>{name}@example.com</code>
              </td>
              <td>{meets}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/**
 * One mail.
 * @param props the mail, and what was reported of it, first to last
 */
export function MailPage(props: {
  readonly mail: MailboxMail
  readonly reports: readonly MailReport[]
}) {
  const { mail, reports } = props
  const link = firstLink(mail.text)
  return (
    <Page title={mail.subject}>
      <h1>{mail.subject}</h1>
      <dl>
        <dt>From</dt>
        <dd>{display(mail.from)}</dd>
        <dt>{ROLES[mail.role]}</dt>
        <dd>{display(mail.to)}</dd>
        <dt>Received</dt>
        <dd>
          <When at={mail.receivedAt} />
        </dd>
      </dl>
      {link !== null && (
        <p>
          <a class="button" href={link} rel="noreferrer">
            Open the link of this mail
          </a>
        </p>
      )}
      <Reports reports={reports} />
      {mail.html !== '' && (
        <section aria-labelledby="html-heading">
          <h2 id="html-heading">HTML</h2>
          <iframe
            title="The HTML of this mail"
            src={`/dev/mailbox/${mail.id}/html`}
            sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
          />
        </section>
      )}
      <section aria-labelledby="text-heading">
        <h2 id="text-heading">Text</h2>
        {mail.text === '' ? <p>This mail has no text.</p> : <pre>{mail.text}</pre>}
      </section>
      <section aria-labelledby="details-heading">
        <h2 id="details-heading">Details</h2>
        <Fields title="Headers" fields={mail.headers} />
        <Fields title="Custom args" fields={mail.customArgs} />
        <h3>Tracking settings</h3>
        <pre>{JSON.stringify(mail.trackingSettings, null, 2)}</pre>
        <h3>Message id</h3>
        <p>{mail.messageId}</p>
      </section>
    </Page>
  )
}

/** What the webhook was told; an answer other than 2xx is the first thing to look at when a state stays behind. */
function Reports({ reports }: { reports: readonly MailReport[] }) {
  return (
    <section aria-labelledby="reports-heading">
      <h2 id="reports-heading">Reported</h2>
      {reports.length === 0 ? (
        <p class="quiet">Nothing so far. Reload to see more.</p>
      ) : (
        <ol class="reports">
          {reports.map(({ event, at, status }) => (
            <li>
              <strong>{inWords(event)}</strong>{' '}
              <span class="quiet">
                <When at={at} /> · the webhook{' '}
                {status === null ? 'did not answer' : `answered ${status}`}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

function inWords(event = ''): string {
  return event.replaceAll('_', ' ')
}

/** Where an id names no mail. */
export function NoSuchMailPage() {
  return (
    <Page title="No such mail">
      <h1>No such mail</h1>
      <p>
        It was deleted, or is older than a week. <a href="/dev/mailbox">To the mailbox</a>
      </p>
    </Page>
  )
}

const ROLES = { to: 'To', cc: 'Cc', bcc: 'Bcc' } as const

function Fields({ title, fields }: { title: string; fields: Readonly<Record<string, string>> }) {
  const entries = Object.entries(fields)
  return (
    <>
      <h3>{title}</h3>
      {entries.length === 0 ? (
        <p>None.</p>
      ) : (
        <dl>
          {entries.map(([name, value]) => (
            <>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </>
          ))}
        </dl>
      )}
    </>
  )
}

function When({ at }: { at: number }) {
  const iso = new Date(at).toISOString()
  return <time datetime={iso}>{`${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`}</time>
}

function display({ email, name }: MailboxMail['to']): string {
  return name === undefined ? email : `${name} <${email}>`
}

/** Only http and https: a `javascript:` link would run on this page. */
function firstLink(text: string): string | null {
  return /\bhttps?:\/\/[^\s<>"]+/i.exec(text)?.[0] ?? null
}
