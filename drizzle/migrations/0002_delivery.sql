-- Written by hand where drizzle-kit could not: it knows no `WITHOUT ROWID`, and rebuilds tables with foreign
-- keys switched off, which D1 does not allow. Rows wait in plain tables meanwhile, and children go before
-- their parent, so that no cascade takes them along.
CREATE TABLE `held_users` AS SELECT id, email, email_fingerprint, password_hash, email_verified_at, pending_email, generation, created_at FROM `users`;
--> statement-breakpoint
CREATE TABLE `held_sessions` AS SELECT id, user_id, created_at, expires_at, ip, user_agent FROM `sessions`;
--> statement-breakpoint
CREATE TABLE `held_messages` AS SELECT id, user_id, kind, locale, to_email, generation, state, attempts, not_before, lease_until, provider, provider_message_id, error, created_at, sent_at, settled_at FROM `messages`;
--> statement-breakpoint
CREATE TABLE `held_email_changes` AS SELECT id, user_id, from_email, from_fingerprint, to_email, to_fingerprint, to_password_hash, created_at FROM `email_changes`;
--> statement-breakpoint
CREATE TABLE `held_retired_links` AS SELECT email_fingerprint, retired_at FROM `retired_links`;
--> statement-breakpoint
CREATE TABLE `held_suppressions` AS SELECT email, reason, created_at, expires_at FROM `suppressions`;
--> statement-breakpoint
CREATE TABLE `held_events` AS SELECT user_id, at, type, coalesce(message_id, '') AS message_id, detail FROM `events`;
--> statement-breakpoint
DROP TABLE `sessions`;
--> statement-breakpoint
DROP TABLE `messages`;
--> statement-breakpoint
DROP TABLE `email_changes`;
--> statement-breakpoint
DROP TABLE `events`;
--> statement-breakpoint
DROP TABLE `users`;
--> statement-breakpoint
DROP TABLE `retired_links`;
--> statement-breakpoint
DROP TABLE `suppressions`;
--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`email` text NOT NULL,
	`email_fingerprint` text NOT NULL,
	`password_hash` text NOT NULL,
	`email_verified_at` integer,
	`is_email_verified` integer GENERATED ALWAYS AS ((email_verified_at is not null)) VIRTUAL NOT NULL,
	`pending_email` text,
	`generation` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`ip` text,
	`user_agent` text,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `messages` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text,
	`kind` text NOT NULL,
	`locale` text DEFAULT 'en' NOT NULL,
	`to_email` text NOT NULL,
	`generation` integer NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`not_before` integer,
	`lease_until` integer,
	`provider` text,
	`provider_message_id` text,
	`error` text,
	`created_at` integer NOT NULL,
	`sent_at` integer,
	`settled_at` integer,
	`delivery_rank` integer DEFAULT 0 NOT NULL,
	`stalled_at` integer,
	`batch_id` text,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `email_changes` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`from_email` text NOT NULL,
	`from_fingerprint` text NOT NULL,
	`to_email` text NOT NULL,
	`to_fingerprint` text NOT NULL,
	`to_password_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `retired_links` (
	`email_fingerprint` text PRIMARY KEY NOT NULL,
	`retired_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `suppressions` (
	`email` text PRIMARY KEY NOT NULL,
	`reason` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `events` (
	`user_id` text NOT NULL,
	`at` integer NOT NULL,
	`type` text NOT NULL,
	`message_id` text DEFAULT '' NOT NULL,
	`provider` text,
	`actor` text,
	`detail` text,
	PRIMARY KEY(`user_id`, `at`, `type`, `message_id`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `users` (id, email, email_fingerprint, password_hash, email_verified_at, pending_email, generation, created_at) SELECT id, email, email_fingerprint, password_hash, email_verified_at, pending_email, generation, created_at FROM `held_users`;
--> statement-breakpoint
INSERT INTO `sessions` (id, user_id, created_at, expires_at, ip, user_agent) SELECT id, user_id, created_at, expires_at, ip, user_agent FROM `held_sessions`;
--> statement-breakpoint
INSERT INTO `messages` (id, user_id, kind, locale, to_email, generation, state, attempts, not_before, lease_until, provider, provider_message_id, error, created_at, sent_at, settled_at) SELECT id, user_id, kind, locale, to_email, generation, state, attempts, not_before, lease_until, provider, provider_message_id, error, created_at, sent_at, settled_at FROM `held_messages`;
--> statement-breakpoint
INSERT INTO `email_changes` (id, user_id, from_email, from_fingerprint, to_email, to_fingerprint, to_password_hash, created_at) SELECT id, user_id, from_email, from_fingerprint, to_email, to_fingerprint, to_password_hash, created_at FROM `held_email_changes`;
--> statement-breakpoint
INSERT INTO `retired_links` (email_fingerprint, retired_at) SELECT email_fingerprint, retired_at FROM `held_retired_links`;
--> statement-breakpoint
INSERT INTO `suppressions` (email, reason, created_at, expires_at) SELECT email, reason, created_at, expires_at FROM `held_suppressions`;
--> statement-breakpoint
INSERT OR IGNORE INTO `events` (user_id, at, type, message_id, detail) SELECT user_id, at, type, message_id, detail FROM `held_events`;
--> statement-breakpoint
DROP TABLE `held_users`;
--> statement-breakpoint
DROP TABLE `held_sessions`;
--> statement-breakpoint
DROP TABLE `held_messages`;
--> statement-breakpoint
DROP TABLE `held_email_changes`;
--> statement-breakpoint
DROP TABLE `held_retired_links`;
--> statement-breakpoint
DROP TABLE `held_suppressions`;
--> statement-breakpoint
DROP TABLE `held_events`;
--> statement-breakpoint
-- Nobody will report on mails sent before there were reports.
UPDATE `messages` SET settled_at = coalesce(sent_at, created_at) WHERE state = 'sent';
--> statement-breakpoint
CREATE INDEX `users_email_fingerprint` ON `users` (`email_fingerprint`);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_verified_email` ON `users` (`email`) WHERE email_verified_at is not null;
--> statement-breakpoint
CREATE INDEX `sessions_user_id` ON `sessions` (`user_id`);
--> statement-breakpoint
CREATE INDEX `messages_to_email_created_at` ON `messages` (`to_email`,`created_at`);
--> statement-breakpoint
CREATE INDEX `messages_user_id` ON `messages` (`user_id`);
--> statement-breakpoint
CREATE INDEX `messages_unsettled_created_at` ON `messages` (`created_at`) WHERE settled_at is null;
--> statement-breakpoint
CREATE INDEX `messages_failed_created_at` ON `messages` (`created_at`) WHERE state = 'failed';
--> statement-breakpoint
CREATE INDEX `messages_stalled_at` ON `messages` (`stalled_at`) WHERE stalled_at is not null;
--> statement-breakpoint
CREATE INDEX `messages_cloudflare_id` ON `messages` (`provider_message_id`) WHERE provider = 'cloudflare';
--> statement-breakpoint
CREATE INDEX `email_changes_user_id` ON `email_changes` (`user_id`);
--> statement-breakpoint
CREATE INDEX `retired_links_retired_at` ON `retired_links` (`retired_at`);
--> statement-breakpoint
CREATE INDEX `suppressions_expires_at` ON `suppressions` (`expires_at`) WHERE expires_at is not null;
--> statement-breakpoint
CREATE TABLE `mail_batches` (
	`id` text PRIMARY KEY NOT NULL,
	`message_ids` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `provider_outages` (
	`provider` text PRIMARY KEY NOT NULL,
	`failures` integer NOT NULL,
	`since` integer NOT NULL,
	`down_until` integer NOT NULL,
	`reason` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `daily_sends` (
	`day` text PRIMARY KEY NOT NULL,
	`count` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `figures` (
	`hour` integer NOT NULL,
	`metric` text NOT NULL,
	`dimension` text DEFAULT '' NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`hour`, `metric`, `dimension`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `cursors` (
	`name` text PRIMARY KEY NOT NULL,
	`after` text NOT NULL,
	`up_to` text NOT NULL
) WITHOUT ROWID;
