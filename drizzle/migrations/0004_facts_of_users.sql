ALTER TABLE `users` ADD `verified_by` text;--> statement-breakpoint
ALTER TABLE `users` ADD `link_opened_at` integer;