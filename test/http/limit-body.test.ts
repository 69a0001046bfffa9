import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { limitBody } from '../../src/http/limit-body.ts'

const app = new Hono()
  .use(limitBody(10, async (c) => c.text('too large', 413)))
  .all('*', async (c) => c.text(await c.req.text()))

async function send(body: BodyInit | null, headers: Record<string, string> = {}) {
  const response = await app.request('/', { method: 'POST', body, headers })
  return [response.status, await response.text()]
}

const streamOf = (text: string) => new Blob([text]).stream()

describe('a limit on bodies', () => {
  it('lets a body of that size pass, whole, whether or not it says its length', async () => {
    expect(await send('0123456789', { 'Content-Length': '10' })).toEqual([200, '0123456789'])
    expect(await send(streamOf('0123456789'))).toEqual([200, '0123456789'])
    expect(await send(null)).toEqual([200, ''])
  })

  it('refuses one byte more, whether or not it says its length', async () => {
    expect(await send('0123456789+', { 'Content-Length': '11' })).toEqual([413, 'too large'])
    expect(await send(streamOf('0123456789+'))).toEqual([413, 'too large'])
  })

  it('goes by the word of the one who says it, and does not read the body', async () => {
    expect(await send(streamOf('0'), { 'Content-Length': '11' })).toEqual([413, 'too large'])
  })

  it('counts a body in chunks, whatever length it claims', async () => {
    const headers = { 'Content-Length': '1', 'Transfer-Encoding': 'chunked' }
    expect(await send(streamOf('0123456789+'), headers)).toEqual([413, 'too large'])
    expect(await send(streamOf('0123456789'), headers)).toEqual([200, '0123456789'])
  })

  it('takes what is no number for too large', async () => {
    for (const length of ['one', '', '-1', '1e0', '0x1']) {
      expect(await send('0', { 'Content-Length': length })).toEqual([413, 'too large'])
    }
  })

  it('does not touch a body that says its length: that would make a stream of it', async () => {
    const request = new Request('http://mailproof.test/', {
      method: 'POST',
      body: '0',
      headers: { 'Content-Length': '1' },
    })
    Object.defineProperty(request, 'body', {
      get() {
        throw new Error('touched')
      },
    })
    expect(await (await app.request(request)).text()).toBe('0')
  })
})
