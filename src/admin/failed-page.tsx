// Mails that ended as failures, a page at a time.

import type { FieldErrors } from '../pages/form-body.ts'
import type { Brand } from '../pages/layout.tsx'
import { DeskPage } from './desk-layout.tsx'
import { ReasonField } from './desk-parts.tsx'
import type { FailedMails } from './failed-mails.ts'
import { type DeskNotice, Notice } from './notices.tsx'
import { MailFacts, retryLabel } from './user-page.tsx'

interface Props {
  readonly brand: Brand
  readonly failed: FailedMails
  readonly notice?: DeskNotice | undefined
  readonly returned?: {
    readonly reason?: string | undefined
    readonly errors: FieldErrors
  }
}

/** The list, with one reason for whatever is retried. */
export function FailedPage({ brand, failed: { mails, next }, notice, returned }: Props) {
  const ids = mails.map(({ id }) => id).join(',')
  return (
    <DeskPage brand={brand} title="Failed mail" current="failed">
      <h1>Failed mail</h1>
      <Notice name={notice} />
      {returned?.errors.form && (
        <p class="error" role="alert">
          {returned.errors.form}
        </p>
      )}
      {mails.length === 0 ? (
        <p>None{next === null ? '' : ' on this page'}.</p>
      ) : (
        <form method="post" action="/admin/mails/failed/retry">
          <input type="hidden" name="ids" value={ids} />
          <ReasonField value={returned?.reason} error={returned?.errors.reason} />
          <button type="submit">{`Retry all on this page (${mails.length})`}</button>
          <ul class="list">
            {mails.map((mail) => (
              <li>
                <MailFacts mail={mail} link />
                <button
                  type="submit"
                  class="plain"
                  formaction={`/admin/mails/${mail.id}/retry`}
                  aria-label={retryLabel(mail)}
                >
                  Retry
                </button>
              </li>
            ))}
          </ul>
        </form>
      )}
      {next !== null && (
        <p>
          <a href={`/admin/mails/failed?before=${next}`}>Older</a>
        </p>
      )}
    </DeskPage>
  )
}
