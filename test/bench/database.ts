// Makes a contestant's D1 and fills it: Miniflare creates the file, SQLite itself writes the rows, which is a
// hundred times faster than going through D1.

import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import type { Population } from './population.ts'
import { NOW, type Side } from './sides/side.ts'

/**
 * Makes a database, and keeps it: another call for the same gives another copy.
 * @param side whose
 * @param name of what it is for, part of the directory's name
 * @param population who is in it
 * @param scratch a directory for all of them
 * @returns the directory to serve from
 */
export async function createDatabase(
  side: Side,
  name: string,
  population: Population,
  scratch: string,
): Promise<string> {
  const people = createHash('sha256').update(JSON.stringify(population)).digest('hex').slice(0, 12)
  const key = `${side.name}-${name}-${people}`
  const template = join(scratch, `data-${key}`)
  if (!existsSync(template)) {
    mkdirSync(template, { recursive: true })
    await touch(side, template)
    await fill(side, template, population)
  }
  const copy = join(scratch, `copy-${key}-${++copies}`)
  cpSync(template, copy, { recursive: true })
  return copy
}

let copies = 0

/** Has Miniflare create the file where it will look for it. */
async function touch(side: Side, directory: string): Promise<void> {
  const options = {
    log: new Log(LogLevel.NONE),
    resourcePersistencePath: directory,
    telemetry: { enabled: false },
    name: side.name,
    modules: [{ type: 'ESModule' as const, path: 'a.js', contents: 'export default {}' }],
    compatibilityDate: '2026-09-01',
    d1Databases: { DB: side.name },
  }
  const miniflare = new Miniflare(convertV4MiniflareOptions(options))
  const db = await miniflare.getD1Database('DB')
  await db.prepare('create table if not exists bench_touched (i integer)').run()
  await miniflare.dispose()
}

/**
 * Opens the database file of a directory.
 * @param directory from {@link createDatabase}, not served at the moment
 */
export function openDatabase(directory: string): DatabaseSync {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (path) => /D1DatabaseObject/.test(path) && /[0-9a-f]{64}\.sqlite$/.test(path),
  )
  const [file] = files
  if (file === undefined || files.length > 1) throw new Error(`${files.length} databases`)
  return new DatabaseSync(join(directory, file))
}

async function fill(side: Side, directory: string, population: Population): Promise<void> {
  const db = openDatabase(directory)
  db.exec('pragma journal_mode = delete')
  for (const statement of side.schema()) db.exec(statement)
  db.exec('drop table bench_touched')
  db.exec(
    'pragma foreign_keys = off; pragma synchronous = off; pragma journal_mode = off; pragma cache_size = -1000000',
  )
  db.exec('begin')
  await side.seed(db, population, NOW)
  db.exec('commit')
  // D1 keeps no statistics unless it is told to; neither does this.
  db.close()
}
