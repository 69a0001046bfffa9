// The development mailbox: what a developer reads and a test asks. Everything in a mail is a stranger's text.
import { beforeEach, describe, expect, it } from 'vitest'
import { createHarness, freshAddress, type Harness, linkIn } from '../support/harness.ts'

let h: Harness
beforeEach(async () => {
  h = await createHarness()
  await h.browser().submit('/dev/mailbox', {})
})

const DEFAULTS = { subject: 'A subject', text: 'Some text', html: '<p>Some HTML</p>' }

async function receive(to: string, mail: Partial<typeof DEFAULTS> = {}, more: object = {}) {
  const { subject, text, html } = { ...DEFAULTS, ...mail }
  const content = [
    ...(text === '' ? [] : [{ type: 'text/plain', value: text }]),
    ...(html === '' ? [] : [{ type: 'text/html', value: html }]),
  ]
  const from = { email: 'noreply@testproof.dev', name: 'Testproof' }
  const response = await h.fetch('/dev/v3/mail/send', {
    method: 'POST',
    headers: { Authorization: 'Bearer SG.a-key-for-tests', 'Content-Type': 'application/json' },
    body: JSON.stringify({
      personalizations: [{ to: [{ email: to }] }],
      from,
      subject,
      content,
      ...more,
    }),
  })
  expect(response.status).toBe(202)
  return (await h.mails(to))[0]?.id ?? ''
}

async function page(path: string) {
  const response = await h.fetch(path)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

async function list(query = '') {
  return (await h.fetch(`/dev/mailbox.json${query}`)).json<Record<string, unknown>[]>()
}

describe('/dev/mailbox.json', () => {
  it('lists exactly id, to, from, subject, text, html and received_at', async () => {
    const to = freshAddress()
    const id = await receive(to, {}, { headers: { 'X-Kind': 'test' }, custom_args: { a: 'b' } })
    const received_at = new Date(h.now).toISOString()
    const { subject, text, html } = DEFAULTS
    expect(await list()).toEqual([
      { id, to, from: 'noreply@testproof.dev', subject, text, html, received_at },
    ])
    const response = await h.fetch('/dev/mailbox.json')
    expect(response.headers.get('Content-Type')).toBe('application/json')
    expect(response.headers.get('Cache-Control')).toBe('no-store')
  })

  it('has the newest first, also of one millisecond', async () => {
    for (const subject of ['one', 'two', 'three']) await receive(freshAddress(), { subject })
    h.now += 1
    await receive(freshAddress(), { subject: 'four' })
    const subjects = (await list()).map(({ subject }) => subject)
    expect(subjects).toEqual(['four', 'three', 'two', 'one'])
  })

  it('filters by ?to=, in any case and with spaces around it, and by the whole address', async () => {
    const [ada, bob] = [freshAddress('ada'), freshAddress('bob')]
    const idOfAda = await receive(ada)
    await receive(bob)
    for (const to of [ada, ada.toUpperCase(), ` ${ada} `]) {
      const found = await list(`?to=${encodeURIComponent(to)}`)
      expect(found.map(({ id }) => id)).toEqual([idOfAda])
    }
    expect(await list(`?to=${ada.slice(1)}`)).toEqual([])
    expect(await list('?to=')).toHaveLength(2)
    expect(await list('?to=nobody@mail.example')).toEqual([])
  })
})

describe('/dev/mailbox', () => {
  it('lists the mails and links to each; an empty one says so', async () => {
    expect((await page('/dev/mailbox')).text).toContain('No mail yet.')
    const [ada, bob] = [freshAddress('ada'), freshAddress('bob')]
    const idOfAda = await receive(ada, { subject: 'For Ada' })
    const idOfBob = await receive(bob, { subject: 'For Bob' })
    const all = await page('/dev/mailbox')
    expect([all.status, all.headers.get('Content-Type')]).toEqual([200, 'text/html; charset=UTF-8'])
    const links = [...all.text.matchAll(/<a href="(\/dev\/mailbox\/[^"]+)">([^<]+)</g)]
    expect(links.map(([, href, text]) => [href, text])).toEqual([
      [`/dev/mailbox/${idOfBob}`, 'For Bob'],
      [`/dev/mailbox/${idOfAda}`, 'For Ada'],
    ])
    const one = await page(`/dev/mailbox?to=${ada}`)
    expect(one.text).toContain('For Ada')
    expect(one.text).not.toContain('For Bob')
    expect(one.text).toContain(`value="${ada}"`)
  })

  it('shows one mail: who, the link as a button, the HTML in a frame, the text, the headers', async () => {
    const to = freshAddress()
    const id = await receive(
      to,
      { text: 'Confirm: https://auth.testproof.dev/auth/verify-email?token=a.b&x=1\nBye' },
      { headers: { 'X-Kind': 'verification' }, custom_args: { message_id: 'the-id' } },
    )
    const { status, text } = await page(`/dev/mailbox/${id}`)
    expect(status).toBe(200)
    expect(text).toContain('<h1>A subject</h1>')
    expect(text).toContain('Testproof &lt;noreply@testproof.dev&gt;')
    expect(text).toContain(to)
    const href = 'https://auth.testproof.dev/auth/verify-email?token=a.b&amp;x=1'
    expect(text).toContain(`<a class="button" href="${href}" rel="noreferrer">`)
    expect(text).toContain(`src="/dev/mailbox/${id}/html"`)
    expect(text).toContain(`<pre>Confirm: ${href}\nBye</pre>`)
    expect(text).toContain('<dt>X-Kind</dt><dd>verification</dd>')
    expect(text).toContain('<dt>message_id</dt><dd>the-id</dd>')
  })

  it('S15: shows the very link that the Worker mailed', async () => {
    const email = freshAddress()
    await h.browser().register(email)
    await h.deliver()
    const [mail] = await h.mails(email)
    const { text } = await page(`/dev/mailbox/${mail?.id}`)
    expect(text).toContain(`<a class="button" href="${linkIn(mail).url}"`)
  })

  it('its button is an http link and nothing else: a javascript: link never becomes one', async () => {
    for (const text of [
      'javascript:alert(1)',
      'Open JAVASCRIPT:alert(1)//x',
      'data:text/html,<script>alert(1)</script>',
      'no link at all',
    ]) {
      const id = await receive(freshAddress(), { text })
      expect((await page(`/dev/mailbox/${id}`)).text).not.toContain('class="button"')
    }
    const id = await receive(freshAddress(), {
      text: 'javascript:alert(1) or "https://mail.example/a"onclick="alert(1)',
    })
    const { text } = await page(`/dev/mailbox/${id}`)
    expect(text).toContain('<a class="button" href="https://mail.example/a" rel="noreferrer">')
  })

  it('markup in subject, text, names and headers stays text', async () => {
    const evil = '<script>alert("x")</script>'
    const to = freshAddress()
    const id = await receive(
      to,
      { subject: evil, text: `</pre>${evil}`, html: evil },
      {
        from: { email: 'noreply@testproof.dev', name: evil },
        headers: { 'X-Evil': evil },
        custom_args: { [evil]: evil },
        tracking_settings: { [evil]: { enable: false } },
      },
    )
    for (const path of ['/dev/mailbox', `/dev/mailbox/${id}`]) {
      const { text } = await page(path)
      expect(text).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;')
      expect(text).not.toContain('<script')
    }
    const filtered = await page(`/dev/mailbox?to=${encodeURIComponent(`">${evil}`)}`)
    expect(filtered.text).toContain('&lt;script&gt;')
    expect(filtered.text).not.toContain('<script')
  })

  it('its pages run no script, load nothing from elsewhere and cannot be framed', async () => {
    const id = await receive(freshAddress())
    for (const path of ['/dev/mailbox', `/dev/mailbox/${id}`, '/dev/mailbox/none']) {
      const { headers } = await page(path)
      const csp = headers.get('Content-Security-Policy')?.split('; ')
      expect(csp).toContain("default-src 'none'")
      expect(csp).toContain("frame-ancestors 'none'")
      expect(csp?.join(' ')).not.toMatch(/script-src|unsafe|\*|https?:/)
      expect(headers.get('X-Frame-Options')).toBe('DENY')
    }
  })

  it('deletes all mails, by its own button', async () => {
    const id = await receive(freshAddress())
    await receive(freshAddress())
    const { text } = await page('/dev/mailbox')
    expect(text).toMatch(/<form method="post" action="\/dev\/mailbox">/)
    const deleted = await h.browser().submit('/dev/mailbox', {})
    expect([deleted.status, deleted.headers.get('Location')]).toEqual([303, '/dev/mailbox'])
    expect(await list()).toEqual([])
    expect((await page(`/dev/mailbox/${id}`)).status).toBe(404)
  })

  it('another site’s form deletes nothing', async () => {
    await receive(freshAddress())
    const headers = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
    const answer = await h.browser().send('POST', '/dev/mailbox', { form: { x: '1' }, headers })
    expect(answer.status).toBe(403)
    expect(await list()).toHaveLength(1)
  })

  it.each([
    'none',
    '../../etc/passwd',
    '000000000000000-00000-00000000-0000-7000-8000-000000000000',
    '%00',
  ])('404 for the id %s, of the mail and of its HTML', async (id) => {
    const path = `/dev/mailbox/${encodeURIComponent(id)}`
    for (const answer of [await page(path), await page(`${path}/html`)]) {
      expect([answer.status, answer.text.includes('No such mail')]).toEqual([404, true])
    }
  })
})

describe('the HTML of a mail', () => {
  it('is served for a frame of this origin alone, in a sandbox without scripts', async () => {
    const html =
      '<!doctype html><html><head lang="en"><title>x</title></head><body>Hi</body></html>'
    const id = await receive(freshAddress(), { html })
    const { status, headers, text } = await page(`/dev/mailbox/${id}/html`)
    expect(status).toBe(200)
    expect(headers.get('X-Frame-Options')).toBe('SAMEORIGIN')
    const csp = headers.get('Content-Security-Policy')?.split('; ') ?? []
    const sandbox = csp.find((directive) => directive.startsWith('sandbox')) ?? ''
    expect(sandbox.split(' ')).toEqual([
      'sandbox',
      'allow-popups',
      'allow-popups-to-escape-sandbox',
      'allow-top-navigation-by-user-activation',
    ])
    expect(csp).toContain("default-src 'none'")
    expect(csp).toContain("frame-ancestors 'self'")
    expect(csp.join(' ')).not.toContain('script-src')
    // As it came, but its links open outside the frame.
    expect(text).toBe(html.replace('<head lang="en">', '<head lang="en"><base target="_blank">'))

    const frame = /<iframe[^>]*>/.exec((await page(`/dev/mailbox/${id}`)).text)?.[0] ?? ''
    expect(frame).toContain(`sandbox="${sandbox.replace('sandbox ', '')}"`)
    expect(frame).not.toMatch(/allow-(scripts|same-origin|forms)/)
  })

  it('has no frame where the mail has no HTML', async () => {
    const id = await receive(freshAddress(), { html: '' })
    expect((await page(`/dev/mailbox/${id}`)).text).not.toContain('<iframe')
  })
})

describe('outside development', () => {
  it.each(['staging', 'production'])('nothing of /dev is there in %s', async (environment) => {
    const id = await receive(freshAddress())
    h = await createHarness({
      ENVIRONMENT: environment,
      SENDGRID_BASE_URL: 'https://api.sendgrid.com',
    })
    for (const path of [
      '/dev/mailbox',
      '/dev/mailbox.json',
      '/dev/mailbox.css',
      `/dev/mailbox/${id}`,
      `/dev/mailbox/${id}/html`,
      '/dev/v3/mail/send',
    ]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const headers = { Authorization: 'Bearer SG.a-key-for-tests' }
        expect((await h.fetch(path, { method, headers })).status).toBe(404)
      }
    }
  })
})
