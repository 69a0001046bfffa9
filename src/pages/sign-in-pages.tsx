// Signing up and in.

import type { FieldErrors } from './form-body.ts'
import {
  CurrentPasswordField,
  EmailField,
  FormError,
  Hidden,
  NewPasswordField,
  RedirectField,
} from './form-fields.tsx'
import { type Brand, Page } from './layout.tsx'
import { Notice, type NoticeName } from './notices.tsx'
import { pathWith } from './redirect-target.ts'

interface FormState {
  readonly brand: Brand
  readonly email?: string | undefined
  readonly errors?: FieldErrors
  /** Where to go after success. */
  readonly target?: string | undefined
  readonly notice?: NoticeName | undefined
}

/** For somebody who is not signed in. */
export function RegisterPage(props: FormState & { readonly disownToken?: string | undefined }) {
  const { brand, notice, target, ...form } = props
  return (
    <Page brand={brand} title="Sign up">
      <h1>Sign up for {brand.appName}</h1>
      <Notice name={notice} />
      <p>
        All it takes is an e-mail address and a password. We mail you a link to confirm that the
        address is yours.
      </p>
      <RegisterForm {...form} target={target} />
      <p class="quiet">
        Already have an account? <a href={pathWith('/login', { redirect_to: target })}>Sign in</a>
      </p>
    </Page>
  )
}

/** The form alone; with the token of a disown link it ends the silence that the link brought. */
export function RegisterForm(props: {
  readonly email?: string | undefined
  readonly errors?: FieldErrors
  readonly target?: string | undefined
  readonly disownToken?: string | undefined
}) {
  const { email, errors = {}, target, disownToken } = props
  return (
    <form method="post" action="/register">
      <Hidden name="disown_token" value={disownToken} />
      <RedirectField to={target} />
      <FormError errors={errors} />
      <EmailField value={email} error={errors.email} />
      <NewPasswordField error={errors.password} />
      <button type="submit">Sign up</button>
    </form>
  )
}

/** For somebody with an account or a claim. */
export function LoginPage({ brand, email, errors = {}, target, notice }: FormState) {
  return (
    <Page brand={brand} title="Sign in">
      <h1>Sign in to {brand.appName}</h1>
      <Notice name={notice} />
      <form method="post" action="/login">
        <RedirectField to={target} />
        <FormError errors={errors} />
        <EmailField autocomplete="username" value={email} error={errors.email} />
        <CurrentPasswordField error={errors.password} />
        <button type="submit">Sign in</button>
      </form>
      <p>
        <a href="/forgot-password">Forgot your password?</a>
      </p>
      <p class="quiet">
        New here? <a href={pathWith('/register', { redirect_to: target })}>Sign up</a>
      </p>
    </Page>
  )
}

/** What a sign-in is told where it takes a confirmed address. */
export function NotVerifiedPage(props: {
  readonly brand: Brand
  readonly email: string
  readonly isMailOnItsWay: boolean
}) {
  const { brand, email, isMailOnItsWay } = props
  return (
    <Page brand={brand} title="Confirm your address first">
      <h1>Confirm your address first</h1>
      <p>
        Your password is right, but <span class="address">{email}</span> is not confirmed yet.
      </p>
      {isMailOnItsWay ? (
        <p>A new link is on its way. Open it and confirm with your password.</p>
      ) : (
        <p>
          Open the link in the mail that we sent you. We have sent as many as we may for now; sign
          in again later to get a new one.
        </p>
      )}
      <p class="quiet">Nothing there after a few minutes? Check your spam folder.</p>
      <p>
        <a href="/login">Back to sign in</a>
      </p>
    </Page>
  )
}
