-- What `npx auth generate` writes for these options on SQLite: the tables of better-auth 1.6, with the indexes
-- that its schema declares (get-tables.mjs: unique and index), and the table of its rate limit.
create table user (
  id text primary key not null,
  name text not null,
  email text not null unique,
  email_verified integer not null default false,
  image text,
  created_at integer not null,
  updated_at integer not null
);

create table session (
  id text primary key not null,
  expires_at integer not null,
  token text not null unique,
  created_at integer not null,
  updated_at integer not null,
  ip_address text,
  user_agent text,
  user_id text not null references user(id) on delete cascade
);
create index session_user_id_idx on session (user_id);

create table account (
  id text primary key not null,
  account_id text not null,
  provider_id text not null,
  user_id text not null references user(id) on delete cascade,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at integer,
  refresh_token_expires_at integer,
  scope text,
  password text,
  created_at integer not null,
  updated_at integer not null
);
create index account_user_id_idx on account (user_id);

create table verification (
  id text primary key not null,
  identifier text not null,
  value text not null,
  expires_at integer not null,
  created_at integer not null,
  updated_at integer not null
);
create index verification_identifier_idx on verification (identifier);

create table rate_limit (
  id text primary key not null,
  key text not null unique,
  count integer not null,
  last_request integer not null
);
