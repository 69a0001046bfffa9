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
);
--> statement-breakpoint
CREATE INDEX `email_changes_user_id` ON `email_changes` (`user_id`);--> statement-breakpoint
CREATE TABLE `retired_links` (
	`email_fingerprint` text PRIMARY KEY NOT NULL,
	`retired_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `retired_links_retired_at` ON `retired_links` (`retired_at`);--> statement-breakpoint
ALTER TABLE `messages` ADD `locale` text DEFAULT 'en' NOT NULL;--> statement-breakpoint
ALTER TABLE `suppressions` ADD `expires_at` integer;--> statement-breakpoint
CREATE INDEX `suppressions_expires_at` ON `suppressions` (`expires_at`) WHERE expires_at is not null;