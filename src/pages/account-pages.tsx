// The start page in its three states, sign-in, and what one is told after asking for a new link.

import type { UserView } from '../accounts/user.ts'
import { Field, type FieldErrors, Page } from './layout.tsx'

interface FormState {
  readonly appName: string
  readonly email?: string | undefined
  readonly errors?: FieldErrors
}

/** For somebody who is not signed in. */
export function RegisterPage({ appName, email, errors = {} }: FormState) {
  return (
    <Page appName={appName} title="Sign up">
      <h1>Sign up</h1>
      <p>We will mail you a link to confirm that the address is yours.</p>
      <form method="post" action="/register">
        {errors.form && <p class="error">{errors.form}</p>}
        <Field
          name="email"
          label="E-mail address"
          type="email"
          autocomplete="email"
          value={email}
          error={errors.email}
        />
        <Field
          name="password"
          label="Password"
          type="password"
          autocomplete="new-password"
          hint="At least 8 characters. A few words in a row make a good one."
          error={errors.password}
        />
        <button type="submit">Sign up</button>
      </form>
      <p class="quiet">
        You have an account? <a href="/login">Sign in</a>
      </p>
    </Page>
  )
}

/** For somebody with an account or a claim. */
export function LoginPage({ appName, email, errors = {} }: FormState) {
  return (
    <Page appName={appName} title="Sign in">
      <h1>Sign in</h1>
      <form method="post" action="/login">
        {errors.form && <p class="error">{errors.form}</p>}
        <Field
          name="email"
          label="E-mail address"
          type="email"
          autocomplete="username"
          value={email}
          error={errors.email}
        />
        <Field
          name="password"
          label="Password"
          type="password"
          autocomplete="current-password"
          error={errors.password}
        />
        <button type="submit">Sign in</button>
      </form>
      <p class="quiet">
        New here? <a href="/register">Sign up</a>
      </p>
    </Page>
  )
}

/** What became of asking for the mail again. */
export type ResendNotice =
  | { readonly kind: 'sent' }
  | { readonly kind: 'limited'; readonly waitSeconds: number }

/** For somebody signed in: the inbox to look into, or that all is well. */
export function HomePage(props: {
  readonly appName: string
  readonly user: UserView
  readonly notice?: ResendNotice | undefined
}) {
  const { appName, user, notice } = props
  return (
    <Page appName={appName} title={user.is_email_verified ? 'Signed in' : 'Check your inbox'}>
      {user.is_email_verified ? (
        <>
          <h1 class="good">You are signed in</h1>
          <p>
            <span class="address">{user.email}</span> is confirmed.
          </p>
        </>
      ) : (
        <>
          <h1>Check your inbox</h1>
          {notice && <Notice notice={notice} />}
          <p>
            We mailed a link to <span class="address">{user.email}</span>. Open it in this browser
            to confirm the address, or on any device with your password.
          </p>
          <p class="quiet">Nothing there after a few minutes? Look among the spam, or:</p>
          <form method="post" action="/resend">
            <button type="submit">Send the mail again</button>
          </form>
        </>
      )}
      <form method="post" action="/logout">
        <button type="submit" class="plain">
          Sign out
        </button>
      </form>
    </Page>
  )
}

function Notice({ notice }: { readonly notice: ResendNotice }) {
  if (notice.kind === 'sent') {
    return (
      <p class="notice" role="status">
        A new mail is on its way. Links in earlier mails keep working.
      </p>
    )
  }
  return (
    <p class="notice bad" role="status">
      {`We have mailed this address as often as we may for now. Try again in ${describeWait(notice.waitSeconds)}.`}
    </p>
  )
}

/** Says the same for every address: whether there is an account is nobody else's business. */
export function ResendAcceptedPage({ appName, email }: { appName: string; email: string }) {
  return (
    <Page appName={appName} title="Check your inbox">
      <h1>Check your inbox</h1>
      <p>
        If <span class="address">{email}</span> was signed up and waits to be confirmed, a new link
        is on its way.
      </p>
    </Page>
  )
}

/** For forms that came too often. */
export function TooManyPage({ appName, waitSeconds }: { appName: string; waitSeconds: number }) {
  return (
    <Page appName={appName} title="Too many attempts">
      <h1>Too many attempts</h1>
      <p>{`Try again in ${describeWait(waitSeconds)}.`}</p>
    </Page>
  )
}

function describeWait(seconds: number): string {
  if (seconds < 90) return `${seconds} second${seconds === 1 ? '' : 's'}`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}
