// The page behind a link that proves a mailbox, and every way it can end. Opening it changes nothing: the
// button does, together with the session of the browser that asked for the link, or the password.

import { VERIFY_PATH } from './form-body.ts'
import {
  AccountName,
  CurrentPasswordField,
  EmailField,
  Hidden,
  RedirectField,
} from './form-fields.tsx'
import { type Brand, Page } from './layout.tsx'
import { pathWith } from './redirect-target.ts'

/** What is confirmed: the address of a sign-up, or the new one of an account. */
export type LinkKind = 'verify' | 'change'

const ASKING = {
  verify: {
    title: 'Confirm your address',
    heading: 'Is this your address?',
    button: 'Confirm my address',
    hint: 'The one you chose when you signed up. This browser is not the one you used then.',
    stranger: 'You did not sign up? Close this page: nothing has happened.',
  },
  change: {
    title: 'Confirm your new address',
    heading: 'Confirm your new address',
    button: 'Confirm my new address',
    hint: 'The one of your account. This browser is not signed in to it.',
    stranger: 'You did not ask for this? Close this page: nothing has happened.',
  },
} as const

/** Who asks, which address, one button. */
export function ConfirmPage(props: {
  readonly brand: Brand
  readonly kind: LinkKind
  readonly email: string
  readonly token: string
  readonly needsPassword: boolean
  readonly passwordError?: string | undefined
  readonly target?: string | undefined
}) {
  const { brand, email } = props
  const words = ASKING[props.kind]
  return (
    <Page brand={brand} title={words.title}>
      <h1>{words.heading}</h1>
      <p>
        Confirm that <span class="address">{email}</span> is yours to use it with {brand.appName}.
      </p>
      <form method="post" action={VERIFY_PATH}>
        <Hidden name="token" value={props.token} />
        <RedirectField to={props.target} />
        {props.needsPassword && (
          <>
            <AccountName email={email} />
            <CurrentPasswordField hint={words.hint} error={props.passwordError} />
          </>
        )}
        <button type="submit">{words.button}</button>
      </form>
      <p class="quiet">{words.stranger}</p>
    </Page>
  )
}

/** The end of the journey. */
export function VerifiedPage(props: {
  readonly brand: Brand
  readonly email: string
  readonly isSignedIn: boolean
  readonly target?: string | undefined
}) {
  const { brand, email, isSignedIn, target } = props
  return (
    <Page brand={brand} title="Address confirmed">
      <h1 class="good">Address confirmed</h1>
      <p>
        <span class="address">{email}</span> is confirmed.
      </p>
      <p>
        {isSignedIn ? (
          <a class="button" href={target ?? '/account'}>
            Continue
          </a>
        ) : (
          <a class="button" href={pathWith('/login', { redirect_to: target })}>
            Sign in
          </a>
        )}
      </p>
    </Page>
  )
}

/** For the second click, and every one after it. */
export function AlreadyVerifiedPage(props: {
  readonly brand: Brand
  readonly email: string
  readonly target?: string | undefined
}) {
  return (
    <Page brand={props.brand} title="Already confirmed">
      <h1 class="good">Already confirmed</h1>
      <p>
        <span class="address">{props.email}</span> is confirmed. There is nothing left to do.
      </p>
      <p>
        <a class="button" href={props.target ?? '/'}>
          Continue
        </a>
      </p>
    </Page>
  )
}

interface BadLinkWords {
  readonly title: string
  readonly advice: string
  /** The way on; without one, a form for a new link. */
  readonly way?: { readonly href: string; readonly label: string }
}

const TO_SETTINGS = { href: '/account', label: 'To your account' }

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
  change_expired: {
    title: 'This link has expired',
    advice: 'Links work for a limited time. Have a new one sent from your account.',
    way: TO_SETTINGS,
  },
  change_invalid: {
    title: 'This link does not work',
    advice:
      'The change of address was cancelled, undone or replaced by a later one. Your account shows how it stands.',
    way: TO_SETTINGS,
  },
  not_found: {
    title: 'Nothing to confirm',
    advice:
      'The sign-up behind this link is gone: it was never finished, or the account was deleted. You can sign up again.',
    way: { href: '/register', label: 'Sign up' },
  },
  email_taken: {
    title: 'This address is taken',
    advice:
      'It was confirmed for another account meanwhile. Your account keeps the address it had.',
    way: { href: '/', label: 'Continue' },
  },
} as const satisfies Record<string, BadLinkWords>

export type BadLinkKind = keyof typeof BAD_LINKS

/** A way on from a link that leads nowhere. */
export function BadLinkPage({
  brand,
  kind,
}: {
  readonly brand: Brand
  readonly kind: BadLinkKind
}) {
  const { title, advice, way }: BadLinkWords = BAD_LINKS[kind]
  return (
    <Page brand={brand} title={title}>
      <h1>{title}</h1>
      <p>{advice}</p>
      {way === undefined ? (
        <NewLinkForm />
      ) : (
        <p>
          <a class="button" href={way.href}>
            {way.label}
          </a>
        </p>
      )}
    </Page>
  )
}

/** For asking for a new link without anything having gone wrong with an old one. */
export function NewLinkPage(props: {
  readonly brand: Brand
  readonly email?: string | undefined
  readonly error?: string | undefined
}) {
  const { brand, email, error } = props
  return (
    <Page brand={brand} title="Get a new link">
      <h1>Get a new link</h1>
      <p>We mail a new link to the address that you signed up with.</p>
      <NewLinkForm email={email} error={error} />
    </Page>
  )
}

/** Asks for the address: the link does not say it, and this browser may be anybody's. */
function NewLinkForm(props: { email?: string | undefined; error?: string | undefined }) {
  return (
    <form method="post" action="/resend">
      <EmailField label="Your e-mail address" value={props.email} error={props.error} />
      <button type="submit">Send me a new link</button>
    </form>
  )
}

/** Says the same for every address: whether there is an account is nobody else's business. */
export function ResendAcceptedPage({ brand, email }: { brand: Brand; email: string }) {
  return (
    <Page brand={brand} title="Check your inbox">
      <h1>Check your inbox</h1>
      <p>
        If <span class="address">{email}</span> was signed up and waits to be confirmed, a new link
        is on its way.
      </p>
      <p class="quiet">Nothing there after a few minutes? Check your spam folder.</p>
    </Page>
  )
}
