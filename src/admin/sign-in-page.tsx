// Where somebody sits down at the desk.

import type { FieldErrors } from '../pages/form-body.ts'
import { FormError, Hidden } from '../pages/form-fields.tsx'
import type { Brand } from '../pages/layout.tsx'
import { DeskPage } from './desk-layout.tsx'
import { DeskField } from './desk-parts.tsx'

interface Props {
  readonly brand: Brand
  /** Where to go then. */
  readonly to?: string | undefined
  readonly name?: string | undefined
  readonly errors?: FieldErrors
}

/** For whoever is not signed in. */
export function SignInPage({ brand, to = '/admin', name, errors = {} }: Props) {
  return (
    <DeskPage brand={brand} title="Sign in" nav="none">
      <h1>Sign in to the desk</h1>
      <FormError errors={errors} />
      <form method="post" action="/admin/sign-in">
        <Hidden name="to" value={to} />
        <DeskField
          name="name"
          label="Your name"
          autocomplete="name"
          value={name}
          hint="Goes with everything you do here into the timeline of the user."
          error={errors.name}
        />
        <DeskField
          name="token"
          label="Token"
          type="password"
          autocomplete="current-password"
          error={errors.token}
        />
        <button type="submit">Sign in</button>
      </form>
    </DeskPage>
  )
}
