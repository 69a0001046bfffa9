import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { contrast, readableOn } from '../../src/contrast.ts'
import { de } from '../../src/mail/messages/de.ts'
import { en } from '../../src/mail/messages/en.ts'
import { escapeHtml } from '../../src/mail/messages/layout.ts'
import {
  type Brand,
  type MailContent,
  renderMessage,
} from '../../src/mail/messages/render-message.ts'
import { type Locale, locales } from '../../src/schema.ts'

const mainUrl = 'https://app.example.com/verify?lang=en&token=abc.def-_1'
const quietUrl = 'https://app.example.com/other?lang=en&token=ghi.jkl-_2'
const brand: Brand = { appName: 'Example', color: '#1f5fbf', supportEmail: 'help@example.com' }
const address = 'ada@example.com'

/** Every kind, around the URL of its main action. */
const kinds: { [K in MailContent['kind']]: (url: string) => MailContent & { kind: K } } = {
  verify_email: (url) => ({
    kind: 'verify_email',
    url,
    ttlMs: 86_400_000,
    disownUrl: quietUrl,
  }),
  account_exists: (url) => ({ kind: 'account_exists', signInUrl: url, forgotUrl: quietUrl }),
  reset_password: (url) => ({ kind: 'reset_password', url, ttlMs: 3_600_000 }),
  reset_after_undo: (url) => ({ kind: 'reset_after_undo', url, ttlMs: 3_600_000 }),
  change_email: (url) => ({ kind: 'change_email', url, ttlMs: 3_600_000 }),
  email_change_notice: (url) => ({
    kind: 'email_change_notice',
    newAddress: 'g***@example.org',
    undoUrl: url,
    ttlMs: 604_800_000,
  }),
  password_changed_notice: (url) => ({ kind: 'password_changed_notice', forgotUrl: url }),
}
const allKinds = Object.entries(kinds)
const everyMail = locales.flatMap((locale) =>
  allKinds.map(([kind, contentOf]) => [kind, locale, contentOf] as const),
)

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

describe.each(everyMail)('%s in %s', (_, locale, contentOf) => {
  const render = (given: Partial<Brand> & { address?: string } = {}, url = mainUrl) =>
    renderMessage({ ...brand, ...given }, locale, given.address ?? address, contentOf(url))

  it('S8: has the raw URL in its text, alone on a line, before any other', () => {
    const { text } = render()
    expect(text.split('\n')).toContain(mainUrl)
    expect(text.match(/https?:\/\/\S+/)?.[0]).toBe(mainUrl)
  })

  it('S8: has the raw URL in its HTML, to read and to click', () => {
    const { html } = render()
    expect(textOf(html).split(/\s+/)).toContain(mainUrl)
    expect(html).toContain(`href="${escapeHtml(mainUrl)}"`)
  })

  it('says the same in both: the product, the address, the ways to go, whom to ask', () => {
    const { text, html } = render()
    for (const body of [text, textOf(html)]) {
      expect(body).toContain('Example')
      expect(body).toContain(address)
      expect(body).toContain('help@example.com')
    }
    expect(html.includes(escapeHtml(quietUrl))).toBe(text.includes(quietUrl))
  })

  it('names its language, also where <html> is dropped', () => {
    const { html } = render()
    expect(html).toContain(`<html lang="${locale}">`)
    expect(html).toContain(`<table role="presentation" lang="${locale}"`)
  })

  it('F12: loads nothing and links nowhere else: no image, no script, no tracker', () => {
    const { html } = render()
    expect(html).not.toMatch(/<(img|script|link|iframe|form)|src=|url\(|@import/i)
    const known = [mainUrl, quietUrl].map(escapeHtml)
    const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)
    expect(links[0]).toBe(known[0])
    expect(links.at(-1)).toBe('mailto:help@example.com')
    for (const href of links.slice(1, -1)) expect(href).toBe(known[1])
    for (const [found] of html.matchAll(/https?:\/\/[^"<\s]+/g)) expect(known).toContain(found)
  })

  it('has no line for questions where nobody takes them', () => {
    const { text, html } = render({ supportEmail: null })
    expect(html).not.toContain('mailto:')
    expect(text).not.toMatch(/Questions|Fragen/)
  })

  it('escapes markup in the name of the product and in the addresses', () => {
    const given = {
      appName: `<img src=x onerror="a('b')">&co`,
      address: '<b>\'@"&x',
      supportEmail: '<i>"$&@example.com',
    }
    const { html, subject, text } = render(given)
    expect(html).not.toMatch(/<img|<b>|<i>|onerror="/)
    expect(html).toContain('&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;co')
    expect(html).toContain('&lt;b&gt;&#39;@&quot;&amp;x')
    expect(html).toContain('>&lt;i&gt;&quot;$&amp;@example.com</a>')
    // A subject and a text body are no HTML.
    expect(subject).toContain(given.appName)
    expect(text).toContain(given.address)
  })

  it('keeps a URL from ending its attribute', () => {
    const { html } = render({}, 'https://app.example.com/"onmouseover="alert(1)')
    expect(html).not.toContain('"onmouseover')
  })

  it('has no markup of a given name or address, whatever they are', () => {
    const shape = (html: string) => html.match(/<[^>]*>/g)
    const expected = shape(render({}, 'https://x.example/').html)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (appName, address) => {
        const { html } = render({ appName, address }, 'https://x.example/')
        expect(shape(html)).toEqual(expected)
      }),
    )
  })

  it('F14: has a subject of one line, whatever the product is called', () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.string({ unit: fc.constantFrom(...'a \r\n\t\0\u000b\u000c\u0085\u2028\u2029ü') }),
    )
    fc.assert(
      fc.property(odd, (appName) => {
        expect(render({ appName }).subject).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
      }),
    )
  })

  it('leaves every name as it is that the configuration takes', () => {
    const settings = {
      ENVIRONMENT: 'production',
      APP_BASE_URL: 'https://auth.example.com',
      MAIL_FROM: 'noreply@example.com',
      TOKEN_KEYS: `k1:${'A'.repeat(43)}`,
      PASSWORD_KEY: 'A'.repeat(43),
      SENDGRID_API_KEY: 'SG.key',
    }
    for (const APP_NAME of ['Example', 'Ünïcode & Söhne', "O'Reilly <3", '日本語', '🦊']) {
      const result = parseConfig({ ...settings, APP_NAME })
      if (!result.ok) throw new Error(JSON.stringify(result.problems))
      expect(render({ appName: result.config.APP_NAME }).subject).toContain(APP_NAME)
    }
  })

  it('gives the button the colour of the brand and text that can be read on it', () => {
    for (const color of ['#000000', '#ffffff', '#1f5fbf', '#ffd33d', '#777777', '#e8590c']) {
      const [, background = '', text = ''] =
        /background:(#\w{6});[^>]*><a href="[^"]*" style="[^"]*color:(#\w{6})/.exec(
          render({ color }).html,
        ) ?? []
      expect(background).toBe(color)
      expect(contrast(background, text)).toBeGreaterThanOrEqual(4.5)
    }
  })

  it('gives a button an edge where its colour is that of the card, in the light and in the dark', () => {
    const light = /class="button"[^>]*border:1px solid (#\w{6})/
    const dark = /\.button \{ border-color: (#\w{6})/
    for (const [color, edge] of [
      ['#ffffff', light],
      ['#1d2126', dark],
      ['#000000', dark],
    ] as const) {
      expect(edge.exec(render({ color }).html)?.[1]).not.toBe(color)
    }
    expect(light.exec(render().html)?.[1]).toBe(brand.color)
    expect(dark.exec(render().html)?.[1]).toBe(brand.color)
  })

  it('is made for narrow and for dark screens', () => {
    const { html } = render()
    expect(html).toContain('name="viewport"')
    expect(html).toContain('overflow-wrap:anywhere')
    expect(html).toContain('@media (prefers-color-scheme: dark)')
    // A fixed width would be wider than some screen.
    expect(html).not.toMatch(/[";]width:\d+px|width="\d+"/)
  })
})

describe('the languages', () => {
  it.each(locales)('%s has a subject of its own for every kind', (locale) => {
    const subjects = allKinds.map(
      ([, contentOf]) => renderMessage(brand, locale, address, contentOf(mainUrl)).subject,
    )
    expect(new Set(subjects).size).toBe(allKinds.length)
    for (const subject of subjects) expect(subject).toContain('Example')
  })

  it.each(allKinds)('have no line of %s in common but what is given to both', (_, contentOf) => {
    const linesOf = (locale: Locale) => {
      const mail = renderMessage(brand, locale, address, contentOf(mainUrl))
      return [mail.subject, ...mail.text.split('\n')]
    }
    const english = linesOf('en')
    const given = ['', mainUrl, quietUrl, '-- ', 'Example']
    expect(linesOf('de').filter((line) => english.includes(line) && !given.includes(line))).toEqual(
      [],
    )
  })
})

describe('what a mail says', () => {
  const textFor = (kind: keyof typeof kinds, locale: Locale = 'en') =>
    renderMessage(brand, locale, address, kinds[kind](mainUrl)).text
  const subjectOf = (kind: keyof typeof kinds) =>
    renderMessage(brand, 'en', address, kinds[kind](mainUrl)).subject

  it('keeps the subjects that people search for', () => {
    expect(subjectOf('verify_email')).toBe('Confirm your e-mail address for Example')
    expect(subjectOf('account_exists')).toBe('You already have an account at Example')
  })

  it('names how long a link works', () => {
    expect(textFor('verify_email')).toContain('The link works for 24 hours.')
    expect(textFor('verify_email', 'de')).toContain('Der Link gilt 24 Stunden.')
    expect(textFor('reset_password')).toContain('The link works for 1 hour, and only once.')
    expect(textFor('reset_password', 'de')).toContain('Der Link gilt 1 Stunde und nur einmal.')
    expect(textFor('change_email')).toContain('The link works for 1 hour.')
    expect(textFor('email_change_notice')).toContain('The link works for 7 days,')
    expect(textFor('email_change_notice', 'de')).toContain('Der Link gilt 7 Tage,')
  })

  it('tells somebody who did not ask for it what to do', () => {
    for (const [kind] of allKinds) {
      const text = textFor(kind as keyof typeof kinds)
      expect(text).toMatch(/[Ii]f (this|it) was not/)
      expect(textFor(kind as keyof typeof kinds, 'de')).toMatch(/Wenn (Sie das nicht waren|nicht,)/)
    }
  })

  it('lets somebody who did not sign up say so', () => {
    expect(textFor('verify_email')).toContain(`I did not sign up:\n${quietUrl}`)
    expect(textFor('verify_email', 'de')).toContain(`Ich habe mich nicht registriert:\n${quietUrl}`)
  })

  it('shows the old address the new one as it is given: masked', () => {
    expect(textFor('email_change_notice')).toContain(`from ${address} to g***@example.org`)
  })
})

describe('a duration for people', () => {
  it.each([
    [60_000, '1 minute', '1 Minute'],
    [900_000, '15 minutes', '15 Minuten'],
    [1_000_000, '16 minutes', '16 Minuten'],
    [3_600_000, '1 hour', '1 Stunde'],
    [5_400_000, '90 minutes', '90 Minuten'],
    [7_200_000, '2 hours', '2 Stunden'],
    [86_340_000, '1439 minutes', '1439 Minuten'],
    [86_400_000, '24 hours', '24 Stunden'],
    [90_000_000, '25 hours', '25 Stunden'],
    [172_800_000, '2 days', '2 Tage'],
    [604_800_000, '7 days', '7 Tage'],
  ])('of %i ms is %s, %s', (ms, english, german) => {
    expect(en.duration(ms)).toBe(english)
    expect(de.duration(ms)).toBe(german)
  })

  it('never promises more than there is', () => {
    const units: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }
    const durations = fc.oneof(
      fc.integer({ min: 600_000, max: 604_800_000 }),
      fc.integer({ min: 1, max: 400 }).map((hours) => hours * 3_600_000),
    )
    fc.assert(
      fc.property(durations, (ms) => {
        const [count, unit = ''] = en.duration(ms).split(' ')
        const promised = Number(count) * (units[unit.replace(/s$/, '')] ?? Number.NaN)
        expect(promised).toBeLessThanOrEqual(ms)
        expect(promised).toBeGreaterThan(ms - 60_000)
      }),
    )
  })
})

describe('the text on a button', () => {
  it('is measured as WCAG does', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
    expect(contrast('#ffffff', '#777777')).toBeCloseTo(4.48, 2)
  })

  it.each([
    ['#1f5fbf', '#ffffff'],
    ['#000000', '#ffffff'],
    ['#ffd33d', '#000000'],
    // White would do nearly as well, but not quite.
    ['#777777', '#000000'],
  ])('on %s is %s', (color, text) => {
    expect(readableOn(color)).toBe(text)
  })

  it('can be read on every colour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffff }), (rgb) => {
        const color = `#${rgb.toString(16).padStart(6, '0')}`
        expect(contrast(color, readableOn(color))).toBeGreaterThanOrEqual(4.5)
      }),
    )
  })
})
