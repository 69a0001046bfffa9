// The tables. Instants are integers: milliseconds since the epoch.
// Every index is paid for as a row written (D1 bills index entries), so each one names the query that needs it.

import { type SQL, sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

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
  },
  (t) => [
    // Login, resend and links look claims up by fingerprint: a link carries no address to look up by.
    index('users_email_fingerprint').on(t.emailFingerprint),
    // The one rule that says whether an address is taken. Claims are outside it, so they never squat.
    uniqueIndex('users_verified_email').on(t.email).where(sql`email_verified_at is not null`),
    // The pruning of stale claims.
    index('users_unverified_created_at').on(t.createdAt).where(sql`email_verified_at is null`),
  ],
)

/** `id` is the SHA-256 of the session token: a leaked database signs nobody in. */
export const sessions = sqliteTable(
  'sessions',
  {
    id: text().primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    /** As limits count it: IPv6 by its /64. */
    ip: text(),
    userAgent: text('user_agent'),
  },
  (t) => [
    // The cascade from users, and the list of a person's sessions.
    index('sessions_user_id').on(t.userId),
    // The pruning of expired sessions.
    index('sessions_expires_at').on(t.expiresAt),
  ],
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
 * deleting rival claims would reset the limit on their address.
 */
export const messages = sqliteTable(
  'messages',
  {
    /** Made by the request, so that a write whose answer was lost can be told from one that never was. */
    id: text().primaryKey(),
    userId: text('user_id').references(() => users.id, { onDelete: 'set null' }),
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
    settledAt: integer('settled_at'),
  },
  (t) => [
    // The exact limit per address: how many since the window began.
    index('messages_to_email_created_at').on(t.toEmail, t.createdAt),
    // The last mail of a user, and the cascade from users.
    index('messages_user_id').on(t.userId),
    // The sweeper and /healthz: what is not settled yet, oldest first.
    index('messages_unsettled_created_at')
      .on(t.createdAt)
      .where(sql`state in ('queued', 'sending')`),
    // /healthz: how many ended as failures.
    index('messages_failed_created_at').on(t.createdAt).where(sql`state = 'failed'`),
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

/** The timeline that support reads: facts about known users only. It goes when the user goes. */
export const events = sqliteTable(
  'events',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    messageId: text('message_id'),
    type: text().notNull(),
    at: integer().notNull(),
    detail: text(),
  },
  (t) => [index('events_user_id_at').on(t.userId, t.at)],
)

/** Addresses that must not be mailed: for good, or until an instant. */
export const suppressions = sqliteTable(
  'suppressions',
  {
    email: text().primaryKey(),
    reason: text().notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at'),
  },
  // The pruning of those that have run out.
  (t) => [index('suppressions_expires_at').on(t.expiresAt).where(sql`expires_at is not null`)],
)
