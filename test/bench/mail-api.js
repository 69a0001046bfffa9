// The mail API that everybody's consumer talks to: 202 with an id, after as long as it is told to take. A Worker
// in the same workerd, so that no other process has a part in what is measured.

let received = 0
let delayMs = 0

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/__bench/received') return Response.json(received)
    if (pathname === '/__bench/delay') {
      delayMs = Number(searchParams.get('ms'))
      return new Response()
    }
    const { personalizations } = await request.json()
    if (delayMs > 0) await scheduler.wait(delayMs)
    // A call may carry several mails.
    received += personalizations?.length ?? 1
    return new Response(null, {
      status: 202,
      headers: { 'X-Message-Id': `bench-${received}` },
    })
  },
}
