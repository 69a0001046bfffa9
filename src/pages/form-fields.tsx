// The controls that every form is made of.

import type { FieldErrors } from './form-body.ts'
import { REDIRECT_FIELD } from './redirect-target.ts'

interface FieldProps {
  readonly name: string
  readonly label: string
  /** The name, unless another form of the page has a field of that name. */
  readonly id?: string
  readonly type: 'email' | 'password' | 'search' | 'text'
  readonly autocomplete: string
  readonly value?: string | undefined
  readonly hint?: string | undefined
  readonly error?: string | undefined
}

/** A labelled field with its hint and its error, tied to it for screen readers. */
export function Field({ name, label, id = name, type, autocomplete, ...rest }: FieldProps) {
  const { value, hint, error } = rest
  return (
    <div>
      <label for={id}>{label}</label>
      <input
        {...{ id, name, type, autocomplete, value, required: true }}
        {...statusOf({ id, hint, error })}
      />
      <HintAndError {...{ id, hint, error }} />
    </div>
  )
}

interface Status {
  readonly id: string
  readonly hint: string | undefined
  readonly error: string | undefined
}

/** Attributes of a control whose {@link HintAndError} follow it. */
export function statusOf({ id, hint, error }: Status) {
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return {
    // Where the form came back, the way to what is wrong is the shortest.
    autofocus: error !== undefined,
    'aria-describedby': describedBy || undefined,
    'aria-invalid': error === undefined ? undefined : ('true' as const),
  }
}

/** What helps with a control, and what is wrong with what it holds. */
export function HintAndError({ id, hint, error }: Status) {
  return (
    <>
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
    </>
  )
}

/** A field of one kind: what is left to say of it. */
type KindProps = Omit<FieldProps, 'type' | 'name' | 'label' | 'autocomplete'> &
  Partial<Pick<FieldProps, 'name' | 'label' | 'autocomplete'>>

/** An address; `autocomplete="username"` where it is the one to sign in with. */
export function EmailField(props: KindProps) {
  return <Field name="email" label="E-mail address" autocomplete="email" {...props} type="email" />
}

/** The password that there is. */
export function CurrentPasswordField(props: KindProps) {
  return (
    <Field
      name="password"
      label="Password"
      autocomplete="current-password"
      {...props}
      type="password"
    />
  )
}

/** A password to be set. */
export function NewPasswordField(props: KindProps) {
  return (
    <Field
      name="password"
      label="Password"
      autocomplete="new-password"
      hint="At least 8 characters. A few words in a row make a good one."
      {...props}
      type="password"
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
