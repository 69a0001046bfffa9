import { createServer, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { fetchText } from '../../src/dev/cli/fetch-text.ts'
import { freePort } from '../../src/dev/cli/port.ts'

const LOST = 'Error: Network connection lost.\n    at async Object.fetch (entry.worker.js:1:1)'

let server: Server
afterEach(() => server.close())

/** Answers one request after another, and remembers their bodies. */
async function serve(...answers: readonly (readonly [status: number, text: string])[]) {
  const bodies: string[] = []
  server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      bodies.push(body)
      const [status, text] = answers[bodies.length - 1] ?? [599, 'one request too many']
      response.writeHead(status).end(text)
    })
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${port}/`, bodies }
}

describe('fetchText', () => {
  it('sends again, body and all, what the proxy of wrangler dev has lost', async () => {
    const { url, bodies } = await serve([500, LOST], [201, 'there'])
    const { response, text } = await fetchText(url, { method: 'POST', body: 'hello' })
    expect([response.status, text]).toEqual([201, 'there'])
    expect(bodies).toEqual(['hello', 'hello'])
  })

  it('gives up in the end', async () => {
    const { url, bodies } = await serve([500, LOST], [500, LOST], [500, LOST])
    expect((await fetchText(url, { method: 'POST', body: 'hello' })).text).toBe(LOST)
    expect(bodies).toHaveLength(3)
  })

  it('takes an answer of the Worker as it is, a 500 too', async () => {
    const { url, bodies } = await serve([500, '{"error":"internal_error"}'])
    expect((await fetchText(url, { method: 'POST', body: 'hello' })).response.status).toBe(500)
    expect(bodies).toHaveLength(1)
  })
})
