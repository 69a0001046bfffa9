// The account: its address, its password, where it is signed in, and its end.

import type { AccountView, OwnSession } from '../accounts/read-account.ts'
import type { FieldErrors } from './form-body.ts'
import { AccountName, CurrentPasswordField, EmailField, NewPasswordField } from './form-fields.tsx'
import { SendAgain } from './inbox-page.tsx'
import { type Brand, Page, Section } from './layout.tsx'
import { Notice, type NoticeName } from './notices.tsx'
import { describeUserAgent } from './user-agent.ts'

/** A form of the page that came back, with what is wrong in it. */
export interface Returned {
  readonly form: 'email' | 'password' | 'delete'
  readonly errors: FieldErrors
  /** The new address as typed. */
  readonly newEmail?: string | undefined
}

interface Props {
  readonly brand: Brand
  readonly account: AccountView
  readonly returned?: Returned | undefined
  readonly notice?: NoticeName | undefined
}

/** For whoever is signed in; deletion alone waits for a confirmed address. */
export function AccountPage(props: Props) {
  const { brand, account, returned, notice } = props
  const errorsOf = (form: Returned['form']) => (returned?.form === form ? returned.errors : {})
  return (
    <Page brand={brand} title="Your account">
      <h1>Your account</h1>
      <Notice name={notice} />
      <p>
        You are signed in as <span class="address">{account.user.email}</span>.{' '}
        <AddressState account={account} />
      </p>
      {account.suppression !== null && account.user.emailVerifiedAt !== null && (
        <p class="notice" role="status">
          {`${SUPPRESSED[account.suppression]} We mail it no more: change to another address below, or ask us for help.`}
        </p>
      )}
      <form method="post" action="/logout">
        <button type="submit" class="plain">
          Sign out
        </button>
      </form>
      <AddressSection account={account} errors={errorsOf('email')} newEmail={returned?.newEmail} />
      <PasswordSection email={account.user.email} errors={errorsOf('password')} />
      <SessionsSection sessions={account.sessions} />
      <DeleteSection account={account} errors={errorsOf('delete')} />
    </Page>
  )
}

/** Why an account gets no mail, in words for its owner: who merely claims an address need not know. */
const SUPPRESSED: Record<NonNullable<AccountView['suppression']>, string> = {
  hard_bounce: 'Mail to your address came back: there seems to be no such mailbox.',
  complaint: 'Our mail to your address was marked as spam.',
  disowned: 'Somebody who reads mail at your address asked for no more of it.',
}

function AddressState({ account }: { readonly account: AccountView }) {
  return account.user.emailVerifiedAt === null ? (
    <>
      <span class="state bad">Not confirmed yet.</span> <a href="/">Confirm it</a>
    </>
  ) : (
    <span class="state good">Confirmed.</span>
  )
}

function AddressSection(props: {
  readonly account: AccountView
  readonly errors: FieldErrors
  readonly newEmail: string | undefined
}) {
  const { account, errors, newEmail } = props
  const { email, pendingEmail } = account.user
  return (
    <Section id="email" title="E-mail address">
      {pendingEmail !== null && <PendingChange account={account} pendingEmail={pendingEmail} />}
      <form method="post" action="/account/email">
        <AccountName email={email} />
        <EmailField
          id="email-new_email"
          name="new_email"
          label="New e-mail address"
          value={newEmail}
          error={errors.new_email}
        />
        <CurrentPasswordField id="email-password" label="Your password" error={errors.password} />
        <button type="submit">Change the address</button>
      </form>
    </Section>
  )
}

function PendingChange(props: { readonly account: AccountView; readonly pendingEmail: string }) {
  return (
    <div class="box">
      <p>
        The change to <span class="address">{props.pendingEmail}</span> waits to be confirmed: open
        the link that we mailed there. Until then the address stays as it is.
      </p>
      <SendAgain action="/account/email/resend" account={props.account} />
      <form method="post" action="/account/email/cancel">
        <button type="submit" class="plain">
          Cancel the change
        </button>
      </form>
    </div>
  )
}

function PasswordSection({ email, errors }: { email: string; errors: FieldErrors }) {
  return (
    <Section id="password" title="Password">
      <form method="post" action="/account/password">
        <AccountName email={email} />
        <CurrentPasswordField
          id="password-current_password"
          name="current_password"
          label="Current password"
          error={errors.current_password}
        />
        <NewPasswordField
          id="password-new_password"
          name="new_password"
          label="New password"
          error={errors.new_password}
        />
        <button type="submit">Change the password</button>
      </form>
    </Section>
  )
}

function SessionsSection({ sessions }: { readonly sessions: readonly OwnSession[] }) {
  return (
    <Section id="sessions" title="Where you are signed in">
      <ul class="list">
        {sessions.map((session) => (
          <SessionItem session={session} />
        ))}
      </ul>
    </Section>
  )
}

function SessionItem({ session }: { readonly session: OwnSession }) {
  const device = describeUserAgent(session.userAgent)
  const since = new Date(session.createdAt)
  return (
    <li>
      <div>
        <p>{device}</p>
        <p class="quiet">
          since <time datetime={since.toISOString()}>{describeInstant(since)}</time>
          {session.ip !== null && session.ip !== 'unknown' && ` from ${session.ip}`}
        </p>
      </div>
      {session.isCurrent ? (
        <p class="state good">This device</p>
      ) : (
        <form class="inline" method="post" action="/account/sessions/revoke">
          <input type="hidden" name="id" value={session.id} />
          <button type="submit" class="plain" aria-label={`Sign out ${device}`}>
            Sign out
          </button>
        </form>
      )}
    </li>
  )
}

function describeInstant(at: Date): string {
  const iso = at.toISOString()
  return `${iso.slice(0, 10)}, ${iso.slice(11, 16)} UTC`
}

function DeleteSection({ account, errors }: { account: AccountView; errors: FieldErrors }) {
  const { email, emailVerifiedAt } = account.user
  return (
    <Section id="delete" title="Delete the account">
      {emailVerifiedAt === null ? (
        <p>Confirm your address first. A sign-up that is never confirmed is forgotten by itself.</p>
      ) : (
        <>
          <p>The account and all that belongs to it are gone at once, and for good.</p>
          <form method="post" action="/account/delete">
            <AccountName email={email} />
            <CurrentPasswordField
              id="delete-password"
              label="Your password"
              error={errors.password}
            />
            <button type="submit" class="danger">
              Delete the account
            </button>
          </form>
        </>
      )}
    </Section>
  )
}
