// Every variable and secret, parsed once, all problems reported together by name. A Worker with a problem
// here serves nothing but 503: what would fail only in production fails before it.

import type * as z from 'zod/mini'
import type { ProviderName } from './mail/providers/provider.ts'
import { type Environment, settings } from './settings.ts'

/** One problem of the configuration, in words for the operator. Never contains the value. */
export interface ConfigProblem {
  readonly name: string
  readonly message: string
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | {
      readonly ok: false
      readonly environment: Environment
      readonly problems: readonly ConfigProblem[]
    }

type Settings = ReturnType<typeof settings>
type Values = { readonly [K in keyof Settings]: z.output<Settings[K]['rule']> }

/** The checked configuration: {@link settings}'s values, durations in milliseconds, with what is derived. */
export interface Config extends Omit<Values, 'VERIFY_URL' | 'RESET_URL' | 'MAIL_FROM_NAME'> {
  /** With `{token}` where the token goes. */
  readonly VERIFY_URL: string
  /** With `{token}` where the token goes. */
  readonly RESET_URL: string
  readonly MAIL_FROM_NAME: string
  /** Providers whose reports reach us: only of them does silence mean anything. */
  readonly reportingProviders: readonly ProviderName[]
  /** Whether browsers reach the Worker over TLS, so that cookies can be `__Host-` ones. */
  readonly isSecureOrigin: boolean
}

/**
 * Checks the whole environment at once.
 * @param env the Worker's bindings; only the strings named in {@link settings} are read
 * @returns the configuration, or every problem by the name of its setting
 */
export function parseConfig(env: object): ConfigResult {
  const given = new Map(Object.entries(env))
  const declared = given.get('ENVIRONMENT')
  const environment: Environment =
    declared === 'development' || declared === 'staging' ? declared : 'production'

  const problems: ConfigProblem[] = []
  const values: Record<string, unknown> = {}
  for (const [name, { rule, fallback }] of Object.entries(settings(environment))) {
    const raw: unknown = given.get(name)
    // An empty variable is an absent one: wrangler.toml declares the required ones as "".
    const text = raw === '' || raw === undefined ? literalFallback(fallback) : raw
    const result = rule.safeParse(text)
    if (result.success) values[name] = result.data
    else problems.push({ name, message: messageOf(text, result.error) })
  }
  const { MAIL_PROVIDERS = [] } = values as Partial<Values>
  problems.push(...missingForProviders(MAIL_PROVIDERS, given))
  if (problems.length > 0) return { ok: false, environment, problems }

  const checked = values as Values
  return {
    ok: true,
    config: {
      ...checked,
      VERIFY_URL: checked.VERIFY_URL ?? `${checked.APP_BASE_URL}/auth/verify-email?token={token}`,
      RESET_URL: checked.RESET_URL ?? `${checked.APP_BASE_URL}/reset-password?token={token}`,
      MAIL_FROM_NAME: checked.MAIL_FROM_NAME ?? checked.APP_NAME,
      reportingProviders: reportingProviders(checked),
      isSecureOrigin: checked.APP_BASE_URL.startsWith('https:'),
    },
  }
}

/** What sending by each provider takes. */
const NEEDED: Record<ProviderName, string> = {
  sendgrid: 'SENDGRID_API_KEY',
  resend: 'RESEND_API_KEY',
  postmark: 'POSTMARK_SERVER_TOKEN',
  cloudflare: 'EMAIL',
}

function missingForProviders(
  providers: readonly ProviderName[],
  given: ReadonlyMap<string, unknown>,
): ConfigProblem[] {
  return providers.flatMap((provider) => {
    const name = NEEDED[provider]
    if ((given.get(name) ?? '') !== '') return []
    const how = name === 'EMAIL' ? ': a [[send_email]] binding of that name in wrangler.toml' : ''
    return [{ name, message: `is required to send by ${provider}${how}` }]
  })
}

function reportingProviders(values: Values): ProviderName[] {
  const reports: Record<ProviderName, boolean> = {
    sendgrid: values.SENDGRID_WEBHOOK_KEYS !== undefined,
    resend: values.RESEND_WEBHOOK_SECRETS !== undefined,
    postmark: values.POSTMARK_WEBHOOK_SECRETS !== undefined,
    cloudflare: values.CLOUDFLARE_EMAIL_EVENTS,
  }
  return values.MAIL_PROVIDERS.filter((provider) => reports[provider])
}

/** A fallback that names another setting is derived after parsing. */
function literalFallback(fallback: string | undefined): string | undefined {
  return fallback?.startsWith('`') ? undefined : fallback
}

function messageOf(text: unknown, error: z.core.$ZodError): string {
  if (text === undefined) return 'is required'
  return error.issues.map((issue) => issue.message).join('; ')
}
