// The journey of one new user, step by step over HTTP, each step saying whether it held.

import { randomUUID } from 'node:crypto'
import { fetchText } from './fetch-text.ts'

/** How it went: every step held, one did not, or the mail cannot be read from here. */
export type Journey = 'held' | 'failed' | 'unseen'

/** A mail as `/dev/mailbox.json` lists it. */
interface Mail {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** An answer, as far as it matters here. */
interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The parsed body, or null where it is no JSON object. */
  readonly body: Readonly<Record<string, unknown>> | null
  /** The body as it came. */
  readonly text: string
}

const MAIL_TIMEOUT_MS = 20_000
const REPORT_TIMEOUT_MS = 20_000
const POLL_MS = 250

/** A step that did not hold. The steps after it build on it, so it ends the journey. */
class StepFailed extends Error {
  readonly step: string
  constructor(step: string, expected: string, got: string) {
    super(`expected  ${expected}\ngot       ${got}`)
    this.step = step
  }
}

/**
 * Walks through it and prints a line a step.
 * @param url the Worker's origin, without a slash at the end
 */
export async function runJourney(url: string): Promise<Journey> {
  console.log(`The journey of a new user at ${url}\n`)
  try {
    return await walk(url)
  } catch (error) {
    if (error instanceof StepFailed) {
      console.log(`✗ ${error.step}\n${indent(error.message)}\n\nThe journey ended there.`)
    } else {
      console.log(`✗ ${reasonOf(error)}`)
    }
    return 'failed'
  }
}

async function walk(url: string): Promise<Journey> {
  const email = `demo-${randomUUID()}@example.com`
  const password = randomUUID()

  const registered = await post(`${url}/auth/register`, { email, password, transport: 'bearer' })
  const first = tokenIn(registered)
  hold(
    `register ${email}`,
    '201 verification_sent with a session token',
    registered,
    registered.status === 201 && first !== null,
  )
  const before = await get(`${url}/auth/check?verified=1`, first)
  hold(
    'the gated route is closed',
    '403 email_not_verified',
    before,
    before.status === 403 && before.body?.error === 'email_not_verified',
  )

  const mail = await mailTo(url, email)
  if (mail === null) {
    console.log(`
This Worker has no development mailbox, so the mail is not visible from here, and with it the rest:
that the link arrived, that it can be confirmed, and that the gate opens. Nothing that could be seen failed.`)
    return 'unseen'
  }
  held(`the mail arrived, from ${mail.from} to ${mail.to}: ${mail.subject}`)
  console.log(`\n${indent(mail.text)}\n`)
  const link = /\bhttps?:\/\/[^\s<>"]+/.exec(mail.text)?.[0] ?? ''
  const token = URL.parse(link)?.searchParams.get('token') ?? ''
  if (token === '') throw new StepFailed('the mail has a link', 'a URL with ?token=', `"${link}"`)
  await untilState('the mail is reported delivered', url, first, 'delivered')

  const opened = await get(link, null)
  hold(
    'opening the link only asks to confirm',
    '200 confirm_required',
    opened,
    opened.status === 200 && opened.body?.status === 'confirm_required',
  )
  const after = await get(`${url}/auth/session`, first)
  hold(
    'it changed nothing: the address is still unverified',
    '200 with user.is_email_verified false',
    after,
    after.status === 200 && userIn(after)?.is_email_verified === false,
  )
  const stranger = await post(`${url}/auth/verify-email`, { token })
  hold(
    'a stranger with the link, but no session and no password, is refused',
    '403 proof_required',
    stranger,
    stranger.status === 403 && stranger.body?.error === 'proof_required',
  )
  const confirmed = await post(`${url}/auth/verify-email`, { token }, first)
  const second = tokenIn(confirmed)
  hold(
    'the one who registered confirms, and gets a new session',
    '200 verified with another session token',
    confirmed,
    confirmed.status === 200 &&
      confirmed.body?.status === 'verified' &&
      second !== null &&
      second !== first,
  )
  const again = await post(`${url}/auth/verify-email`, { token }, second)
  hold(
    'confirming again is harmless',
    '200 already_verified',
    again,
    again.status === 200 && again.body?.status === 'already_verified',
  )
  // Each proof of the claim brings a new session in place of the one that was shown.
  const open = await get(`${url}/auth/check?verified=1`, tokenIn(again) ?? second)
  hold(
    'the gated route is open',
    '200 with X-Auth-Email-Verified: true',
    open,
    open.status === 200 && open.headers.get('X-Auth-Email-Verified') === 'true',
  )

  const lost = await post(`${url}/auth/register`, {
    email: `bounce-${randomUUID()}@example.com`,
    password,
    transport: 'bearer',
  })
  hold('register an address that does not exist', '201', lost, lost.status === 201)
  await untilState('its mail is reported bounced', url, tokenIn(lost), 'bounced')
  console.log('\nEvery step held.')
  return 'held'
}

function held(step: string): void {
  console.log(`✓ ${step}`)
}

function hold(step: string, expected: string, answer: Answer, isHeld: boolean): void {
  if (!isHeld) throw new StepFailed(step, expected, `${answer.status} ${answer.text.slice(0, 500)}`)
  held(step)
}

/** Polls the mailbox. Null where the Worker has none. */
async function mailTo(url: string, email: string): Promise<Mail | null> {
  const deadline = Date.now() + MAIL_TIMEOUT_MS
  const mailbox = `${url}/dev/mailbox.json?to=${encodeURIComponent(email)}`
  while (Date.now() < deadline) {
    const response = await request(mailbox, { headers: { Accept: 'application/json' } })
    if (response.status === 404) return null
    const mails: unknown = response.status === 200 ? JSON.parse(response.text) : null
    if (!Array.isArray(mails)) {
      throw new StepFailed(
        'the mailbox can be read',
        '200 with a list',
        `${response.status} ${response.text.slice(0, 500)}`,
      )
    }
    if (mails[0] !== undefined) return mails[0]
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new StepFailed(
    'the mail arrived',
    `a mail to ${email} within ${MAIL_TIMEOUT_MS / 1000} seconds`,
    'none',
  )
}

/** Polls until the provider's report has arrived. */
async function untilState(
  step: string,
  url: string,
  session: string | null,
  state: string,
): Promise<void> {
  const deadline = Date.now() + REPORT_TIMEOUT_MS
  for (;;) {
    const answer = await get(`${url}/auth/session`, session)
    const isThere = asObject(answer.body?.mail)?.state === state
    if (isThere || Date.now() > deadline) {
      return hold(
        step,
        `200 with mail.state "${state}" within ${REPORT_TIMEOUT_MS / 1000} seconds`,
        answer,
        isThere,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

function get(url: string, session: string | null): Promise<Answer> {
  return request(url, { headers: { Accept: 'application/json', ...bearer(session) } })
}

function post(url: string, body: unknown, session: string | null = null): Promise<Answer> {
  return request(url, {
    method: 'POST',
    headers: {
      Accept: 'application/json',
      'Content-Type': 'application/json',
      ...bearer(session),
    },
    body: JSON.stringify(body),
  })
}

async function request(url: string, init: RequestInit): Promise<Answer> {
  const { response, text } = await fetchText(url, {
    ...init,
    redirect: 'manual',
    signal: AbortSignal.timeout(30_000),
  })
  return { status: response.status, headers: response.headers, body: objectIn(text), text }
}

function bearer(session: string | null): { Authorization?: string } {
  return session === null ? {} : { Authorization: `Bearer ${session}` }
}

function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return null
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null ? { ...value } : null
}

function tokenIn(answer: Answer): string | null {
  const token = asObject(answer.body?.session)?.token
  return typeof token === 'string' ? token : null
}

function userIn(answer: Answer): Readonly<Record<string, unknown>> | null {
  return asObject(answer.body?.user)
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ')
}

/** `fetch` says only "fetch failed" and keeps the reason in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
