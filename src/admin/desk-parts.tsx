// What several of the desk's pages are made of.

import type { Child } from 'hono/jsx'
import type { FieldError } from '../http/problem.ts'
import type { FieldErrors } from '../pages/form-body.ts'

interface FieldProps {
  readonly name: string
  readonly label: string
  readonly id?: string
  readonly type?: 'text' | 'password' | 'search'
  readonly autocomplete?: string
  readonly value?: string | undefined
  readonly hint?: string | undefined
  readonly error?: string | undefined
}

/** A labelled field with its hint and its error, tied to it for screen readers. */
export function DeskField({ name, label, id = name, type = 'text', ...rest }: FieldProps) {
  const { autocomplete = 'off', value, hint, error } = rest
  return (
    <div>
      <label for={id}>{label}</label>
      <input
        {...{ id, name, type, autocomplete, value, required: true }}
        autofocus={error !== undefined}
        aria-describedby={describedBy(id, hint, error)}
        aria-invalid={error === undefined ? undefined : 'true'}
      />
      <HintAndError id={id} hint={hint} error={error} />
    </div>
  )
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
        autofocus={error !== undefined}
        aria-describedby={describedBy(id, hint, error)}
        aria-invalid={error === undefined ? undefined : 'true'}
      >
        {value ?? ''}
      </textarea>
      <HintAndError id={id} hint={hint} error={error} />
    </div>
  )
}

function describedBy(id: string, hint: string | undefined, error: string | undefined) {
  return [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined
}

function HintAndError(props: { id: string; hint: string | undefined; error: string | undefined }) {
  const { id, hint, error } = props
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

/** An instant, to the second: what support compares with other logs. */
export function Instant({ at }: { readonly at: number }) {
  const iso = new Date(at).toISOString()
  return <time datetime={iso}>{`${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`}</time>
}

/** A part of a page under a heading. */
export function Section(props: { readonly id: string; readonly title: string; children: Child }) {
  const { id, title, children } = props
  return (
    <section aria-labelledby={`${id}-heading`}>
      <h2 id={`${id}-heading`}>{title}</h2>
      {children}
    </section>
  )
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
