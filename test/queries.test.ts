// What D1 bills and waits for is rows read: whatever the Worker runs finds its rows by an index, however large
// the tables are. Every statement is taken from the Worker at work, and SQLite itself is asked how it runs it.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { applyDeliveryReports } from '../src/mail/apply-reports.ts'
import { ADMIN_TOKEN } from './admin/desk.ts'
import { walkDesk } from './admin/walk.ts'
import { CONSUMER_SETTINGS, walkConsumer } from './mail/walk-consumer.ts'
import { createSigner, report, sendGridEvent, sentMail } from './mail/webhooks/support.ts'
import { type Browser, PASSWORD } from './support/browser.ts'
import { createHarness, freshAddress, type Harness } from './support/harness.ts'
import { isWholeScan } from './support/query-plans.ts'

const statements = new Map<string, number>()

beforeAll(async () => {
  await remember({}, walk)
  await remember(CONSUMER_SETTINGS, walkConsumer)
  await remember({ EMAIL_CHANGE: 'unverify_at_once' }, walkChange)
  await remember({ VERIFY_MODE: 'click' }, async (h) => {
    const ada = h.browser()
    const email = freshAddress()
    await ada.register(email)
    await h.browser().get(`/auth/verify-email?token=${await linkTo(h, email, 'auth/verify-email')}`)
    expect((await ada.session()).body.user.is_email_verified).toBe(true)
  })
  await remember({ LOGIN_REQUIRES_VERIFIED: 'true' }, async (h) => {
    const email = freshAddress()
    await h.browser().register(email)
    expect((await h.browser().login(email)).status).toBe(403)
  })
  const signer = await createSigner()
  await remember({ SENDGRID_WEBHOOK_KEYS: signer.publicKey }, async (h) => {
    const { id } = await sentMail(h)
    const bounce = sendGridEvent(h, id, 'bounce', { type: 'bounce' })
    expect((await report(h, signer, [bounce])).status).toBe(204)
    await applyDeliveryReports(h.deps, 'cloudflare', [
      { messageId: null, providerMessageId: 'x', kind: 'complaint', at: h.now, detail: null },
    ])
  })
  await remember({ ADMIN_TOKEN }, walkDesk)
})

async function remember(settings: Record<string, string>, act: (h: Harness) => Promise<void>) {
  const h = await createHarness(settings)
  await act(h)
  for (const [text, parameters] of h.bindings.sqlTexts) statements.set(text, parameters)
}

/** All that people and the machinery do in a normal day. */
async function walk(h: Harness): Promise<void> {
  const ada = h.browser()
  const email = freshAddress()
  await ada.register(email)
  await ada.register(email)
  await ok(h.browser().login(email))
  await ok(ada.session())
  await ada.get('/auth/check?verified=1')
  await ok(ada.open('/'))
  await ok(ada.post('/auth/resend-verification'))
  await ok(h.browser().post('/auth/resend-verification', { email }))
  await ok(h.browser().post('/resend-verification-email', { data: { email } }))
  const token = await linkTo(h, email, 'auth/verify-email')
  await ok(ada.get(`/auth/verify-email?token=${token}`))
  await ok(ada.open(`/auth/verify-email?token=${token}`))
  await ok(h.browser().confirm(token, PASSWORD))
  await ok(ada.confirm(token))
  h.now += 3_600_000

  await ok(h.browser().post('/auth/forgot-password', { email }))
  const reset = await linkTo(h, email, 'reset-password')
  await h.browser().open(`/reset-password?token=${reset}`)
  await ok(h.browser().post('/auth/reset-password', { token: reset, password: PASSWORD }))
  await ok(ada.login(email))
  const changed = `${PASSWORD} anew`
  const passwords = { current_password: PASSWORD, new_password: changed }
  await ok(ada.post('/auth/change-password', passwords))
  await ok(h.browser().login(email, changed))
  const { sessions } = (await ok(ada.get('/auth/sessions'))).body
  const other = sessions.find((session: { is_current: boolean }) => !session.is_current)
  await ok(ada.send('DELETE', `/auth/sessions/${other.id}`))
  await walkChange(h)
  await ok(ada.send('DELETE', '/auth/account', { json: { password: changed } }))

  const victim = freshAddress('victim')
  await h.browser().register(victim)
  const disown = await linkTo(h, victim, 'disown')
  await h.browser().open(`/disown?token=${disown}`)
  await ok(h.browser().post('/auth/disown', { token: disown }))
  const claimant = h.browser()
  await claimant.register(freshAddress())
  await h.deliverDead(h.bindings.queued.splice(0))
  await ok(claimant.send('POST', '/auth/logout'))
  await h.browser().register(freshAddress())
  h.now += 60_000
  await h.sweep()
  await ok(h.browser().get('/healthz'))
}

async function walkChange(h: Harness): Promise<void> {
  const ada = h.browser()
  const [email, next, later] = [freshAddress('old'), freshAddress('next'), freshAddress('later')]
  await ada.register(email)
  await ok(ada.confirm(await linkTo(h, email, 'auth/verify-email')))
  h.now += 3_600_000
  await ok(change(ada, next))
  await ok(ada.send('DELETE', '/auth/change-email'))
  await ok(change(ada, later))
  await ok(ada.post('/auth/resend-verification'))
  const undo = await linkTo(h, email, 'undo-email-change')
  const token = await linkTo(h, later, 'auth/verify-email')
  await ok(ada.get(`/auth/verify-email?token=${token}`))
  await ok(h.browser().confirm(token, PASSWORD))
  await ok(ada.confirm(token))
  await h.browser().open(`/undo-email-change?token=${undo}`)
  await ok(h.browser().post('/auth/undo-email-change', { token: undo }))
}

const change = (browser: Browser, new_email: string) =>
  browser.post('/auth/change-email', { new_email, password: PASSWORD })

/** A walk that stumbles would leave statements out, and nobody would notice. */
async function ok<T extends { status: number; text: string }>(answer: Promise<T>): Promise<T> {
  const got = await answer
  expect([got.status < 300, got.text]).toEqual([true, got.text])
  return got
}

async function linkTo(h: Harness, email: string, path: string): Promise<string> {
  await h.deliver()
  for (const { text } of await h.mails(email)) {
    const url = text.match(new RegExp(`https://\\S+/${path}\\?token=\\S+`))?.[0]
    if (url !== undefined) return new URL(url).searchParams.get('token') ?? ''
  }
  throw new Error(`no link to ${path}`)
}

async function all<T>(query: string, parameters = 0): Promise<T[]> {
  const values = Array<null>(parameters).fill(null)
  return (
    await env.DB.prepare(query)
      .bind(...values)
      .all<T>()
  ).results
}

describe('every statement finds its rows by an index', () => {
  it('there are statements to judge, of every table', async () => {
    expect(statements.size).toBeGreaterThan(70)
    const ours = await ourTables()
    expect(ours.length).toBeGreaterThanOrEqual(6)
    for (const name of ours) {
      expect([name, [...statements.keys()].some((text) => text.includes(`"${name}"`))]).toEqual([
        name,
        true,
      ])
    }
  })

  it('none walks through a whole table or a whole index', async () => {
    const partial = new Set(
      (
        await all<{ name: string }>(
          "select name from sqlite_master where type = 'index' and sql like '% where %'",
        )
      ).map(({ name }) => name),
    )
    const offences: { sql: string; plan: string[] }[] = []
    for (const [sql, parameters] of statements) {
      const plan = (await all<{ detail: string }>(`explain query plan ${sql}`, parameters)).map(
        ({ detail }) => detail,
      )
      if (plan.some((step) => isWholeScan(step, partial))) offences.push({ sql, plan })
    }
    expect(offences).toEqual([])
  })

  it('what a deletion drags along is found by an index too: every foreign key has one', async () => {
    const keys: [table: string, column: string, hasIndex: boolean][] = []
    for (const table of await ourTables()) {
      const indexes = await all<{ name: string; partial: number }>(`pragma index_list(${table})`)
      const leading = new Set<string | undefined>()
      for (const { name, partial } of indexes) {
        const [first] = await all<{ name: string }>(`pragma index_info(${name})`)
        if (partial === 0) leading.add(first?.name)
      }
      for (const { from } of await all<{ from: string }>(`pragma foreign_key_list(${table})`)) {
        keys.push([table, from, leading.has(from)])
      }
    }
    expect(keys.length).toBeGreaterThanOrEqual(3)
    expect(keys.filter(([, , hasIndex]) => !hasIndex)).toEqual([])
  })
})

async function ourTables(): Promise<string[]> {
  const tables = await all<{ name: string }>("select name from sqlite_master where type = 'table'")
  return tables.map(({ name }) => name).filter((name) => !/^(d1_|_cf_|sqlite_)/.test(name))
}
