// A batch that Drizzle writes once for each isolate, and that a request only fills in. To write SQL from expressions
// takes longer than anything else that a request computes, and the text is the same each time.

import { fillPlaceholders, type Query, type SQL, sql } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

/** What D1 can be given for a parameter. */
type Value = string | number | null

/** A value, or the slot for one. */
export type Given<T> = T | SQL
/** The same for each member. */
export type Givens<T> = { readonly [Name in keyof T]: Given<T[Name]> }

/** An expression for each value: it stands wherever the value itself would stand in a statement. */
export type Slots<Values> = { readonly [Name in keyof Values]: SQL<Values[Name]> }

/** A statement of Drizzle's. */
type Statement = BatchItem<'sqlite'> & {
  prepare(): { getQuery(): Query; mapResult(response: unknown, isFromBatch?: boolean): unknown }
}

interface Prepared {
  readonly sql: string
  readonly params: unknown[]
  readonly mapResult: (response: unknown, isFromBatch?: boolean) => unknown
}

/** A prepared statement with its values: what Drizzle's batch asks of a statement, and no more. */
class FilledStatement<Result> {
  declare readonly _: { readonly dialect: 'sqlite'; readonly result: Result }
  readonly #prepared: Prepared
  readonly #client: D1Database
  readonly #values: Record<string, unknown>

  constructor(prepared: Prepared, client: D1Database, values: Record<string, unknown>) {
    this.#prepared = prepared
    this.#client = client
    this.#values = values
  }

  _prepare() {
    const { sql, params, mapResult } = this.#prepared
    return {
      stmt: this.#client.prepare(sql),
      getQuery: () => ({ sql, params: fillPlaceholders(params, this.#values) }),
      mapResult,
    }
  }
}

type Filled<Statements extends readonly Statement[]> = {
  readonly [Index in keyof Statements]: FilledStatement<Statements[Index]['_']['result']>
}

/**
 * Prepares statements for many runs.
 * @param build makes them, once for each database. A slot is a parameter of the statement: `eq(users.id, slots.id)`,
 * or `${slots.id}` in a template. It is not mapped by a column, so it takes what D1 stores.
 * @returns makes the statements with their values, in the same order and with the same results, for `Deps.batch`
 * @example
 * const readUser = preparedBatch((db, slots: Slots<{ id: string }>) => [
 *   db.select().from(users).where(eq(users.id, slots.id)),
 * ])
 * const [[user]] = await deps.batch(readUser(deps.db, { id }))
 */
export function preparedBatch<
  Values extends { readonly [Name in keyof Values]: Value },
  const Statements extends readonly [Statement, ...Statement[]],
>(
  build: (db: DrizzleD1Database, slots: Slots<Values>) => Statements,
): (db: DrizzleD1Database & { $client: D1Database }, values: Values) => Filled<Statements> {
  const slots = new Proxy({} as Slots<Values>, {
    get: (_, name) => sql`${sql.placeholder(String(name))}`,
  })
  const prepared = new WeakMap<DrizzleD1Database, Prepared[]>()

  function prepare(db: DrizzleD1Database): Prepared[] {
    const statements = build(db, slots).map((statement) => {
      const query = statement.prepare()
      const { sql, params } = query.getQuery()
      return { sql, params, mapResult: query.mapResult.bind(query) }
    })
    prepared.set(db, statements)
    return statements
  }

  return (db, values) => {
    const statements = prepared.get(db) ?? prepare(db)
    const filled = statements.map((each) => new FilledStatement(each, db.$client, values))
    return filled as Filled<Statements>
  }
}
