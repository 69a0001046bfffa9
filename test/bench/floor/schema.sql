create table users (
  id text primary key not null,
  email text not null unique,
  verified_at integer
) without rowid;

create table sessions (
  id text primary key not null,
  user_id text not null,
  expires_at integer not null
) without rowid;

create table messages (
  id text primary key not null,
  user_id text not null,
  state text not null,
  created_at integer not null
) without rowid;
create index messages_user_id_created_at on messages (user_id, created_at);
