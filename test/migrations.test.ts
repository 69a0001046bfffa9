// A migration that moves rows is run over rows: what was there before must be found in the new shape.
import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { firstIdOf } from '../src/uuid-v7.ts'

const { DB, TEST_MIGRATIONS } = env
const MINUTE = 60_000

const rows = async <T = Record<string, unknown>>(query: string, ...values: unknown[]) =>
  (
    await DB.prepare(query)
      .bind(...values)
      .all<T>()
  ).results

/** An empty database, with the migrations before one. */
async function migrateUpTo(name: string) {
  const names = TEST_MIGRATIONS.map((migration) => migration.name)
  const nth = names.findIndex((one) => one.startsWith(name))
  expect(nth).toBeGreaterThan(0)
  const tables = (
    await rows<{ name: string }>("select name from sqlite_master where type = 'table'")
  )
    .map((table) => table.name)
    .filter((table) => !/^(_cf_|sqlite_)/.test(table))
  await DB.batch([
    DB.prepare('pragma defer_foreign_keys = on'),
    ...tables.map((table) => DB.prepare(`drop table ${table}`)),
  ])
  await applyD1Migrations(DB, TEST_MIGRATIONS.slice(0, nth))
}

const user = (id: string) =>
  rows(
    `insert into users (id, email, email_fingerprint, password_hash, created_at)
      values (?1, ?1 || '@mail.example', ?1, 'x', 1)`,
    id,
  )

const mail = (id: string, userId: string | null, createdAt: number, settledAt: number | null) =>
  rows(
    `insert into messages (id, user_id, kind, to_email, generation, state, attempts, provider, error, created_at,
      sent_at, settled_at, delivery_rank, batch_id)
      values (?1, ?2, 'verify_email', 'x@mail.example', 7, 'sent', 2, 'sendgrid', 'e', ?3, ?3 + 1, ?4, 3, 'b')`,
    id,
    userId,
    createdAt,
    settledAt,
  )

/** As ids are: five of long ago, and three of now. */
const ofOld = (nth: number) => firstIdOf(1_000_000_000_000 + nth)
const ofNow = (nth: number) => firstIdOf(Date.now() + nth)
const [m1, m2, m3, m4, m5] = [ofOld(1), ofOld(2), ofOld(3), ofOld(4), ofOld(5)]
const [m6, m7, m8] = [ofNow(0), ofNow(1), ofNow(2)]

it('0005: the mails of before are chained by user, those under way are watched, and none is changed', async () => {
  await migrateUpTo('0005')
  for (const id of ['ada', 'bob', 'cleo', 'gone']) await user(id)
  // Of two users in turn, and not written in the order of their ids.
  await mail(m3, 'ada', 3000, null)
  await mail(m1, 'ada', 1000, 1500)
  await mail(m2, 'bob', 2000, 2500)
  await mail(m5, 'ada', 5000, 5500)
  await mail(m4, 'gone', 4000, 4500)
  await mail(m6, 'gone', 6000, null)
  await rows("delete from users where id = 'gone'")
  const before = await rows('select * from messages order by id')
  expect(before).toHaveLength(6)

  await applyD1Migrations(DB, TEST_MIGRATIONS)
  const after = await rows<{ id: string; previous_id: string | null; watched_at: number | null }>(
    'select * from messages order by id',
  )
  expect(after).toMatchObject(before)
  expect(after.map(({ id, previous_id }) => [id, previous_id])).toEqual([
    [m1, null],
    [m2, null],
    [m3, m1],
    [m4, null],
    [m5, m3],
    [m6, null],
  ])
  expect(
    after.flatMap(({ id, watched_at }) => (watched_at === null ? [] : [[id, watched_at]])),
  ).toEqual([
    [m3, 3000],
    [m6, 6000],
  ])
  expect(await rows('select id, last_message_id from users order by id')).toEqual([
    { id: 'ada', last_message_id: m5 },
    { id: 'bob', last_message_id: m2 },
    { id: 'cleo', last_message_id: null },
  ])
  // It goes on from an hour before: what is being written at this moment may have an older id than the last.
  const [cursor] = await rows<{ after: string; up_to: string }>(
    "select after, up_to from cursors where name = 'mails'",
  )
  expect(cursor?.up_to).toBe(m6)
  expect(cursor?.after.localeCompare(firstIdOf(Date.now() - 61 * MINUTE))).toBe(1)
  expect(cursor?.after.localeCompare(firstIdOf(Date.now() - 59 * MINUTE))).toBe(-1)

  // From now on a trigger keeps the end of the chain; a mail outlives its user with their id, and what happens to it
  // then is told of nobody.
  await mail(m7, 'bob', 7000, null)
  await mail(m8, 'nobody', 8000, null)
  expect(await rows("select last_message_id from users where id = 'bob'")).toEqual([
    { last_message_id: m7 },
  ])
  await rows(`insert into events (user_id, at, type, message_id)
    select user_id, 1, 'mail_stalled', id from messages`)
  expect(await rows('select user_id, message_id from events order by 1, 2')).toEqual([
    { user_id: 'ada', message_id: m1 },
    { user_id: 'ada', message_id: m3 },
    { user_id: 'ada', message_id: m5 },
    { user_id: 'bob', message_id: m2 },
    { user_id: 'bob', message_id: m7 },
  ])
  await rows("delete from users where id = 'ada'")
  expect(await rows("select id from messages where user_id = 'ada' order by id")).toEqual([
    { id: m1 },
    { id: m3 },
    { id: m5 },
  ])
})

it('0005: an empty database stays one', async () => {
  await migrateUpTo('0005')
  await applyD1Migrations(DB, TEST_MIGRATIONS)
  for (const table of ['users', 'messages', 'cursors']) {
    expect(await rows(`select * from ${table}`)).toEqual([])
  }
})
