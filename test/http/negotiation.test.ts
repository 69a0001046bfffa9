import * as fc from 'fast-check'
import { Context, Hono } from 'hono'
import { accepts } from 'hono/accepts'
import { describe, expect, it } from 'vitest'
import { isFormPost, prefersHtml } from '../../src/http/negotiation.ts'

const app = new Hono()
  .get('/', (c) => c.text(prefersHtml(c) ? 'page' : 'json'))
  .post('/', (c) => c.text(isFormPost(c) ? 'form' : 'other'))

async function answerTo(accept?: string) {
  const headers = accept === undefined ? {} : { Accept: accept }
  return (await app.request('/', { headers })).text()
}

describe('F13: who gets a page', () => {
  it.each([
    ['Chrome', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'],
    ['Safari', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['a reader', 'text/html'],
    ['one who likes JSON less', 'application/json;q=0.5, text/html;q=0.9'],
  ])('is %s', async (_, accept) => {
    expect(await answerTo(accept)).toBe('page')
  })

  it.each([
    ['curl and fetch', '*/*'],
    ['one who says nothing', undefined],
    ['a program', 'application/json'],
    ['a program that says more', 'application/json, text/plain, */*'],
    ['one who likes HTML less', 'text/html;q=0.5, application/json'],
    ['one who refuses HTML', 'text/html;q=0, application/json'],
    ['one who refuses HTML and takes the rest', 'text/html;q=0, */*'],
    ['an image', 'image/avif,image/webp,image/png'],
    ['one who says nothing sensible', ';;;,,/'],
    ['one who says an empty word', ''],
  ])('is not %s: that one gets JSON', async (_, accept) => {
    expect(await answerTo(accept)).toBe('json')
  })

  it('is decided as Hono decides it, for whatever a header says', async () => {
    const word = fc.constantFrom(
      ...['text', 'html', 'TEXT/HTML', 'text/html', 'text/*', 'application/json', '*/*', '*'],
      ...[';', ',', ' ', '"', '=', '/', 'q=0', ';q=0.5', ';level=1', 'x'],
    )
    const header = fc.array(word, { maxLength: 8 }).map((words) => words.join(''))
    await fc.assert(
      fc.asyncProperty(header, async (accept) => {
        const wanted = accepts(new Context(new Request('https://x.dev', { headers: { accept } })), {
          header: 'Accept',
          supports: ['application/json', 'text/html'],
          default: 'application/json',
        })
        expect(await answerTo(accept)).toBe(wanted === 'text/html' ? 'page' : 'json')
      }),
      { numRuns: 500 },
    )
  })
})

describe('a form', () => {
  it.each([
    ['application/x-www-form-urlencoded', 'form'],
    ['application/x-www-form-urlencoded; charset=UTF-8', 'form'],
    ['Application/X-WWW-Form-Urlencoded', 'form'],
    ['multipart/form-data; boundary=x', 'form'],
    ['application/json', 'other'],
    ['text/plain', 'other'],
    ['text/plain; a=application/x-www-form-urlencoded', 'other'],
    ['multipart/mixed', 'other'],
  ])('is told by its type: %s', async (type, expected) => {
    const response = await app.request('/', { method: 'POST', headers: { 'Content-Type': type } })
    expect(await response.text()).toBe(expected)
  })

  it('is not what has no type', async () => {
    expect(await (await app.request('/', { method: 'POST' })).text()).toBe('other')
  })
})
