import { env } from 'cloudflare:workers'
import { DrizzleQueryError, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { describe, expect, it } from 'vitest'
import { bounded, Outage, reasonOf } from '../src/bounded.ts'

const SECRET = 'ada.lovelace@example.com'

async function outageOf(call: () => Promise<unknown>, timeoutMs = 1000): Promise<Outage> {
  try {
    await bounded('d1', timeoutMs, call)
  } catch (error) {
    if (error instanceof Outage) return error
    throw new Error('threw something else', { cause: error })
  }
  throw new Error('did not throw')
}

describe('a bounded call', () => {
  it('gives back what the call gives', async () => {
    expect(await bounded('kv', 1000, async () => 'value')).toBe('value')
  })

  it('ends as an outage where the call rejects', async () => {
    const outage = await outageOf(() => Promise.reject(new TypeError(SECRET)))
    expect(outage.message).toBe('d1 failed: TypeError')
    expect(outage).toMatchObject({ name: 'Outage', dependency: 'd1', timedOut: false })
  })

  it('ends as an outage where the call throws before it begins', async () => {
    const outage = await outageOf(() => {
      throw new RangeError(SECRET)
    })
    expect(outage.message).toBe('d1 failed: RangeError')
  })

  it.each([undefined, null, SECRET, 7, { message: SECRET }])(
    'ends as an outage where what is thrown is no error: %j',
    async (thrown) => {
      const outage = await outageOf(() => Promise.reject(thrown))
      expect(outage.message).toBe('d1 failed: unknown error')
    },
  )

  it('ends as an outage after its time where the call hangs, and says that it was the time', async () => {
    const started = Date.now()
    const outage = await outageOf(() => new Promise(() => {}), 50)
    const elapsed = Date.now() - started
    expect(outage.message).toBe('d1 did not answer in time')
    expect(outage.timedOut).toBe(true)
    expect(elapsed).toBeGreaterThanOrEqual(45)
    expect(elapsed).toBeLessThan(1000)
  })

  it('does not mind a call that fails after its time', async () => {
    const unhandled: unknown[] = []
    const listen = (event: PromiseRejectionEvent) => unhandled.push(event.reason)
    addEventListener('unhandledrejection', listen)
    await outageOf(async () => {
      await scheduler.wait(40)
      throw new Error('late')
    }, 10)
    await scheduler.wait(80)
    removeEventListener('unhandledrejection', listen)
    expect(unhandled).toEqual([])
  })

  it('passes an outage on as it is: the inner dependency is the one that failed', async () => {
    const inner = new Outage('mail_api', true, '')
    expect(await outageOf(() => Promise.reject(inner))).toBe(inner)
  })
})

describe('F12: what is said of an error', () => {
  it('never holds the values that Drizzle puts into its message', async () => {
    const query = drizzle(env.DB).run(sql`select * from missing where email = ${SECRET}`)
    const error: unknown = await query.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DrizzleQueryError)
    expect(String(error)).toContain(SECRET)
    expect(reasonOf(error)).toMatch(/^D1_ERROR: no such table/)
    expect(reasonOf(error)).not.toMatch(/ada|example|select/)
  })

  it('never holds them where there is no cause either', () => {
    const error = new DrizzleQueryError('insert into users values (?)', [SECRET, '$scrypt$x'])
    expect(error.message).toContain(SECRET)
    expect(reasonOf(error)).toBe('Error')
  })

  it.each(['batch', 'run'] as const)(
    'names the constraint that a row of D1 broke, and not the row: %s',
    async (method) => {
      await env.DB.exec('create table if not exists unique_names (name text unique)')
      const insert = env.DB.prepare('insert into unique_names values (?)').bind(SECRET)
      const run = () => (method === 'batch' ? env.DB.batch([insert]) : insert.run())
      await env.DB.exec('delete from unique_names')
      await run()
      const error: unknown = await run().catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ message: expect.stringMatching(/^D1_ERROR: UNIQUE/) })
      expect(reasonOf(error)).toMatch(/^D1_ERROR: UNIQUE constraint failed/)
      expect(reasonOf(error)).not.toContain('ada')
    },
  )

  it.each([
    [`D1_ERROR: near "${SECRET}": syntax error: SQLITE_ERROR`],
    [`D1_TYPE_ERROR: Type 'object' not supported for value '${SECRET}'`],
    [`Network connection lost for ${SECRET}`],
    [`${SECRET} D1_ERROR: no such table`],
  ])('stops before anything quoted: %s', (message) => {
    expect(reasonOf(new Error(message))).not.toMatch(/ada|lovelace|example/)
    expect(reasonOf(new Error('wrapped', { cause: new Error(message) }))).not.toMatch(
      /ada|lovelace/,
    )
  })

  it.each([
    [new SyntaxError(SECRET), 'SyntaxError'],
    [SECRET, 'unknown error'],
    [null, 'unknown error'],
  ])('is its class alone', (error, reason) => {
    expect(reasonOf(error)).toBe(reason)
  })

  it('is one line', () => {
    expect(reasonOf(new Error('D1_ERROR: no such\ntable'))).not.toContain('\n')
  })
})
