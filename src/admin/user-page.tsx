// One user, as support sees them: how it stands, what can be done, and all that happened.

import { DAILY_CAP, WITHHELD } from '../mail/outbox.ts'
import type { FieldErrors } from '../pages/form-body.ts'
import { type Brand, Section } from '../pages/layout.tsx'
import type { TimelineEntry } from '../timeline/read-timeline.ts'
import { DeskPage } from './desk-layout.tsx'
import { Instant, ReasonField } from './desk-parts.tsx'
import { type DeskNotice, Notice } from './notices.tsx'
import type { MailRow, UserAtDesk } from './read-user.ts'
import { describeSuppression } from './suppression-words.ts'
import { describeEntry, KIND_WORDS } from './timeline-words.ts'

interface Props {
  readonly brand: Brand
  readonly found: UserAtDesk
  readonly notice?: DeskNotice | undefined
  /** What is wrong with the form that came back, and what was typed into it. */
  readonly returned?:
    | { readonly reason?: string | undefined; readonly errors: FieldErrors }
    | undefined
}

/** As many as are looked at one by one; the timeline has the rest. */
const SHOWN_MAILS = 10

/** The page of a user. */
export function UserPage({ brand, found, notice, returned }: Props) {
  const { user, timeline } = found
  return (
    <DeskPage brand={brand} title={user.email}>
      <h1>{user.email}</h1>
      <Notice name={notice} />
      {returned?.errors.form && (
        <p class="error" role="alert">
          {returned.errors.form}
        </p>
      )}
      <div class="columns">
        <div>
          <Facts found={found} />
          <Mails mails={found.mails} />
        </div>
        <Actions found={found} returned={returned} />
      </div>
      <Section id="timeline" title="Timeline">
        {!timeline.isComplete && <p class="quiet">Older entries are left out.</p>}
        {timeline.entries.length === 0 ? (
          <p>Nothing is recorded.</p>
        ) : (
          <ol class="timeline">
            {timeline.entries.map((entry) => (
              <Entry entry={entry} />
            ))}
          </ol>
        )}
      </Section>
    </DeskPage>
  )
}

function Facts({ found }: { readonly found: UserAtDesk }) {
  const { user, rivals, sessionCount, suppressions } = found
  return (
    <dl class="facts">
      <dt>State</dt>
      <dd>
        {user.emailVerifiedAt === null ? (
          <span class="state">Not verified yet</span>
        ) : (
          <>
            <span class="state good">Verified</span> <Instant at={user.emailVerifiedAt} />
          </>
        )}
      </dd>
      {user.pendingEmail !== null && (
        <>
          <dt>Changing to</dt>
          <dd>{user.pendingEmail}, not confirmed yet</dd>
        </>
      )}
      <dt>Registered</dt>
      <dd>
        <Instant at={user.createdAt} />
      </dd>
      <dt>Sessions</dt>
      <dd>{String(sessionCount)}</dd>
      <dt>Suppression</dt>
      <dd>
        {suppressions.length === 0
          ? 'None'
          : suppressions.map((one) => (
              <>
                <span class="state bad">Suppressed.</span> {one.email}: {describeSuppression(
                  one,
                )}{' '}
              </>
            ))}
      </dd>
      {rivals.length > 0 && (
        <>
          <dt>Same address</dt>
          <dd>
            {rivals.map((rival) => (
              <>
                <a href={`/admin/users/${rival.id}`}>
                  {rival.emailVerifiedAt === null ? 'Another claim' : 'The owner'}
                </a>{' '}
                since <Instant at={rival.createdAt} />{' '}
              </>
            ))}
          </dd>
        </>
      )}
      <dt>Id</dt>
      <dd>
        <code>{user.id}</code>
      </dd>
      <dt>Data</dt>
      <dd>
        <a href={`/admin/users/${user.id}/export`}>Export all that is stored</a>
      </dd>
    </dl>
  )
}

function Mails({ mails }: { readonly mails: readonly MailRow[] }) {
  return (
    <Section id="mails" title="Last mails">
      {mails.length === 0 ? (
        <p>None.</p>
      ) : (
        <ul class="list">
          {mails.slice(0, SHOWN_MAILS).map((mail) => (
            <Mail mail={mail} />
          ))}
        </ul>
      )}
    </Section>
  )
}

function Mail({ mail }: { readonly mail: MailRow }) {
  return (
    <li>
      <MailFacts mail={mail} />
      {mail.state === 'failed' && (
        <button
          type="submit"
          class="plain"
          form="actions"
          formaction={`/admin/mails/${mail.id}/retry`}
          aria-label={retryLabel(mail)}
        >
          Retry
        </button>
      )}
    </li>
  )
}

/**
 * What a button to retry a mail is called, so that no two are called alike.
 * @param mail the one it retries
 */
export function retryLabel({ kind, toEmail, createdAt }: MailRow): string {
  const at = new Date(createdAt).toISOString().slice(0, 19).replace('T', ' ')
  return `Retry the ${KIND_WORDS[kind].toLowerCase()} to ${toEmail} of ${at} UTC`
}

/** Errors that are marks of our own. */
const ERRORS: Readonly<Record<string, string>> = {
  [WITHHELD]: 'withheld, the limit per address was reached',
  [DAILY_CAP]: 'waits for tomorrow, the cap on mails a day was reached',
}

/** What is known of a mail; `link` leads to its user. */
export function MailFacts({ mail, link }: { readonly mail: MailRow; readonly link?: boolean }) {
  const isBad = ['failed', 'bounced', 'complained', 'suppressed'].includes(mail.state)
  return (
    <div>
      <p>
        {KIND_WORDS[mail.kind]} to{' '}
        {link && mail.userId !== null ? (
          <a href={`/admin/users/${mail.userId}`}>{mail.toEmail}</a>
        ) : (
          mail.toEmail
        )}
        : <span class={isBad ? 'state bad' : 'state'}>{mail.state}</span>
        {mail.stalledAt !== null && <span class="state bad"> and silent since</span>}
      </p>
      <p class="quiet">
        <Instant at={mail.createdAt} />
        {`, ${mail.attempts} ${mail.attempts === 1 ? 'attempt' : 'attempts'}`}
        {mail.provider !== null && `, ${mail.provider}`}
        {mail.error !== null && `: ${ERRORS[mail.error] ?? mail.error}`}
      </p>
      <p class="quiet">
        Mail <code>{mail.id}</code>
        {mail.providerMessageId !== null && (
          <>
            , at the provider <code>{mail.providerMessageId}</code>
          </>
        )}
      </p>
    </div>
  )
}

function Actions({ found, returned }: Pick<Props, 'found' | 'returned'>) {
  const { user, suppressions } = found
  const isVerified = user.emailVerifiedAt !== null
  const waits = !isVerified || user.pendingEmail !== null
  const at = `/admin/users/${user.id}`
  return (
    <Section id="do" title="Actions">
      <form id="actions" method="post">
        <input type="hidden" name="user" value={user.id} />
        <ReasonField value={returned?.reason} error={returned?.errors.reason} />
        {waits && (
          <p>
            <Button to={`${at}/resend`} name="kind" value="verify">
              Send the link to confirm
            </Button>
            <Button to={`${at}/link`} name="purpose" value="verify">
              Show a link to confirm
            </Button>
          </p>
        )}
        <p>
          <Button to={`${at}/resend`} name="kind" value="reset">
            Send a reset link
          </Button>
          <Button to={`${at}/link`} name="purpose" value="reset" class="danger">
            Show a reset link
          </Button>
        </p>
        {suppressions.length > 0 && (
          <p>
            <Button to={`${at}/lift-suppression`}>Lift the suppression</Button>
          </p>
        )}
        {!isVerified && (
          <p>
            <Button to={`${at}/verify`} class="danger">
              Mark as verified
            </Button>
          </p>
        )}
      </form>
      <p class="quiet">
        Mails from here go out beyond the limit per address, and count towards it. Whoever has a
        reset link has the account.
      </p>
    </Section>
  )
}

function Button(props: {
  readonly to: string
  readonly name?: string
  readonly value?: string
  readonly class?: string
  readonly children: string
}) {
  const { to, name, value, class: look = 'plain', children } = props
  return (
    <>
      <button type="submit" class={look} formaction={to} {...{ name, value }}>
        {children}
      </button>{' '}
    </>
  )
}

function Entry({ entry }: { readonly entry: TimelineEntry }) {
  const [words, tone] = describeEntry(entry)
  const { at, mailKind, toEmail, provider, providerMessageId, actor, detail, messageId } = entry
  return (
    <li class={tone === 'plain' ? undefined : tone}>
      <p>
        <Instant at={at} /> <strong>{words}</strong>
        {actor !== null && ` by ${actor}`}
        {mailKind !== null && ` (${KIND_WORDS[mailKind].toLowerCase()} to ${toEmail})`}
      </p>
      {detail !== null && detail !== providerMessageId && <p>{detail}</p>}
      {messageId !== null && (
        <p class="quiet">
          {provider !== null && `${provider}, `}mail <code>{messageId}</code>
          {providerMessageId !== null && (
            <>
              , at the provider <code>{providerMessageId}</code>
            </>
          )}
        </p>
      )}
    </li>
  )
}
