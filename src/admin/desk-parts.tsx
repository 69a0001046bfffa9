// What several of the desk's pages are made of.

import type { FieldError } from '../http/problem.ts'
import type { FieldErrors } from '../pages/form-body.ts'
import { Field, HintAndError, statusOf } from '../pages/form-fields.tsx'

type FieldProps = Omit<Parameters<typeof Field>[0], 'type' | 'autocomplete'> & {
  readonly type?: 'text' | 'password' | 'search'
  readonly autocomplete?: string
}

/** A field of the desk: a line of text, unless said, which no browser should fill in. */
export function DeskField(props: FieldProps) {
  return <Field type="text" autocomplete="off" {...props} />
}

interface ReasonProps {
  readonly id?: string
  readonly value?: string | undefined
  readonly error?: string | undefined
}

/** Why something is done. Several lines, so that Enter breaks a line and sends nothing. */
export function ReasonField({ id = 'reason', value, error }: ReasonProps) {
  const hint = 'Kept in the timeline, with your name.'
  return (
    <div>
      <label for={id}>Reason</label>
      <textarea
        {...{ id, name: 'reason', rows: 2, minlength: 3, maxlength: 500, required: true }}
        {...statusOf({ id, hint, error })}
      >
        {value ?? ''}
      </textarea>
      <HintAndError {...{ id, hint, error }} />
    </div>
  )
}

/** An instant, to the second: what support compares with other logs. */
export function Instant({ at }: { readonly at: number }) {
  const iso = new Date(at).toISOString()
  return <time datetime={iso}>{`${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`}</time>
}

/**
 * The errors of a body as sentences, by field.
 * @param errors as a program would get them
 */
export function sentences(errors: readonly FieldError[]): FieldErrors {
  return Object.fromEntries(
    [...errors]
      .reverse() // the first error of a field wins
      .map(({ path, message }) => [
        path,
        message.startsWith('the ') ? `T${message.slice(1)}.` : `This ${message}.`,
      ]),
  )
}
