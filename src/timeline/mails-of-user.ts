// Whose a mail is, and which mails are somebody's. Each mail names its user, but no index leads back: an entry more
// would be paid for with every mail. From `users.last_message_id` the mails of a user form a chain along
// `previous_id`, newest first; it ends where the ledger was pruned, which takes the oldest first.

import { type SQL, sql } from 'drizzle-orm'

/** How many mails are walked to find the newest of a kind: a flood of them must not make every page view slow. */
const LOOKED_THROUGH = 1000

/**
 * A subquery for the ids of a user's newest mails, in no certain order.
 * @param last an expression for the user's `last_message_id`
 * @param most how many at most, and how far it is read
 */
export function mailsFrom(last: SQL, most: number): SQL {
  return sql`(${chain(last, sql`false`, most)} select id from chain)`
}

/**
 * A subquery for the id of a user's newest mail that fits; null where none of the newest thousand does. It reads
 * no further than to the one it finds, which mostly is the first.
 * @param last an expression for the user's `last_message_id`
 * @param fits a condition on a mail `m`, never null
 */
export function newestMailFrom(last: SQL, fits: SQL): SQL {
  return sql`(${chain(last, fits, LOOKED_THROUGH)} select id from chain where fits)`
}

/** The walk along the chain, up to the first mail that fits. */
function chain(last: SQL, fits: SQL, most: number): SQL {
  return sql`with recursive chain(id, previous_id, place, fits) as (
      select m.id, m.previous_id, 1, ${fits} from messages m where m.id = ${last}
      union all
      select m.id, m.previous_id, place + 1, ${fits} from chain join messages m on m.id = chain.previous_id
        where not chain.fits and place < ${most})`
}

/**
 * An expression for the id of the user that a mail was written for; null where the user is gone, or none was named.
 * The row itself goes on naming who is gone.
 * @param mail the table's name or alias
 */
export function userOf(mail: SQL): SQL<string | null> {
  return sql`(select u.id from users u where u.id = ${mail}.user_id)`
}
