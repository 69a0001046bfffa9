// The controls that every form is made of.

import type { FieldErrors } from './form-body.ts'
import { REDIRECT_FIELD } from './redirect-target.ts'

interface FieldProps {
  readonly name: string
  readonly label: string
  readonly type: 'email' | 'password'
  readonly autocomplete: string
  /** Sets the field apart from one of the same name in another form of the page. */
  readonly form?: string
  readonly value?: string | undefined
  readonly hint?: string | undefined
  readonly error?: string | undefined
}

/** A labelled field with its hint and its error, tied to it for screen readers. */
export function Field(props: FieldProps) {
  const { name, label, hint, error } = props
  const id = props.form === undefined ? name : `${props.form}-${name}`
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div>
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        type={props.type}
        autocomplete={props.autocomplete}
        value={props.value}
        required
        // Where the form came back, the way to what is wrong is the shortest.
        autofocus={error !== undefined}
        aria-describedby={describedBy || undefined}
        aria-invalid={error === undefined ? undefined : 'true'}
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  )
}

/** A password to be set. */
export function NewPasswordField(props: {
  readonly name: string
  readonly label: string
  readonly form?: string
  readonly error?: string | undefined
}) {
  return (
    <Field
      {...props}
      type="password"
      autocomplete="new-password"
      hint="At least 8 characters. A few words in a row make a good one."
    />
  )
}

/** What is wrong with a form as a whole. */
export function FormError({ errors }: { readonly errors: FieldErrors }) {
  if (!errors.form) return null
  return (
    <p class="error" role="alert">
      {errors.form}
    </p>
  )
}

/** A value that rides along unseen; nothing where there is none. */
export function Hidden({ name, value }: { name: string; value: string | undefined }) {
  return value === undefined ? null : <input type="hidden" name={name} value={value} />
}

/** For password managers: which account the password of this form belongs to. */
export function AccountName({ email }: { readonly email: string }) {
  return <input type="hidden" name="username" autocomplete="username" value={email} />
}

/** Where to go after success, carried through a form. */
export function RedirectField({ to }: { readonly to: string | undefined }) {
  return <Hidden name={REDIRECT_FIELD} value={to} />
}
