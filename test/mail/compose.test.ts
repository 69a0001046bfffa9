// What a mail says of its links against what its links say of themselves.

import { describe, expect, it } from 'vitest'
import { composeMail } from '../../src/mail/compose.ts'
import { formLetterOf } from '../../src/mail/form-letters.ts'
import type { LeasedMessage } from '../../src/mail/lease-messages.ts'
import { describeDuration } from '../../src/mail/messages/duration.ts'
import { blankFor, fillIn } from '../../src/mail/messages/form-letter.ts'
import type { MailContent } from '../../src/mail/messages/render-message.ts'
import { locales } from '../../src/schema.ts'
import { type Purpose, verifyToken } from '../../src/signing/token.ts'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress } from '../support/harness.ts'

const MINUTE = 60_000
const TTLS = { VERIFY_TTL: '3h', RESET_TTL: '50m' }
const LIFETIMES = { verify: 180, change: 180, reset: 50, undo: 7 * 1440, disown: 7 * 1440 }
const MARK = blankFor('url').split('-').at(-2) ?? ''

/** What the links of each kind may do, the main one first. */
const purposes: Record<MailContent['kind'], readonly Purpose[]> = {
  verify_email: ['verify', 'disown'],
  account_exists: [],
  reset_password: ['reset'],
  reset_after_undo: ['reset'],
  change_email: ['change'],
  email_change_notice: ['undo'],
  password_changed_notice: [],
}
const kinds = Object.keys(purposes) as MailContent['kind'][]
const everyKind = locales.flatMap((locale) => kinds.map((kind) => [kind, locale] as const))

/** A claimed mail that nothing has overtaken. */
function claimed(kind: MailContent['kind'], locale: LeasedMessage['locale']): LeasedMessage {
  const isForOwner = kind === 'account_exists'
  return {
    id: '0198c0de-0000-7000-8000-000000000001',
    kind: isForOwner ? 'verify_email' : kind,
    locale,
    toEmail: 'ada@example.com',
    toFingerprint: 'fingerprint',
    newEmail: kind === 'email_change_notice' ? 'grace@example.org' : null,
    generation: 3,
    attempt: 1,
    provider: null,
    error: null,
    batchId: null,
    isRepeat: false,
    user: {
      id: '0198c0de-0000-7000-8000-000000000002',
      email: 'ada@example.com',
      pendingEmail: kind === 'change_email' ? 'ada@example.com' : null,
      emailVerifiedAt: null,
      generation: 3,
    },
    isOwnedByAnother: isForOwner,
    isSuppressed: false,
  }
}

describe.each(everyKind)('%s in %s', (kind, locale) => {
  async function written() {
    const { deps } = await createHarness(TTLS)
    const composition = await composeMail(deps, claimed(kind, locale))
    if (composition.kind !== 'send') throw new Error(composition.kind)
    return { deps, ...fillIn(composition.mail) }
  }

  it('F12: says how long its link works, and the link works so long', async () => {
    const { deps, text } = await written()
    const now = deps.now()
    const tokens = text.match(/[\w-]{80,}\.[\w-]{43}/g) ?? []
    const expected = purposes[kind]
    expect(tokens).toHaveLength(expected.length)
    const lifetimes: number[] = []
    for (const [i, purpose] of expected.entries()) {
      const checked = await verifyToken(deps.keyRing, [purpose], tokens[i] ?? '', now)
      if (!checked.ok) throw new Error(`${purpose}: ${checked.failure}`)
      expect(checked.claims.generation).toBe(3)
      lifetimes.push(checked.claims.expiresAtSeconds * 1000 - now)
    }
    expect(lifetimes).toEqual(expected.map((purpose) => LIFETIMES[purpose] * MINUTE))
    const said = text.match(/\d+ (minute|hour|day|Minute|Stunde|Tag)\w*/g) ?? []
    // Of the main link; the quiet one is not spoken of.
    expect(said).toEqual(lifetimes.slice(0, 1).map((ms) => describeDuration(locale, ms)))
  })

  it('F12: leaves no blank behind, and says to whom it goes', async () => {
    const { subject, text, html } = await written()
    expect(MARK).toMatch(/^[0-9a-f]{12}$/)
    for (const words of [subject, text, html]) expect(words).not.toContain(MARK)
    expect(text).toContain('ada@example.com')
    if (kind === 'email_change_notice') {
      expect(text).toMatch(/g\S*@example\.org/)
      expect(text).not.toContain('grace@')
    }
  })
})

describe('a mail with nothing to put into one of its blanks', () => {
  it('F8: is not sent and is tried again, and those beside it go', async () => {
    const h = await createHarness()
    const [english, german] = [freshAddress(), freshAddress()]
    await h.browser().register(english)
    await h.browser().send('POST', '/auth/register', {
      json: { email: german, password: PASSWORD },
      headers: { 'Accept-Language': 'de' },
    })
    const [first = '', second = ''] = h.bindings.queued.splice(0)
    Object.assign(formLetterOf(h.deps.config, 'de', 'verify_email'), { blanks: ['newAddress'] })
    await h.deliver({ ids: [first, second] })
    expect(await h.mails(english)).toHaveLength(1)
    expect(await h.mails(german)).toEqual([])
    const states = await h.rows<{ id: string; state: string }>('select id, state from messages')
    expect(new Map(states.map(({ id, state }) => [id, state]))).toEqual(
      new Map([
        [first, 'sent'],
        [second, 'queued'],
      ]),
    )
    expect(h.logs).toContainEqual(
      expect.objectContaining({ event: 'provider_deferred', reason: 'MissingValue' }),
    )
  })
})
