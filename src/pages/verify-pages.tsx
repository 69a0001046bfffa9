// The page behind the link in the mail, and every way it can end. Opening it changes nothing: the button
// does, together with the session of the browser that registered, or the password.

import { Field, Page } from './layout.tsx'

/** Who asks, which address, one button. */
export function ConfirmPage(props: {
  readonly appName: string
  readonly email: string
  readonly token: string
  readonly needsPassword: boolean
  readonly passwordError?: string | undefined
}) {
  const { appName, email } = props
  return (
    <Page appName={appName} title="Confirm your address">
      <h1>Is this your address?</h1>
      <p>
        Confirm that <span class="address">{email}</span> is yours to use it with {appName}.
      </p>
      <form method="post" action="/auth/verify-email">
        <input type="hidden" name="token" value={props.token} />
        {props.needsPassword && (
          <>
            {/* For password managers: which account the password belongs to. */}
            <input type="hidden" name="username" autocomplete="username" value={email} />
            <Field
              name="password"
              label="Password"
              type="password"
              autocomplete="current-password"
              hint="The one you chose when you signed up. This browser is not the one you used then."
              error={props.passwordError}
            />
          </>
        )}
        <button type="submit">Confirm my address</button>
      </form>
      <p class="quiet">You did not sign up? Close this page: nothing has happened.</p>
    </Page>
  )
}

/** The end of the journey. */
export function VerifiedPage(props: {
  readonly appName: string
  readonly email: string
  readonly isSignedIn: boolean
}) {
  return (
    <Page appName={props.appName} title="Address confirmed">
      <h1 class="good">Address confirmed</h1>
      <p>
        <span class="address">{props.email}</span> is yours now.
      </p>
      <p>{props.isSignedIn ? <a href="/">Go on</a> : <a href="/login">Sign in</a>}</p>
    </Page>
  )
}

/** For the second click, and every one after it. */
export function AlreadyVerifiedPage({ appName, email }: { appName: string; email: string }) {
  return (
    <Page appName={appName} title="Already confirmed">
      <h1 class="good">Already confirmed</h1>
      <p>
        <span class="address">{email}</span> is confirmed. There is nothing left to do.
      </p>
      <p>
        <a href="/">Go on</a>
      </p>
    </Page>
  )
}

const BAD_LINKS = {
  expired: {
    title: 'This link has expired',
    advice: 'Links work for a limited time. We will gladly send you a new one.',
  },
  invalid: {
    title: 'This link does not work',
    advice:
      'Part of it may have been lost on the way. Copy the whole link from the mail, or get a new one.',
  },
  not_found: {
    title: 'Nothing to confirm',
    advice:
      'The sign-up behind this link is gone: it was never finished, or the account was deleted. You can sign up again.',
  },
  email_taken: {
    title: 'This address is taken',
    advice:
      'It was confirmed for another account meanwhile. Your account keeps the address it had.',
  },
} as const

/** A way on from a link that leads nowhere. */
export function BadLinkPage(props: {
  readonly appName: string
  readonly outcome: keyof typeof BAD_LINKS
  readonly email?: string | undefined
  readonly error?: string | undefined
}) {
  const { title, advice } = BAD_LINKS[props.outcome]
  return (
    <Page appName={props.appName} title={title}>
      <h1>{title}</h1>
      <p>{advice}</p>
      {props.outcome === 'not_found' || props.outcome === 'email_taken' ? (
        <p>
          <a href="/">Continue</a>
        </p>
      ) : (
        <NewLinkForm email={props.email} error={props.error} />
      )}
    </Page>
  )
}

/** Asks for the address: the link does not say it, and this browser may be anybody's. */
export function NewLinkForm(props: { email?: string | undefined; error?: string | undefined }) {
  return (
    <form method="post" action="/resend">
      <Field
        name="email"
        label="Your e-mail address"
        type="email"
        autocomplete="email"
        value={props.email}
        error={props.error}
      />
      <button type="submit">Send me a new link</button>
    </form>
  )
}
