// For who cannot get in, or finds that somebody else did: forgotten passwords, "I did not sign up", and the
// undoing of a change of address.

import { DISOWN_PATH, type FieldErrors, RESET_PATH, UNDO_PATH } from './form-body.ts'
import { AccountName, EmailField, Hidden, NewPasswordField } from './form-fields.tsx'
import { type Brand, Page } from './layout.tsx'
import { RegisterForm } from './sign-in-pages.tsx'

/** Asks which account. */
export function ForgotPage(props: {
  readonly brand: Brand
  readonly email?: string | undefined
  readonly errors?: FieldErrors
}) {
  const { brand, email, errors = {} } = props
  return (
    <Page brand={brand} title="Forgot your password?">
      <h1>Forgot your password?</h1>
      <p>We mail you a link to choose a new one.</p>
      <form method="post" action="/forgot-password">
        <EmailField autocomplete="username" value={email} error={errors.email} />
        <button type="submit">Mail me a link</button>
      </form>
      <p class="quiet">
        Remember it after all? <a href="/login">Sign in</a>
      </p>
    </Page>
  )
}

/** The same for every address, for the answer must not tell whether there is an account. */
export function ForgotAcceptedPage({ brand, email }: { brand: Brand; email: string }) {
  return (
    <Page brand={brand} title="Check your inbox">
      <h1>Check your inbox</h1>
      <p>
        If there is an account for <span class="address">{email}</span>, a link to choose a new
        password is on its way.
      </p>
      <p class="quiet">Nothing there after a few minutes? Check your spam folder.</p>
      <p>
        <a href="/login">Back to sign in</a>
      </p>
    </Page>
  )
}

/** Chooses the new password. */
export function ResetPage(props: {
  readonly brand: Brand
  readonly email: string
  readonly token: string
  readonly errors?: FieldErrors
}) {
  const { brand, email, token, errors = {} } = props
  return (
    <Page brand={brand} title="Choose a new password">
      <h1>Choose a new password</h1>
      <p>
        For the account of <span class="address">{email}</span>. All devices are signed out with it.
      </p>
      <form method="post" action={RESET_PATH}>
        <Hidden name="token" value={token} />
        <AccountName email={email} />
        <NewPasswordField label="New password" error={errors.password} />
        <button type="submit">Set the new password</button>
      </form>
    </Page>
  )
}

/** What a link was for that does not work. */
export type RecoveryKind = 'reset' | 'disown' | 'undo'

const RECOVERY_ADVICE: Record<RecoveryKind, string> = {
  reset:
    'Links for a new password work once and for a short time. We will gladly send you a new one.',
  disown:
    'You need not do anything: an address that nobody confirms is not used, and we forget the sign-up by itself.',
  undo: 'It was used already, or the change is too long ago. If somebody else got into your account, choose a new password.',
}

/** A way on from a link that leads nowhere. */
export function BadRecoveryPage(props: {
  readonly brand: Brand
  readonly kind: RecoveryKind
  readonly outcome: 'invalid' | 'expired'
}) {
  const { brand, kind, outcome } = props
  const title = outcome === 'expired' ? 'This link has expired' : 'This link does not work'
  return (
    <Page brand={brand} title={title}>
      <h1>{title}</h1>
      <p>{RECOVERY_ADVICE[kind]}</p>
      <p>
        {kind === 'disown' ? (
          <a href="/">To the start page</a>
        ) : (
          <a class="button" href="/forgot-password">
            {kind === 'reset' ? 'Get a new link' : 'Choose a new password'}
          </a>
        )}
      </p>
    </Page>
  )
}

/** Asks before anything is ended: a scanner that opens the link must not. */
export function DisownPage({ brand, token }: { brand: Brand; token: string }) {
  return (
    <Page brand={brand} title="Did you not sign up?">
      <h1>Did you not sign up?</h1>
      <p>
        Somebody entered your address at {brand.appName}. If that was not you, we delete the sign-up
        and send no more sign-up mail to your address for 30 days.
      </p>
      <form method="post" action={DISOWN_PATH}>
        <Hidden name="token" value={token} />
        <button type="submit">I did not sign up</button>
      </form>
      <p class="quiet">It was you after all? Close this page: nothing has happened.</p>
    </Page>
  )
}

/** It is done; and the one way to end the silence early. */
export function DisownedPage({ brand, token }: { brand: Brand; token: string }) {
  return (
    <Page brand={brand} title="We have deleted it">
      <h1 class="good">We have deleted it</h1>
      <p>
        Whatever was signed up with your address and not confirmed is gone, and we send no mail to
        it for 30 days. An account that you confirmed yourself stays as it is.
      </p>
      <section>
        <h2>Would you like an account yourself?</h2>
        <p>Sign up here, and we mail you again.</p>
        <RegisterForm disownToken={token} />
      </section>
    </Page>
  )
}

/** Asks before the change is undone. */
export function UndoPage({ brand, email, token }: { brand: Brand; email: string; token: string }) {
  return (
    <Page brand={brand} title="Undo the change of address">
      <h1>Undo the change of address?</h1>
      <p>
        Your account goes back to <span class="address">{email}</span>, every device is signed out,
        and the password no longer works. We mail you a link to choose a new one.
      </p>
      <form method="post" action={UNDO_PATH}>
        <Hidden name="token" value={token} />
        <button type="submit">Undo the change</button>
      </form>
      <p class="quiet">You changed the address yourself? Close this page: nothing has happened.</p>
    </Page>
  )
}

/** It is undone. */
export function UndonePage(props: {
  readonly brand: Brand
  readonly email: string
  readonly isMailOnItsWay: boolean
}) {
  const { brand, email, isMailOnItsWay } = props
  return (
    <Page brand={brand} title="The change is undone">
      <h1 class="good">The change is undone</h1>
      <p>
        The address of your account is <span class="address">{email}</span> again. All devices are
        signed out.
      </p>
      {isMailOnItsWay ? (
        <p>A mail with a link to choose a new password is on its way to you.</p>
      ) : (
        <p>
          Now <a href="/forgot-password">choose a new password</a>: the old one no longer works.
        </p>
      )}
    </Page>
  )
}
