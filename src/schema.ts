// The tables. Instants are integers: milliseconds since the epoch.
// Every index is paid for as a row written (D1 bills index entries), so each one names the query that needs it.
// Tables with a key of text are `WITHOUT ROWID` in the migrations, which Drizzle cannot say: their key would
// otherwise be an index beside the row, and paid for twice. Nor can it say the two triggers of 0005: a migration that
// makes one of their tables anew makes them anew as well. What has grown old is found in slices by key
// (see `cursors`), not by an index on age.

import { type SQL, sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/**
 * Accounts and claims alike: a row whose `emailVerifiedAt` is null is a *claim* on its address and owns
 * nothing; a row where it is set owns the address.
 */
export const users = sqliteTable(
  'users',
  {
    id: text().primaryKey(),
    email: text().notNull(),
    emailFingerprint: text('email_fingerprint').notNull(),
    passwordHash: text('password_hash').notNull(),
    emailVerifiedAt: integer('email_verified_at'),
    // Generated, so that the flag and the instant cannot disagree.
    isEmailVerified: integer('is_email_verified', { mode: 'boolean' })
      .notNull()
      .generatedAlwaysAs((): SQL => sql`(email_verified_at is not null)`, { mode: 'virtual' }),
    pendingEmail: text('pending_email'),
    generation: integer().notNull().default(0),
    createdAt: integer('created_at').notNull(),
    // What a timeline tells of every sign-up stands here: an event would be one more row to write and to delete.
    /** What proved the address at `emailVerifiedAt`; null where an event tells it. */
    verifiedBy: text('verified_by'),
    /** When a link that was mailed to them was looked at first; later views are events. */
    linkOpenedAt: integer('link_opened_at'),
    /**
     * The last mail that was written for them, kept by a trigger on `messages`. From there `previous_id` leads to the
     * ones before: a chain, because an index by user would be one more row to write with every mail.
     */
    lastMessageId: text('last_message_id'),
  },
  (t) => [
    // Login, resend and links look claims up by fingerprint: a link carries no address to look up by.
    index('users_email_fingerprint').on(t.emailFingerprint),
    // The one rule that says whether an address is taken. Claims are outside it, so they never squat.
    uniqueIndex('users_verified_email').on(t.email).where(sql`email_verified_at is not null`),
  ],
)

/**
 * By user, because a session token says whose it is: the key serves the look-up, the list of a person's sessions
 * and the cascade from users, and no index has to be paid for beside it. `id` is the SHA-256 of the token's
 * secret: a leaked database signs nobody in.
 */
export const sessions = sqliteTable(
  'sessions',
  {
    id: text().notNull(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    /** As limits count it: IPv6 by its /64. */
    ip: text(),
    userAgent: text('user_agent'),
  },
  (t) => [primaryKey({ columns: [t.userId, t.id] })],
)

/** Links, which anybody can ask for, and notices, which follow from what the account's owner did. */
export const messageKinds = [
  'verify_email',
  'reset_password',
  'reset_after_undo',
  'change_email',
  'email_change_notice',
  'password_changed_notice',
] as const
export type MessageKind = (typeof messageKinds)[number]

export const locales = ['en', 'de'] as const
export type Locale = (typeof locales)[number]

export const messageStates = [
  'queued',
  'sending',
  'sent',
  'delivered',
  'deferred',
  'bounced',
  'complained',
  'failed',
  'suppressed',
  'expired',
] as const
export type MessageState = (typeof messageStates)[number]

/**
 * Outbox, send ledger and rate-limit ledger in one. The row outlives the user it was written for, or
 * deleting rival claims would reset the limit on their address. So `user_id` may name nobody any more: no key
 * leads to `users`: a foreign key would need an index.
 */
export const messages = sqliteTable(
  'messages',
  {
    /** Made by the request, so that a write whose answer was lost can be told from one that never was. */
    id: text().primaryKey(),
    userId: text('user_id'),
    kind: text({ enum: messageKinds }).notNull(),
    locale: text({ enum: locales }).notNull().default('en'),
    toEmail: text('to_email').notNull(),
    generation: integer().notNull(),
    state: text({ enum: messageStates }).notNull(),
    attempts: integer().notNull(),
    notBefore: integer('not_before'),
    /** Sending: until when it is one consumer's alone. Queued: until when the sweeper leaves it to the Queue. */
    leaseUntil: integer('lease_until'),
    provider: text(),
    providerMessageId: text('provider_message_id'),
    error: text(),
    createdAt: integer('created_at').notNull(),
    sentAt: integer('sent_at'),
    /** Since when nothing more is expected to happen to it; null while something is. */
    settledAt: integer('settled_at'),
    /** How far the provider's events have taken it, see `delivery-states.ts`. It only ever grows. */
    deliveryRank: integer('delivery_rank').notNull().default(0),
    /** When it was noticed that an accepted mail had been silent for too long; null once it is heard of. */
    stalledAt: integer('stalled_at'),
    /** The call it was last part of, for providers that know a repeated call by a key. */
    batchId: text('batch_id'),
    /** The mail before it of the same user. */
    previousId: text('previous_id'),
    /** Since when the cron has an eye on it: a minute was not enough to settle it, or it has to wait. */
    watchedAt: integer('watched_at'),
  },
  (t) => [
    // The exact limit per address: how many since the window began.
    index('messages_to_email_created_at').on(t.toEmail, t.createdAt),
    // The sweeper, /healthz and the daily cap: what takes long, oldest first. Most mails never come to stand here.
    index('messages_watched_created_at')
      .on(t.createdAt)
      .where(sql`watched_at is not null and settled_at is null`),
    // /healthz and support: what ended as a failure.
    index('messages_failed_created_at').on(t.createdAt).where(sql`state = 'failed'`),
    // /healthz: what was accepted and never heard of again.
    index('messages_stalled_at').on(t.stalledAt).where(sql`stalled_at is not null`),
    // Reports of Cloudflare's Email Service name its own id, not ours.
    index('messages_cloudflare_id').on(t.providerMessageId).where(sql`provider = 'cloudflare'`),
  ],
)

/**
 * Changes of address, kept as long as they can be undone: what the undo link restores, and what applying the
 * change takes. The hash is of the same password under the new address, whose salt differs; it is made when
 * the change is asked for, because the password is at hand only then.
 */
export const emailChanges = sqliteTable(
  'email_changes',
  {
    id: text().primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    fromEmail: text('from_email').notNull(),
    fromFingerprint: text('from_fingerprint').notNull(),
    toEmail: text('to_email').notNull(),
    toFingerprint: text('to_fingerprint').notNull(),
    toPasswordHash: text('to_password_hash').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  // The link's account, and the cascade from users.
  (t) => [index('email_changes_user_id').on(t.userId)],
)

/**
 * Addresses that an account gave up, by deletion or change. Verification links mailed before that moment are
 * dead: whoever kept one must not be able to take the freed address with it.
 */
export const retiredLinks = sqliteTable(
  'retired_links',
  {
    emailFingerprint: text('email_fingerprint').primaryKey(),
    retiredAt: integer('retired_at').notNull(),
  },
  // The pruning of those that no link is older than.
  (t) => [index('retired_links_retired_at').on(t.retiredAt)],
)

/**
 * The timeline that support reads: facts about known users only. It goes when the user goes, and a trigger passes over
 * what is told of somebody who is gone, as a mail of theirs may be. Its key is the order it is read in, and what makes
 * a fact reported twice one fact.
 */
export const events = sqliteTable(
  'events',
  {
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    at: integer().notNull(),
    type: text().notNull(),
    /** Empty where it is about no mail. */
    messageId: text('message_id').notNull().default(''),
    /** The mail provider that it is about. */
    provider: text(),
    /** Who of the support desk did it. */
    actor: text(),
    detail: text(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.at, t.type, t.messageId] })],
)

/** Why an address is not mailed. */
export const suppressionReasons = ['disowned', 'hard_bounce', 'complaint'] as const
export type SuppressionReason = (typeof suppressionReasons)[number]

/** Addresses that must not be mailed: for good, or until an instant. */
export const suppressions = sqliteTable(
  'suppressions',
  {
    email: text().primaryKey(),
    reason: text({ enum: suppressionReasons }).notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at'),
  },
  // The pruning of those that have run out.
  (t) => [index('suppressions_expires_at').on(t.expiresAt).where(sql`expires_at is not null`)],
)

/**
 * Calls to a provider that knows a repeated call by its key: the key holds only for the same mails, so the
 * ones that went together must go together again. Forgotten with the provider's own memory, after a day.
 */
export const mailBatches = sqliteTable('mail_batches', {
  /** UUIDv7, and the key. */
  id: text().primaryKey(),
  /** JSON array of message ids. */
  messageIds: text('message_ids').notNull(),
})

/** Providers that failed of late. No row: nothing is known against it. */
export const providerOutages = sqliteTable('provider_outages', {
  provider: text().primaryKey(),
  /** Consecutive calls that failed. */
  failures: integer().notNull(),
  since: integer().notNull(),
  /** Until when the next provider takes over. */
  downUntil: integer('down_until').notNull(),
  reason: text().notNull(),
})

/** How many mails were handed to providers on a UTC day, kept where `MAIL_DAILY_CAP` asks for it. */
export const dailySends = sqliteTable('daily_sends', {
  /** `2026-11-21` */
  day: text().primaryKey(),
  count: integer().notNull(),
})

/** Counts by the hour, kept by the cron, so that no view of them scans what they count. */
export const figures = sqliteTable(
  'figures',
  {
    /** The hour's first millisecond, UTC. */
    hour: integer().notNull(),
    metric: text().notNull(),
    /** What the metric is broken down by; empty where it is not. */
    dimension: text().notNull().default(''),
    count: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.hour, t.metric, t.dimension] })],
)

/**
 * How far the cron has come through a table, by key: in slices (slices.ts), or along with what is written
 * (mail/watch-unsettled.ts).
 */
export const cursors = sqliteTable('cursors', {
  name: text().primaryKey(),
  /** Of slices, the one now at work: keys beyond `after`, up to and including `upTo`. */
  after: text().notNull(),
  upTo: text('up_to').notNull(),
})
