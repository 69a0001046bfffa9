// Going through a whole table at leisure, in slices by key: one slice a run of the cron, from the first key to the last
// and again from the first.

import { type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Deps } from './deps.ts'
import { cursors } from './schema.ts'

/** Keys of a slice, hence the most that one run reads of a table. */
export const SLICE_KEYS = 5_000
/** After the last key: no key, of hexadecimal digits, dashes or base64url, sorts beyond it. */
const END = '~'

/** Who goes through what; the name of its row in `cursors`. */
type SliceName = 'claims' | 'sessions' | 'events' | 'unwatched'

/**
 * A statement that moves on to the next slice: from the end of the last one, or from the first key where that was the
 * table's end.
 * @param db builds it
 * @param name who goes through it
 * @param table which one
 * @param key its key, or the first column of it
 */
export function nextSlice(db: Deps['db'], name: SliceName, table: SQLiteTable, key: SQLiteColumn) {
  const after = sql`coalesce(
    (select iif(up_to = ${END}, '', up_to) from cursors where name = ${name}), '')`
  const upTo = sql`coalesce(
    (select ${key} from ${table} where ${key} > ${after}
      order by ${key} limit 1 offset ${SLICE_KEYS - 1}), ${END})`
  return (
    db
      .insert(cursors)
      // `where true` keeps SQLite from reading `on conflict` as a join constraint.
      .select(sql`select ${name}, ${after}, ${upTo} where true`)
      .onConflictDoUpdate({
        target: cursors.name,
        set: { after: sql`excluded.after`, upTo: sql`excluded.up_to` },
      })
  )
}

/**
 * A condition for the rows of the slice at work: between two keys, whether or not the rows that had them are there.
 * @param name who goes through them
 * @param key as for {@link nextSlice}
 */
export function inSlice(name: SliceName, key: SQLiteColumn): SQL {
  return sql`${key} > (select after from cursors where name = ${name})
    and ${key} <= (select up_to from cursors where name = ${name})`
}
