// What a load balancer and an operator ask: does it work, and is the mail moving?

import type { Hono } from 'hono'
import { Outage } from '../bounded.ts'
import type { Deps } from '../deps.ts'
import { newApp } from '../http/new-app.ts'
import { readMailHealth } from './health.ts'

/**
 * A mail that has been due for longer says that nobody consumes the Queue; and no provider for longer, that nobody takes
 * mail. One mail that fails again and again says nothing of the others.
 */
const MAX_QUEUED_SECONDS = 15 * 60

/** It runs once a minute. Without it mail flows on, but what the Queue loses stays lost. */
const MAX_CRON_SECONDS = 5 * 60

/**
 * `GET /healthz`.
 * @param deps D1 and the clock
 */
export function healthRoutes(deps: Deps): Hono {
  const app = newApp()
  app.get('/healthz', async (c) => {
    try {
      const mail = await readMailHealth(deps)
      const isConsumed = mail.oldestDueSeconds <= MAX_QUEUED_SECONDS
      const isMoving = isConsumed && mail.allDownSeconds <= MAX_QUEUED_SECONDS
      return c.json(
        {
          ok: isMoving,
          checks: {
            config: { ok: true },
            d1: { ok: true },
            oldest_queued_mail: { ok: isConsumed, seconds: mail.oldestQueuedSeconds },
            cron: {
              ok: mail.aheadOfCronSeconds <= MAX_CRON_SECONDS,
              seconds: mail.aheadOfCronSeconds,
            },
            dead_letters: { ok: mail.deadLetters === 0, count: mail.deadLetters },
            stalled_mail: { ok: mail.stalled === 0, count: mail.stalled },
            mail_providers: { ok: mail.providersDown.length === 0, down: mail.providersDown },
            // No numbers: anybody may ask, and could see who of those they try to mail is known.
            ...(mail.heldUntilTomorrow === null
              ? {}
              : { daily_cap: { ok: mail.heldUntilTomorrow === 0 } }),
          },
        },
        isMoving ? 200 : 503,
      )
    } catch (error) {
      if (!(error instanceof Outage)) throw error
      deps.log('outage', { reason: error.message, path: '/healthz' })
      return c.json({ ok: false, checks: { config: { ok: true }, d1: { ok: false } } }, 503)
    }
  })
  return app
}
