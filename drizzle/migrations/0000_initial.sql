CREATE TABLE `events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` text NOT NULL,
	`message_id` text,
	`type` text NOT NULL,
	`at` integer NOT NULL,
	`detail` text,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `events_user_id_at` ON `events` (`user_id`,`at`);--> statement-breakpoint
CREATE TABLE `messages` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text,
	`kind` text NOT NULL,
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
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `messages_to_email_created_at` ON `messages` (`to_email`,`created_at`);--> statement-breakpoint
CREATE INDEX `messages_user_id` ON `messages` (`user_id`);--> statement-breakpoint
CREATE INDEX `messages_unsettled_created_at` ON `messages` (`created_at`) WHERE state in ('queued', 'sending');--> statement-breakpoint
CREATE INDEX `messages_failed_created_at` ON `messages` (`created_at`) WHERE state = 'failed';--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`ip` text,
	`user_agent` text,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `sessions_user_id` ON `sessions` (`user_id`);--> statement-breakpoint
CREATE INDEX `sessions_expires_at` ON `sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `suppressions` (
	`email` text PRIMARY KEY NOT NULL,
	`reason` text NOT NULL,
	`created_at` integer NOT NULL
);
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
);
--> statement-breakpoint
CREATE INDEX `users_email_fingerprint` ON `users` (`email_fingerprint`);--> statement-breakpoint
CREATE UNIQUE INDEX `users_verified_email` ON `users` (`email`) WHERE email_verified_at is not null;--> statement-breakpoint
CREATE INDEX `users_unverified_created_at` ON `users` (`created_at`) WHERE email_verified_at is null;