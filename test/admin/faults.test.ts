// D1 out: every request of the desk answers 503, does nothing by halves, and works again after.
import { describe, expect, it } from 'vitest'
import type { Fault } from '../support/faulty-bindings.ts'
import { freshAddress } from '../support/harness.ts'
import { claim, deliverRefused, deskHarness, Program, personAtDesk, supportEvents } from './desk.ts'

const FAULTS: Fault[] = ['throw', 'hang', 'lost']
const reason = 'Called, and knew the invoice number'

type Request = [method: 'GET' | 'POST', path: string, body?: object]

const READS: Request[] = [
  ['POST', '/admin/users/find', { query: 'ada@mail.example' }],
  ['GET', '/admin/users/:id'],
  ['GET', '/admin/users/:id/timeline'],
  ['GET', '/admin/users/:id/export'],
  ['GET', '/admin/mails/failed'],
]

/** With how many entries in the timeline each leaves behind where it is done twice. */
const ACTIONS: [request: Request, entriesOfTwo: number][] = [
  [['POST', '/admin/users/:id/resend', { reason }], 2],
  [['POST', '/admin/users/:id/link', { reason, purpose: 'reset' }], 2],
  [['POST', '/admin/users/:id/verify', { reason }], 1],
  [['POST', '/admin/mails/failed/retry', { reason, ids: ':mail' }], 1],
]

async function situation() {
  const h = await deskHarness({ D1_TIMEOUT_MS: '60' })
  const { id } = (await h.browser().register(freshAddress())).body.user
  await deliverRefused(h)
  const [mail] = await h.rows<{ id: string }>('select id from messages')
  h.now += 1000
  const program = new Program(h)
  const send = ([method, path, body = {}]: Request) => {
    const url = path.replace(':id', id)
    const text = JSON.stringify(body).replace(':mail', mail?.id ?? '')
    return method === 'GET' ? program.get(url) : program.post(url, JSON.parse(text))
  }
  return { h, id, send }
}

describe.each(FAULTS)('D1 fails by %s', (fault) => {
  it.each([...READS, ...ACTIONS.map(([request]) => request)])(
    '%s %s: 503, and then again as always',
    async (...request) => {
      const { h, send } = await situation()
      h.bindings.fault = (binding) => (binding === 'd1' ? fault : undefined)
      const answer = await send(request)
      expect([answer.status, answer.body.error]).toEqual([503, 'unavailable'])
      expect(answer.headers.get('Retry-After')).toBe('5')
      h.bindings.fault = () => undefined
      expect((await send(request)).status).toBe(200)
    },
  )

  it.each(ACTIONS)('%s: done as often as the timeline says', async (request, entriesOfTwo) => {
    const { h, id, send } = await situation()
    h.bindings.fault = (binding) => (binding === 'd1' ? fault : undefined)
    await send(request)
    h.bindings.fault = () => undefined
    // What was done unseen is there, and so is who did it.
    expect(await supportEvents(h, id)).toHaveLength(fault === 'lost' ? 1 : 0)
    h.now += 1000
    await send(request)
    expect(await supportEvents(h, id)).toHaveLength(fault === 'lost' ? entriesOfTwo : 1)
  })

  it('a person gets a page', async () => {
    const h = await deskHarness({ D1_TIMEOUT_MS: '60' })
    const { id } = await claim(h)
    const desk = await personAtDesk(h)
    h.bindings.fault = (binding) => (binding === 'd1' ? fault : undefined)
    const page = await desk.open(`/admin/users/${id}`)
    expect([page.status, page.headers.get('Retry-After')]).toEqual([503, '5'])
    expect(page.headers.get('Content-Type')).toMatch(/^text\/html/)
  })
})

describe('without KV', () => {
  it.each(FAULTS)('the desk opens all the same where the counters fail by %s', async (fault) => {
    const h = await deskHarness({ KV_TIMEOUT_MS: '30' })
    h.bindings.fault = (binding) => (binding === 'd1' ? undefined : fault)
    expect((await new Program(h).get('/admin/mails/failed')).status).toBe(200)
    expect((await new Program(h, { token: 'wrong' }).get('/admin')).status).toBe(401)
  })
})
