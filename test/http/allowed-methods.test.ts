import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { allowedMethods } from '../../src/http/allowed-methods.ts'
import { createHarness, ORIGIN } from '../support/harness.ts'

const answer = () => new Response()

describe('the methods of a path', () => {
  const app = new Hono()
  app.use(async (_c, next) => next())
  app.get('/both', answer).post('/both', answer, answer)
  app.delete('/things/:id', answer).post('/things/named', answer)

  it.each([
    ['/both', ['GET', 'HEAD', 'POST']],
    ['/things/1', ['DELETE']],
    ['/things/named', ['DELETE', 'POST']],
    ['/nowhere', []],
  ])('are those of its routes, without its middleware: %s', (path, methods) => {
    expect(allowedMethods(app.routes)(path)).toEqual(methods)
  })

  it('include those of routes that are mounted after the question was set up', () => {
    const late = new Hono()
    const methodsOf = allowedMethods(late.routes)
    late.route('/', new Hono().put('/late', answer))
    expect(methodsOf('/late')).toEqual(['PUT'])
  })

  it.each([
    ['PUT', '/auth/login', 405, 'POST'],
    ['HEAD', '/auth/login', 405, 'POST'],
    ['GET', '/auth/login', 405, 'POST'],
    ['POST', '/auth/session', 405, 'GET, HEAD'],
    ['GET', '/auth/sessions/some', 405, 'DELETE'],
    ['PATCH', '/auth/verify-email', 405, 'GET, HEAD, POST'],
    ['PROPFIND', '/auth/verify-email', 405, 'GET, HEAD, POST'],
    ['GET', '/auth/nowhere', 404, null],
    // Its own 404 is none of a missing route.
    ['GET', '/dev/mailbox', 404, null],
  ])('are what a refusal names: %s %s', async (method, path, status, allow) => {
    const h = await createHarness()
    const host = path.startsWith('/dev') ? 'https://elsewhere.dev' : ORIGIN
    for (const accept of ['application/json', 'text/html']) {
      const response = await h.fetch(`${host}${path}`, { method, headers: { Accept: accept } })
      expect([response.status, response.headers.get('Allow')]).toEqual([status, allow])
    }
  })
})
