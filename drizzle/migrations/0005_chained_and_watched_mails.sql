-- Two indexes less on every mail. The mails of a user form a chain, from users.last_message_id along previous_id, instead
-- of an index by user, and with it goes the key to users, which an index had to keep. And only mails that take long are
-- indexed for the sweeper, which passes each of them by key a minute after it was written.
ALTER TABLE `users` ADD `last_message_id` text;
--> statement-breakpoint
UPDATE `users` SET `last_message_id` = (SELECT max(`id`) FROM `messages` WHERE `user_id` = `users`.`id`);
--> statement-breakpoint
CREATE TABLE `__new_messages` (
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
	`previous_id` text,
	`watched_at` integer
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_messages` SELECT `id`, `user_id`, `kind`, `locale`, `to_email`, `generation`, `state`, `attempts`, `not_before`, `lease_until`, `provider`, `provider_message_id`, `error`, `created_at`, `sent_at`, `settled_at`, `delivery_rank`, `stalled_at`, `batch_id`,
  CASE WHEN `user_id` IS NOT NULL THEN lag(`id`) OVER (PARTITION BY `user_id` ORDER BY `id`) END,
  CASE WHEN `settled_at` IS NULL THEN `created_at` END
  FROM `messages`;
--> statement-breakpoint
-- The first run goes back an hour, by the instant in the ids: rows that are being written now lie behind the last one.
INSERT INTO `cursors` SELECT 'mails', min(max(`id`), substr(hour_ago, 1, 8) || '-' || substr(hour_ago, 9)), max(`id`)
  FROM `messages`, (SELECT printf('%012x', (unixepoch() - 3600) * 1000) AS hour_ago) HAVING max(`id`) IS NOT NULL;
--> statement-breakpoint
DROP TABLE `messages`;
--> statement-breakpoint
ALTER TABLE `__new_messages` RENAME TO `messages`;
--> statement-breakpoint
CREATE INDEX `messages_to_email_created_at` ON `messages` (`to_email`,`created_at`);--> statement-breakpoint
CREATE INDEX `messages_watched_created_at` ON `messages` (`created_at`) WHERE watched_at is not null and settled_at is null;--> statement-breakpoint
CREATE INDEX `messages_failed_created_at` ON `messages` (`created_at`) WHERE state = 'failed';--> statement-breakpoint
CREATE INDEX `messages_stalled_at` ON `messages` (`stalled_at`) WHERE stalled_at is not null;--> statement-breakpoint
CREATE INDEX `messages_cloudflare_id` ON `messages` (`provider_message_id`) WHERE provider = 'cloudflare';
--> statement-breakpoint
-- Each trigger is one line with one statement in it: the remote D1 takes a longer one apart at the wrong place.
-- Whoever writes a mail, the user names it. Registration names it in the row itself, and nothing is written twice.
CREATE TRIGGER `messages_last` AFTER INSERT ON `messages` BEGIN UPDATE `users` SET `last_message_id` = new.`id` WHERE `id` = new.`user_id` AND `last_message_id` IS NOT new.`id`; END;
--> statement-breakpoint
-- A mail may be about somebody who is gone. What happens to it is no event then, and must not fail, by the key to users,
-- all that is written along with it.
CREATE TRIGGER `events_of_nobody` BEFORE INSERT ON `events` WHEN NOT EXISTS (SELECT 1 FROM `users` WHERE `id` = new.`user_id`) BEGIN SELECT RAISE(IGNORE); END;
