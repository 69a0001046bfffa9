// The desk's pages as documents: what a screen reader and a keyboard need of them.
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { Harness } from '../support/harness.ts'
import { claim, deliverRefused, deskHarness, owner, personAtDesk } from './desk.ts'

/** Every page of the desk, in the state in which it shows most. */
async function pagesOf(h: Harness): Promise<[name: string, html: string][]> {
  const waiting = await claim(h)
  const settled = await owner(h)
  await h.browser().register(waiting.email)
  await deliverRefused(h)
  await env.DB.prepare("insert into suppressions values (?, 'complaint', ?, ?)")
    .bind(waiting.email, h.now, h.now + 86_400_000)
    .run()
  const stranger = h.browser()
  const desk = await personAtDesk(h)
  const at = `/admin/users/${waiting.id}`
  const query = waiting.email
  const reset = { purpose: 'reset', reason: 'lost the password' }
  return Promise.all(
    [
      ['sign in', stranger.open('/admin')] as const,
      ['sign in, wrong', stranger.submit('/admin/sign-in', { name: '', token: '' })] as const,
      ['find', desk.open('/admin?notice=lifted')] as const,
      ['find several', desk.submit('/admin/users/find', { query })] as const,
      ['find, wrong', desk.submit('/admin/users/find', { query: 'x' })] as const,
      ['lift, wrong', desk.submit('/admin/lift-suppression', {})] as const,
      ['user', desk.open(`${at}?notice=sent`)] as const,
      ['user, wrong', desk.submit(`${at}/resend`, {})] as const,
      ['link', desk.submit(`/admin/users/${settled.id}/link`, reset)] as const,
      ['failed', desk.open('/admin/mails/failed?notice=retried')] as const,
      ['failed, wrong', desk.submit('/admin/mails/failed/retry', {})] as const,
      ['not found', desk.open('/admin/users/none')] as const,
    ].map(async ([name, answer]): Promise<[string, string]> => [name, (await answer).text]),
  )
}

const all = (html: string, pattern: RegExp) => [...html.matchAll(pattern)].map(([, a = '']) => a)

describe('every page', () => {
  it('has one heading, named controls, ids that are its own and exist where they are named', async () => {
    const pages = await pagesOf(await deskHarness())
    for (const [name, html] of pages) {
      const say = (what: string) => `${name}: ${what}`
      expect(all(html, /<(h1)>/g), say('one h1')).toHaveLength(1)
      expect(html, say('language')).toContain('<html lang="en">')
      expect(html, say('no script')).not.toMatch(/<script|\son\w+=|style=/)

      const ids = all(html, /\sid="([^"]*)"/g)
      expect([...ids].sort(), say('ids once')).toEqual([...new Set(ids)].sort())
      const named = all(html, /aria-(?:describedby|labelledby)="([^"]*)"/g).flatMap((list) =>
        list.split(' '),
      )
      const targets = [...named, ...all(html, /\s(?:for|form)="([^"]*)"/g)]
      expect(
        targets.filter((id) => !ids.includes(id)),
        say('what is named exists'),
      ).toEqual([])

      const labels = all(html, /<label for="([^"]*)"/g)
      const fields = html.match(/<(?:input|textarea|select)\b[^>]*>/g) ?? []
      for (const field of fields.filter((tag) => !tag.includes('type="hidden"'))) {
        expect(labels, say(field)).toContain(/\sid="([^"]*)"/.exec(field)?.[1])
      }
      // The mail of another user must not be retried by a button of the same name.
      const buttons = all(html, /<button[^>]*aria-label="([^"]*)"/g)
      expect(new Set(buttons).size, say('buttons by name')).toBe(buttons.length)
      // A form that leads nowhere needs buttons that do.
      for (const form of html.match(/<form\b[\s\S]*?<\/form>/g) ?? []) {
        const open = /<form[^>]*>/.exec(form)?.[0] ?? ''
        expect(open, say(open)).toContain('method="post"')
        if (open.includes('action=')) continue
        const led = form.match(/<button[^>]*>/g) ?? []
        expect(led.filter((tag) => !tag.includes('formaction='))).toEqual([])
      }
    }
    const errors = pages.filter(([name]) => name.endsWith('wrong'))
    for (const [name, html] of errors) {
      expect([name, html.includes('aria-invalid="true"')]).toEqual([name, true])
      expect(all(html, /(\sautofocus)/g).length, name).toBeGreaterThan(0)
    }
    const notices = pages.filter(([, html]) => html.includes('role="status"'))
    expect(notices.map(([name]) => name)).toEqual(['find', 'user', 'failed'])
  })

  it('shows only notices from the list', async () => {
    const desk = await personAtDesk(await deskHarness())
    for (const notice of ['Call+0800', 'constructor', '__proto__', '']) {
      const page = await desk.open(`/admin?notice=${notice}`)
      expect(page.text).not.toContain('role="status"')
      expect(page.text).not.toContain('0800')
    }
  })

  it('says where one is, and leads on', async () => {
    const desk = await personAtDesk(await deskHarness())
    for (const path of ['/admin', '/admin/mails/failed', '/admin/figures']) {
      const { text } = await desk.open(path)
      const nav = /<nav aria-label="Desk">[\s\S]*?<\/nav>/.exec(text)?.[0] ?? ''
      expect(nav).toContain(`<a href="${path}" aria-current="page">`)
      expect(all(nav, /(aria-current)/g)).toHaveLength(1)
    }
  })
})
