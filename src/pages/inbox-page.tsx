// What somebody sees whose address waits to be confirmed: which address, what became of the mail, and what
// can be done meanwhile.

import type { AccountView } from '../accounts/read-account.ts'
import type { MessageState } from '../schema.ts'
import type { FieldErrors } from './form-body.ts'
import { AccountName, CurrentPasswordField, EmailField, RedirectField } from './form-fields.tsx'
import { INBOX_SCRIPT_PATH } from './inbox-script.ts'
import { type Brand, Page } from './layout.tsx'
import { Notice, type NoticeName } from './notices.tsx'
import { pathWith } from './redirect-target.ts'
import { describeWait } from './waiting.ts'

/** Where the address of a claim is corrected. */
export const CORRECT_PATH = '/correct-address'

/** With scripts off the page looks by itself every so often. It has no field whose text that could lose. */
const RELOAD_SECONDS = 20

/** What the page is about: each kind of news has a heading, and offers what helps. */
const HEADINGS = {
  arriving: 'Check your inbox',
  held: 'Your mail has to wait',
  failed: 'Our mail did not go out',
  returned: 'We cannot reach you there',
} as const
type News = keyof typeof HEADINGS

/** The page of whoever waits. */
export function InboxPage(props: {
  readonly brand: Brand
  readonly account: AccountView
  readonly target?: string | undefined
  readonly notice?: NoticeName | undefined
}) {
  const { brand, account, target, notice } = props
  const { email } = account.user
  const situation = situationOf(account.mail)
  const news = MAIL_STATES.find(({ states }) => states.includes(situation))?.news ?? 'arriving'
  const next = pathWith('/', { redirect_to: target })
  const head = (
    <>
      <noscript>
        <meta http-equiv="refresh" content={`${RELOAD_SECONDS}; url=${next}`} />
      </noscript>
      <script src={INBOX_SCRIPT_PATH} data-next={next} defer></script>
    </>
  )
  return (
    <Page brand={brand} title={HEADINGS[news]} head={head}>
      <h1>{HEADINGS[news]}</h1>
      {news === 'arriving' && <Notice name={notice} />}
      <MailState situation={situation} email={email} />
      <WhatHelps news={news} account={account} target={target} />
      <section>
        {target !== undefined && (
          <p>
            <a href={target}>Continue without waiting</a>
          </p>
        )}
        <p>
          <a href="/account">Account settings</a>
        </p>
        <form method="post" action="/logout">
          <button type="submit" class="plain">
            Sign out
          </button>
        </form>
      </section>
    </Page>
  )
}

function WhatHelps(props: {
  readonly news: News
  readonly account: AccountView
  readonly target: string | undefined
}) {
  const { news, account, target } = props
  const sendAgain = <SendAgain action="/resend" account={account} target={target} />
  const correct = (
    <p>
      <a href={CORRECT_PATH}>Wrong address? Correct it</a>
    </p>
  )
  switch (news) {
    case 'arriving':
      return (
        <>
          <p>
            Open the link in the mail to confirm that the address is yours: in this browser, or on
            any device with your password. This page notices by itself.
          </p>
          {correct}
          <section>
            <h2>No mail after a few minutes?</h2>
            <p>
              Check your spam folder. Links in all our mails keep working, also in the older ones.
            </p>
            {sendAgain}
          </section>
        </>
      )
    case 'held':
      return correct
    case 'failed':
      return (
        <>
          {sendAgain}
          {correct}
        </>
      )
    case 'returned':
      return (
        <>
          <p>
            <a class="button" href={CORRECT_PATH}>
              Use another address
            </a>
          </p>
          {account.mail?.state === 'bounced' && (
            <section>
              <h2>The address is right?</h2>
              <p>Its mailbox may be full, or its server may have had a bad moment.</p>
              {sendAgain}
            </section>
          )}
        </>
      )
  }
}

/** The button, or how long until there is one. */
export function SendAgain(props: {
  readonly action: string
  readonly account: AccountView
  readonly target?: string | undefined
}) {
  const { action, account, target } = props
  if (account.resendSeconds > 0) {
    return <p class="quiet">{`You can send it again in ${describeWait(account.resendSeconds)}.`}</p>
  }
  return (
    <form method="post" action={action}>
      <RedirectField to={target} />
      <button type="submit" class="plain">
        Send the mail again
      </button>
    </form>
  )
}

/**
 * All lines are there, one is shown: the script switches between them as the mail gets on, and loads the page anew
 * where the news is of another kind.
 */
function MailState({ situation, email }: { situation: Situation; email: string }) {
  return (
    <div role="status">
      {MAIL_STATES.map(({ states, news, before, after }) => (
        <p
          data-mail-states={states.join(' ')}
          data-news={news}
          hidden={!states.includes(situation)}
        >
          {before} <span class="address">{email}</span>
          {after}
        </p>
      ))}
    </div>
  )
}

/** A state, or one of two that it hides: accepted and silent for too long, and waiting for tomorrow. */
export type Situation = MessageState | 'stalled' | 'held'

function situationOf(mail: AccountView['mail']): Situation {
  if (mail === null) return 'expired'
  if (mail.isStalled) return 'stalled'
  return mail.waitsUntil === null ? mail.state : 'held'
}

interface StateWords {
  readonly states: readonly Situation[]
  readonly news: News
  readonly before: string
  readonly after: string
}

/** Every state is in one of them; a test holds that. */
export const MAIL_STATES: readonly StateWords[] = [
  {
    states: ['queued', 'sending'],
    news: 'arriving',
    before: 'A mail to',
    after: ' is being sent. Where it takes longer, it is tried again and again.',
  },
  { states: ['sent'], news: 'arriving', before: 'We sent a mail to', after: '.' },
  {
    states: ['stalled'],
    news: 'arriving',
    before: 'We sent a mail to',
    after:
      ' and have heard nothing of it since. It may be stuck on the way: check your spam folder, the address, or have it sent again.',
  },
  { states: ['delivered'], news: 'arriving', before: 'A mail was delivered to', after: '.' },
  {
    states: ['deferred'],
    news: 'arriving',
    before: 'The mail server of',
    after: ' lets our mail wait. It is tried again.',
  },
  {
    states: ['expired'],
    news: 'arriving',
    before: 'No mail to',
    after: ' is on its way right now.',
  },
  {
    states: ['held'],
    news: 'held',
    before: 'Our mail to',
    after:
      ' has to wait: no more mails may go out today. It is sent after midnight (UTC), in the order of sign-ups. This page notices by itself.',
  },
  {
    states: ['failed'],
    news: 'failed',
    before: 'Our mail could not be sent to',
    after:
      '. The trouble may be on our side: send it again, or check whether the address is right.',
  },
  {
    states: ['bounced'],
    news: 'returned',
    before: 'Our mail came back from',
    after: '. Check whether the address is right.',
  },
  {
    states: ['suppressed', 'complained'],
    news: 'returned',
    before: 'We may not mail',
    after: ': earlier mail to it came back or was not wanted.',
  },
]

/** Mends a typo. A page of its own: the inbox page reloads, and would lose what is being typed. */
export function CorrectAddressPage(props: {
  readonly brand: Brand
  readonly email: string
  readonly typed?: string | undefined
  readonly errors?: FieldErrors
}) {
  const { brand, email, typed, errors = {} } = props
  return (
    <Page brand={brand} title="Correct your address">
      <h1>Correct your address</h1>
      <p>
        You signed up with <span class="address">{email}</span>. We mail the link to the corrected
        address instead.
      </p>
      <form method="post" action={CORRECT_PATH}>
        <AccountName email={email} />
        <EmailField name="new_email" value={typed ?? email} error={errors.new_email} />
        <CurrentPasswordField hint="The one you just chose." error={errors.password} />
        <button type="submit">Correct the address</button>
      </form>
      <p>
        <a href="/">Back</a>
      </p>
    </Page>
  )
}
