import { describe, expect, it } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { createHarness, freshAddress } from '../support/harness.ts'

const APP = 'https://app.testproof.dev'

describe('CORS', () => {
  it('lets listed origins call with credentials, and no others', async () => {
    const h = await createHarness({ ALLOWED_ORIGINS: `${APP}, https://admin.testproof.dev` })
    const preflight = (origin: string) =>
      h.fetch('/auth/register', {
        method: 'OPTIONS',
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      })
    const allowed = await preflight(APP)
    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('Access-Control-Allow-Origin')).toBe(APP)
    expect(allowed.headers.get('Access-Control-Allow-Credentials')).toBe('true')
    expect(allowed.headers.get('Access-Control-Allow-Headers')).toContain('Content-Type')
    for (const origin of [
      'https://evil.example',
      'null',
      `${APP}.evil.example`,
      'http://app.testproof.dev',
    ]) {
      const refused = await preflight(origin)
      expect(refused.headers.get('Access-Control-Allow-Origin')).toBeNull()
    }
    const json = { email: freshAddress(), password: PASSWORD }
    const headers = { Origin: APP }
    const registered = await h.browser().send('POST', '/auth/register', { json, headers })
    expect(registered.status).toBe(201)
    expect(registered.headers.get('Access-Control-Allow-Origin')).toBe(APP)
    expect(registered.headers.get('Vary')).toContain('Origin')
  })

  it('lets them read what went wrong as well: a body that is too large, no session, a wrong method', async () => {
    const h = await createHarness({ ALLOWED_ORIGINS: APP })
    const headers = { Origin: APP, 'Content-Type': 'application/json' }
    const large = await h.fetch('/auth/register', {
      method: 'POST',
      headers: { ...headers, 'Content-Length': '17000' },
      body: 'x'.repeat(17_000),
    })
    const answers = [
      large,
      await h.fetch('/auth/session', { headers }),
      await h.fetch('/auth/session', { method: 'DELETE', headers }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([413, 401, 405])
    for (const answer of answers) {
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(APP)
    }
  })

  it('is off where no origin is listed', async () => {
    const h = await createHarness()
    const response = await h.fetch('/auth/session', { headers: { Origin: APP } })
    expect(response.headers.get('Access-Control-Allow-Origin')).toBeNull()
  })
})

describe('the language of mails', () => {
  it('is chosen by Accept-Language at the request and kept with the message', async () => {
    const h = await createHarness()
    const subjects: Record<string, string | undefined> = {}
    for (const language of ['de-AT,de;q=0.9,en;q=0.5', 'fr, en;q=0.5', '', 'xx']) {
      const email = freshAddress()
      const headers = { 'Accept-Language': language }
      const json = { email, password: PASSWORD }
      await h.browser().send('POST', '/auth/register', { json, headers })
      await h.deliver()
      subjects[language] = (await h.mails(email))[0]?.subject
    }
    const english = 'Confirm your e-mail address for Testproof'
    expect(Object.values(subjects).slice(1)).toEqual([english, english, english])
    expect(subjects['de-AT,de;q=0.9,en;q=0.5']).toMatch(/Bestätigen/)
    expect(await h.rows("select id from messages where locale = 'de'")).toHaveLength(1)
  })
})
