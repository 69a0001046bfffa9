// Which mail API the configuration asks for.

import type { Deps } from '../../deps.ts'
import type { MailProvider } from './provider.ts'
import { createSendGrid } from './sendgrid.ts'

/**
 * @param deps the configuration, the network and the clock
 */
export function createProvider(deps: Pick<Deps, 'config' | 'fetch' | 'now'>): MailProvider {
  const { config } = deps
  return createSendGrid({
    baseUrl: config.SENDGRID_BASE_URL,
    apiKey: config.SENDGRID_API_KEY ?? '',
    from: { email: config.MAIL_FROM, name: config.MAIL_FROM_NAME },
    timeoutMs: config.MAIL_TIMEOUT_MS,
    fetch: deps.fetch,
    now: deps.now,
  })
}
