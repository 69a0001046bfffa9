// Which mail APIs the configuration asks for, and in which order.

import type { Deps } from '../../deps.ts'
import { createCloudflareEmail } from './cloudflare.ts'
import { createPostmark } from './postmark.ts'
import type { MailProvider, ProviderName } from './provider.ts'
import { createResend } from './resend.ts'
import { createSendGrid } from './sendgrid.ts'

type ProviderDeps = Pick<Deps, 'config' | 'fetch' | 'now' | 'sendEmail'>

/**
 * Makes the adapters, the first choice first.
 * @param deps the configuration, the network, the binding and the clock
 */
export function createProviders(deps: ProviderDeps): readonly MailProvider[] {
  return deps.config.MAIL_PROVIDERS.map((name) => createOne(name, deps))
}

/** Keys are there where the configuration was checked: `parseConfig` asks for each that is needed. */
function createOne(
  name: ProviderName,
  { config, fetch, now, sendEmail }: ProviderDeps,
): MailProvider {
  const from = { email: config.MAIL_FROM, name: config.MAIL_FROM_NAME }
  const common = { from, timeoutMs: config.MAIL_TIMEOUT_MS, now }
  switch (name) {
    case 'sendgrid':
      return createSendGrid({
        ...common,
        fetch,
        baseUrl: config.SENDGRID_BASE_URL,
        apiKey: config.SENDGRID_API_KEY ?? '',
      })
    case 'resend':
      return createResend({
        ...common,
        fetch,
        baseUrl: config.RESEND_BASE_URL,
        apiKey: config.RESEND_API_KEY ?? '',
      })
    case 'postmark':
      return createPostmark({
        ...common,
        fetch,
        baseUrl: config.POSTMARK_BASE_URL,
        serverToken: config.POSTMARK_SERVER_TOKEN ?? '',
      })
    case 'cloudflare':
      return createCloudflareEmail({ ...common, sendEmail })
  }
}
