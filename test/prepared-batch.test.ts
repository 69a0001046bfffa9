// Against workerd's own D1: the same rows come back as from statements that Drizzle writes anew each time.

import { env } from 'cloudflare:workers'
import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { beforeEach, describe, expect, it } from 'vitest'
import { preparedBatch, type Slots } from '../src/prepared-batch.ts'

const people = sqliteTable('prepared_people', {
  id: text().primaryKey(),
  name: text(),
  bornAt: integer('born_at'),
  isAdult: integer('is_adult', { mode: 'boolean' }),
})
const pets = sqliteTable('prepared_pets', { id: text().primaryKey(), ownerId: text('owner_id') })

const db = drizzle(env.DB)
let built = 0

const write = preparedBatch(
  (db, v: Slots<{ id: string; name: string | null; bornAt: number; pet: string }>) => [
    db
      .insert(people)
      .values({ id: v.id, name: v.name, bornAt: v.bornAt, isAdult: true })
      .onConflictDoUpdate({ target: people.id, set: { name: v.name } })
      .returning(),
    db.insert(pets).select(sql`select ${v.pet}, ${v.id}`),
  ],
)
const read = preparedBatch((db, v: Slots<{ id: string; least: number }>) => {
  built++
  return [
    db
      .select({ person: people, pet: sql<string>`${pets.id}`.as('pet_id') })
      .from(people)
      .innerJoin(pets, eq(pets.ownerId, people.id))
      .where(sql`${people.id} = ${v.id} and born_at >= ${v.least}`),
    db.select({ many: sql<number>`count(*)` }).from(people),
  ]
})

beforeEach(async () => {
  await env.DB.batch([
    env.DB.prepare('drop table if exists prepared_people'),
    env.DB.prepare('drop table if exists prepared_pets'),
    env.DB.prepare(
      'create table prepared_people (id text primary key, name text, born_at integer, is_adult integer)',
    ),
    env.DB.prepare('create table prepared_pets (id text primary key, owner_id text)'),
  ])
})

describe('a prepared batch', () => {
  it('maps rows as Drizzle does, joined tables and booleans too', async () => {
    const [[written]] = await db.batch(
      write(db, { id: 'a', name: 'Ada', bornAt: 1815, pet: 'cat' }),
    )
    expect(written).toEqual({ id: 'a', name: 'Ada', bornAt: 1815, isAdult: true })
    const [found, [count]] = await db.batch(read(db, { id: 'a', least: 1800 }))
    expect(found).toEqual([{ person: written, pet: 'cat' }])
    expect(count).toEqual({ many: 1 })
    const [nobody] = await db.batch(read(db, { id: 'a', least: 1900 }))
    expect(nobody).toEqual([])
  })

  it('takes other values at each run, null among them, and keeps none', async () => {
    await db.batch(write(db, { id: 'a', name: 'Ada', bornAt: 1815, pet: 'cat' }))
    const [[renamed]] = await db.batch(write(db, { id: 'a', name: null, bornAt: 0, pet: 'dog' }))
    expect(renamed).toEqual({ id: 'a', name: null, bornAt: 1815, isAdult: true })
    const runs = ['b', 'c', 'd'].map((id) =>
      db.batch(write(db, { id, name: id, bornAt: 1, pet: `of ${id}` })),
    )
    const written = await Promise.all(runs)
    expect(written.map(([[person]]) => person?.name)).toEqual(['b', 'c', 'd'])
  })

  it('is written once for a database', async () => {
    await db.batch(read(db, { id: 'a', least: 0 }))
    const before = built
    for (let i = 0; i < 3; i++) await db.batch(read(db, { id: 'a', least: i }))
    expect(built).toBe(before)
    const other = drizzle(env.DB)
    await other.batch(read(other, { id: 'a', least: 0 }))
    expect(built).toBe(before + 1)
  })

  it('puts values into parameters, never into the text', async () => {
    const name = `'); drop table prepared_people; --`
    const [[written]] = await db.batch(write(db, { id: 'a', name, bornAt: 1, pet: 'cat' }))
    expect(written?.name).toBe(name)
  })

  it('is one transaction', async () => {
    await db.batch(write(db, { id: 'a', name: 'Ada', bornAt: 1, pet: 'cat' }))
    await expect(
      db.batch(write(db, { id: 'b', name: 'Bob', bornAt: 1, pet: 'cat' })),
    ).rejects.toThrow()
    const [, [count]] = await db.batch(read(db, { id: 'a', least: 0 }))
    expect(count).toEqual({ many: 1 })
  })
})
