// A link made at the desk, shown this once.

import type { Brand } from '../pages/layout.tsx'
import { DeskPage } from './desk-layout.tsx'
import { Instant } from './desk-parts.tsx'
import type { LinkPurpose } from './link-target.ts'
import type { MintResult } from './mint-support-link.ts'

interface Props {
  readonly brand: Brand
  readonly userId: string
  readonly purpose: LinkPurpose
  readonly link: Extract<MintResult, { outcome: 'minted' }>
}

const TITLES: Readonly<Record<LinkPurpose, string>> = {
  verify: 'A link to confirm',
  reset: 'A reset link',
}

/** The link to copy; not one to click, here it would be opened in the wrong browser. */
export function LinkPage({ brand, userId, purpose, link }: Props) {
  return (
    <DeskPage brand={brand} title={TITLES[purpose]}>
      <h1>{TITLES[purpose]}</h1>
      <p>
        For <span class="address">{link.email}</span>, good until <Instant at={link.expiresAt} />.
        It is shown this once and kept nowhere.
      </p>
      <label for="link">Link</label>
      <textarea id="link" rows={4} readonly autofocus>
        {link.url}
      </textarea>
      <p class="hint">
        {purpose === 'reset'
          ? 'Whoever has it has the account. Be sure whom you give it to.'
          : 'It asks for the browser that registered, or for the password.'}
      </p>
      <p>
        <a href={`/admin/users/${userId}`}>Back to the user</a>
      </p>
    </DeskPage>
  )
}
