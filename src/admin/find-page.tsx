// The desk's first page: whom is it about?

import type { FieldErrors } from '../pages/form-body.ts'
import { type Brand, Section } from '../pages/layout.tsx'
import { DeskPage } from './desk-layout.tsx'
import { DeskField, Instant, ReasonField } from './desk-parts.tsx'
import type { FoundBy, FoundUser, FoundUsers } from './find-users.ts'
import { type DeskNotice, Notice } from './notices.tsx'
import { describeSuppression } from './suppression-words.ts'

interface Props {
  readonly brand: Brand
  readonly query?: string | undefined
  readonly found?: FoundUsers | undefined
  readonly errors?: FieldErrors
  readonly notice?: DeskNotice | undefined
  /** The form to lift a suppression, as it came back. */
  readonly lift?: {
    readonly email?: string | undefined
    readonly reason?: string | undefined
    readonly errors: FieldErrors
  }
}

const FOUND_BY: Readonly<Record<FoundBy, string>> = {
  id: 'by its id',
  mail_id: 'by the id of a mail to it',
  address: 'by its address',
  pending_address: 'is about to change to this address',
  mailed_address: 'had mail sent to this address',
}

/** Find a user; or lift the suppression of an address that has none. */
export function FindPage({ brand, query, found, errors = {}, notice, lift }: Props) {
  return (
    <DeskPage brand={brand} title="Find a user" current="find">
      <h1>Find a user</h1>
      <Notice name={notice} />
      {/* Posted, not asked for by URL: an address in a URL ends in histories and logs. */}
      <form method="post" action="/admin/users/find">
        <DeskField
          name="query"
          label="E-mail address or id"
          type="search"
          value={query}
          hint="The id of a user or of a mail."
          error={errors.query}
        />
        <button type="submit">Find</button>
      </form>
      {found !== undefined && <Results query={query ?? ''} found={found} />}
      <Section id="lift" title="Lift the suppression of an address">
        <p>For an address that belongs to no user. Otherwise do it from the user’s page.</p>
        <form method="post" action="/admin/lift-suppression">
          <DeskField
            id="lift-email"
            name="email"
            label="E-mail address"
            value={lift?.email ?? (found?.suppression ? query : undefined)}
            error={lift?.errors.email}
          />
          <ReasonField id="lift-reason" value={lift?.reason} error={lift?.errors.reason} />
          <button type="submit" class="plain">
            Lift the suppression
          </button>
        </form>
      </Section>
    </DeskPage>
  )
}

function Results({ query, found }: { readonly query: string; readonly found: FoundUsers }) {
  const { users, suppression } = found
  return (
    <Section id="results" title={`Found for ${query}: ${users.length}`}>
      {suppression !== null && (
        <p>
          <span class="state bad">Suppressed.</span> {describeSuppression(suppression)}
        </p>
      )}
      {users.length === 0 ? (
        <p>No user has this address or id, and no recent mail went to it.</p>
      ) : (
        <ul class="list">
          {users.map((one) => (
            <Result one={one} />
          ))}
        </ul>
      )}
    </Section>
  )
}

function Result({ one: { user, foundBy } }: { readonly one: FoundUser }) {
  return (
    <li>
      <div>
        <p>
          <a href={`/admin/users/${user.id}`}>{user.email}</a>{' '}
          {user.emailVerifiedAt === null ? (
            <span class="state">Not verified yet</span>
          ) : (
            <span class="state good">Verified</span>
          )}
        </p>
        <p class="quiet">
          Found {FOUND_BY[foundBy]}. Since <Instant at={user.createdAt} />. <code>{user.id}</code>
        </p>
      </div>
    </li>
  )
}
