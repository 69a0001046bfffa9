import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { accountExistsMail } from '../../src/mail/messages/account-exists.ts'
import { escapeHtml } from '../../src/mail/messages/layout.ts'
import { describeDuration, verifyEmailMail } from '../../src/mail/messages/verify-email.ts'

const url = 'https://app.example.com/verify?lang=en&token=abc.def-_1'
const plain = { appName: 'Example', address: 'ada@example.com' }

const kinds = [
  [
    'the verification mail',
    (given: typeof plain, link = url) =>
      verifyEmailMail({ ...given, url: link, ttlMs: 86_400_000 }),
  ],
  [
    'the mail to an existing account',
    (given: typeof plain, link = url) => accountExistsMail({ ...given, signInUrl: link }),
  ],
] as const

/** What a reader of the HTML sees. */
function textOf(html: string): string {
  return html
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

describe.each(kinds)('%s', (_, render) => {
  it('S8: has the raw URL in its text, alone on a line', () => {
    expect(render(plain).text.split('\n')).toContain(url)
  })

  it('S8: has the raw URL in its HTML, to read and to click', () => {
    const { html } = render(plain)
    expect(textOf(html).split(/\s+/)).toContain(url)
    expect(html).toContain(`href="${escapeHtml(url)}"`)
  })

  it('says the same in both: the product, the address, the action', () => {
    const { text, html } = render(plain)
    for (const body of [text, textOf(html)]) {
      expect(body).toContain('Example')
      expect(body).toContain('ada@example.com')
    }
  })

  it('F12: loads nothing and links nowhere else: no image, no script, no tracker', () => {
    const { html } = render(plain)
    expect(html).not.toMatch(/<(img|script|link|iframe|form)|src=|url\(|@import/i)
    expect(html.match(/href=/g)).toHaveLength(1)
    expect(html.match(/https?:\/\/[^"<\s]+/g)?.every((found) => found === escapeHtml(url))).toBe(
      true,
    )
  })

  it('escapes markup in the name of the product and in the address', () => {
    const given = { appName: `<img src=x onerror="a('b')">&co`, address: '<b>\'@"&x' }
    const { html, subject } = render(given)
    expect(html).not.toMatch(/<img|<b>|onerror="/)
    expect(html).toContain('&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;co')
    expect(html).toContain('&lt;b&gt;&#39;@&quot;&amp;x')
    // A subject and a text body are no HTML.
    expect(subject).toContain(given.appName)
    expect(render(given).text).toContain(given.address)
  })

  it('keeps a URL from ending its attribute', () => {
    const { html } = render(plain, 'https://app.example.com/"onmouseover="alert(1)')
    expect(html).not.toContain('"onmouseover')
  })

  it('has no markup of a given name or address, whatever they are', () => {
    const shape = (html: string) => html.match(/<[^>]*>/g)
    const url = 'https://x.example/'
    const expected = shape(render(plain, url).html)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (appName, address) => {
        expect(shape(render({ appName, address }, url).html)).toEqual(expected)
      }),
    )
  })

  it('F14: has a subject of one line for every product name that the configuration takes', () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.string({ unit: fc.constantFrom(...'a \r\n\t\0\u000b\u000c\u0085ü') }),
    )
    const settings = {
      ENVIRONMENT: 'production',
      APP_BASE_URL: 'https://auth.example.com',
      MAIL_FROM: 'noreply@example.com',
      TOKEN_KEYS: `k1:${'A'.repeat(43)}`,
      PASSWORD_KEY: 'A'.repeat(43),
      MAIL_API_KEY: 'SG.key',
    }
    let taken = 0
    fc.assert(
      fc.property(odd, (APP_NAME) => {
        const result = parseConfig({ ...settings, APP_NAME })
        if (!result.ok) return
        taken++
        const { subject } = render({ ...plain, appName: result.config.APP_NAME })
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(subject).not.toMatch(/[\u0000-\u001f\u007f\u0085]/)
        expect(subject).toContain(APP_NAME)
      }),
    )
    expect(taken).toBeGreaterThan(0)
  })
})

describe('what a verification mail says', () => {
  it('names how long the link works', () => {
    const { text } = verifyEmailMail({ ...plain, url, ttlMs: 900_000 })
    expect(text).toContain('The link works for 15 minutes.')
  })

  it('tells somebody who did not sign up that nothing happens', () => {
    const { text } = verifyEmailMail({ ...plain, url, ttlMs: 900_000 })
    expect(text).toContain('If this was not you')
  })
})

describe('a duration for people', () => {
  it.each([
    [60_000, '1 minute'],
    [900_000, '15 minutes'],
    [1_000_000, '16 minutes'],
    [3_600_000, '1 hour'],
    [5_400_000, '90 minutes'],
    [7_200_000, '2 hours'],
    [86_400_000, '24 hours'],
  ])('of %i ms is %s', (ms, words) => {
    expect(describeDuration(ms)).toBe(words)
  })

  it('never promises more than there is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 900_000, max: 86_400_000 }), (ms) => {
        const [count, unit] = describeDuration(ms).split(' ')
        const promised = Number(count) * (unit?.startsWith('hour') ? 3_600_000 : 60_000)
        expect(promised).toBeLessThanOrEqual(ms)
        expect(promised).toBeGreaterThan(ms - 60_000)
      }),
    )
  })
})
