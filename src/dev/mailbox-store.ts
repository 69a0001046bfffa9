// The mails of the development mailbox, in KV, so that they outlive a restart. A mail is kept for a week.

import * as z from 'zod/mini'
import { bounded } from '../bounded.ts'
import type { Deps } from '../deps.ts'

const party = z.object({ email: z.string(), name: z.optional(z.string()) })
const texts = z.record(z.string(), z.string())

const storedMail = z.object({
  /** What the API answered in `X-Message-Id`; one request may have made several mails. */
  messageId: z.string(),
  to: party,
  /** Whether the recipient stood in `to`, `cc` or `bcc`. */
  role: z.enum(['to', 'cc', 'bcc']),
  from: party,
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  headers: texts,
  customArgs: texts,
  /** As received. */
  trackingSettings: z.record(z.string(), z.json()),
  /** Milliseconds since the epoch. */
  receivedAt: z.int(),
})

const mailReport = z.object({
  /** One of `DeliveryEvent`, where this version wrote it. */
  event: z.string(),
  /** Milliseconds since the epoch. */
  at: z.int(),
  /** What the webhook answered; null where it did not. */
  status: z.nullable(z.int()),
})

/** What was reported of a mail, and how the webhook took it. */
export type MailReport = z.output<typeof mailReport>

/** A mail as it is stored. */
export type StoredMail = z.output<typeof storedMail>

/** A stored mail with the id that names it in the mailbox. */
export interface MailboxMail extends StoredMail {
  readonly id: string
}

export interface MailboxStore {
  /** Stores mails, the last of them becoming the newest, and returns them with their ids. */
  readonly add: (mails: readonly StoredMail[]) => Promise<MailboxMail[]>
  /** The newest mails, newest first; where `to` is given, those to that address (in any case). */
  readonly list: (to?: string) => Promise<MailboxMail[]>
  /** One mail, or null where there is none (any more). */
  readonly find: (id: string) => Promise<MailboxMail | null>
  /** Notes all that was reported of mails so far, by their ids. */
  readonly noteReports: (reports: ReadonlyMap<string, readonly MailReport[]>) => Promise<void>
  /** What was reported of a mail, first to last. */
  readonly reportsOf: (id: string) => Promise<MailReport[]>
  /** The last event reported of each of the newest mails, by their ids. */
  readonly lastEvents: () => Promise<ReadonlyMap<string, string>>
  /** Deletes all mails, and what was reported of them. */
  readonly clear: () => Promise<void>
}

const PREFIX = 'dev-mail:'
/** Beside the mails, because KV has no update: what is reported must not write a whole mail again. */
const REPORTS_PREFIX = 'dev-reports:'
const TTL_SECONDS = 7 * 24 * 60 * 60
/** KV lists so many keys at once. The mailbox looks no further back. */
const MAX_LISTED = 1000
const MAX_MAILS = 200
/** A Worker may wait for so many connections at once; more would queue behind everything else. */
const MAX_CONNECTIONS = 6

/** KV lists keys in ascending order: what counts down comes newest first. */
const LAST_MS = 10 ** 15 - 1
const LAST_SEQUENCE = 10 ** 5 - 1
const ID = /^\d{15}-\d{5}-[0-9a-f-]{36}$/

/** The recipient beside the key, so that a filtered look reads only the mails it shows. */
const keyMetadata = z.object({ to: z.string() })
/** The last event beside the key, so that the list of mails reads no reports. */
const reportsMetadata = z.object({ last: z.string() })

/**
 * The store. Every function throws {@link Outage} where KV fails.
 * @param deps KV, the clock, ids
 */
export function createMailboxStore(
  deps: Pick<Deps, 'config' | 'kv' | 'now' | 'newId'>,
): MailboxStore {
  const { kv } = deps
  const call = <T>(run: () => Promise<T>) => bounded('kv', deps.config.KV_TIMEOUT_MS, run)
  /** Orders the mails of one millisecond. */
  let latest = { at: 0, sequence: 0 }

  function nextId(): string {
    const at = deps.now()
    latest = { at, sequence: at === latest.at ? latest.sequence + 1 : 0 }
    const time = String(LAST_MS - at).padStart(15, '0')
    const sequence = String(LAST_SEQUENCE - latest.sequence).padStart(5, '0')
    return `${time}-${sequence}-${deps.newId()}`
  }

  async function find(id: string): Promise<MailboxMail | null> {
    if (!ID.test(id)) return null
    const text = await call(() => kv.get(PREFIX + id))
    if (text === null) return null
    const mail = storedMail.safeParse(JSON.parse(text))
    // An older version of this project may have stored it: gone is better than broken.
    return mail.success ? { id, ...mail.data } : null
  }

  return {
    find,

    async add(mails) {
      const entries = mails.map((mail) => ({ id: nextId(), mail }))
      await inSixes(entries, ({ id, mail }) =>
        call(() =>
          kv.put(PREFIX + id, JSON.stringify(mail), {
            expirationTtl: TTL_SECONDS,
            metadata: { to: mail.to.email.toLowerCase() },
          }),
        ),
      )
      return entries.map(({ id, mail }) => ({ id, ...mail }))
    },

    async noteReports(reports) {
      await inSixes([...reports], ([id, ofMail]) =>
        call(() =>
          kv.put(REPORTS_PREFIX + id, JSON.stringify(ofMail), {
            expirationTtl: TTL_SECONDS,
            metadata: { last: ofMail.at(-1)?.event ?? '' },
          }),
        ),
      )
    },

    async reportsOf(id) {
      const text = await call(() => kv.get(REPORTS_PREFIX + id))
      return text === null ? [] : (z.array(mailReport).safeParse(JSON.parse(text)).data ?? [])
    },

    async lastEvents() {
      const page = { prefix: REPORTS_PREFIX, limit: MAX_LISTED }
      const { keys } = await call(() => kv.list<unknown>(page))
      return new Map(
        keys.flatMap(({ name, metadata }) => {
          const { data } = reportsMetadata.safeParse(metadata)
          return data === undefined ? [] : [[name.slice(REPORTS_PREFIX.length), data.last]]
        }),
      )
    },

    async list(to) {
      const { keys } = await call(() => kv.list<unknown>({ prefix: PREFIX, limit: MAX_LISTED }))
      const wanted = to?.trim().toLowerCase()
      const ids = keys
        .filter(({ metadata }) => {
          if (wanted === undefined) return true
          return keyMetadata.safeParse(metadata).data?.to === wanted
        })
        .slice(0, MAX_MAILS)
        .map(({ name }) => name.slice(PREFIX.length))
      const mails = await inSixes(ids, find)
      return mails.filter((mail) => mail !== null)
    },

    async clear() {
      for (const prefix of [PREFIX, REPORTS_PREFIX]) {
        for (let isComplete = false; !isComplete; ) {
          const page = await call(() => kv.list({ prefix, limit: MAX_LISTED }))
          await inSixes(page.keys, ({ name }) => call(() => kv.delete(name)))
          isComplete = page.list_complete
        }
      }
    },
  }
}

/** Maps concurrently, but never more than {@link MAX_CONNECTIONS} at once; the order is kept. */
async function inSixes<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += MAX_CONNECTIONS) {
    const batch = items.slice(start, start + MAX_CONNECTIONS)
    results.push(...(await Promise.all(batch.map(run))))
  }
  return results
}
