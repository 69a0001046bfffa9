import { describe, expect, it } from 'vitest'
import { parseJson, readBody } from '../../../src/mail/providers/post-json.ts'

/** A body of so many chunks of 50,000 bytes, and how many were asked for. */
function body(chunks: number) {
  const asked = { chunks: 0 }
  const stream = new ReadableStream({
    pull(controller) {
      if (asked.chunks === chunks) return controller.close()
      asked.chunks++
      controller.enqueue(new TextEncoder().encode('x'.repeat(50_000)))
    },
  })
  return { asked, response: new Response(stream) }
}

describe('the body of an answer', () => {
  it('is read whole where it is as long as the results of a hundred mails', async () => {
    expect(await readBody(body(4).response, 1000)).toHaveLength(200_000)
  })

  it('is left where it goes on and on: it must not fill the memory of the isolate', async () => {
    const { asked, response } = body(1000)
    expect((await readBody(response, 1000)).length).toBeLessThan(350_000)
    expect(asked.chunks).toBeLessThan(10)
  })

  it('may be cut within a character, and be none at all', async () => {
    const bytes = new TextEncoder().encode('ü€🎉')
    const stream = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    expect(await readBody(new Response(stream), 1000)).toBe('ü€🎉')
    expect(await readBody(new Response(null), 1000)).toBe('')
  })
})

describe('JSON from somebody else', () => {
  it('is a value, or undefined', () => {
    expect(parseJson('{"a":[1]}')).toEqual({ a: [1] })
    expect(parseJson('<html>')).toBeUndefined()
    expect(parseJson('')).toBeUndefined()
  })
})
