-- The tables that the design's statements touch, with the indexes that those statements need and no other.
create table users (
  id text primary key not null,
  email text not null,
  password_hash text not null,
  verified_at integer,
  created_at integer not null
) without rowid;
-- Rivals: all claims on an address.
create index users_email on users (email);
-- One owner to an address.
create unique index users_verified_email on users (email) where verified_at is not null;

create table sessions (
  user_id text not null references users (id) on delete cascade,
  id text not null,
  expires_at integer not null,
  primary key (user_id, id)
) without rowid;

create table messages (
  id text primary key not null,
  user_id text not null,
  to_email text not null,
  state text not null,
  lease_until integer,
  provider_message_id text,
  created_at integer not null,
  sent_at integer
) without rowid;
-- The limit per address, and the last mail to one.
create index messages_to_email_created_at on messages (to_email, created_at);
-- What a lost enqueue left behind.
create index messages_waiting on messages (created_at) where state in ('queued', 'sending');

create table events (
  user_id text not null references users (id) on delete cascade,
  at integer not null,
  type text not null,
  message_id text not null default '',
  primary key (user_id, at, type, message_id)
) without rowid;
