// The batches at their barest: each statement says why it has to be there. What ours does besides is left out:
// - a confirmation asks nothing of the link (no retired ones, no fingerprint of the address), rotates a session without
//   looking whether it has expired, and does not end the silence of an address whose owner had disowned it;
// - a resend knows no change of address, tells no limit of one's own from one used up by others, and writes down no
//   refusal;
// - a mail's record has no number of attempts, no batch and no kind, and no cap of a day or suppression is asked.

/** Which session came with a request. */
export interface SessionKey {
  readonly userId: string
  readonly id: string
}

/** The limit per address: so many mails within so long. */
const LIMIT = 3
const WINDOW_MS = 15 * 60_000

/** Whose session it is. */
export function readSession(db: D1Database, { userId, id }: SessionKey): D1PreparedStatement[] {
  return [
    db
      .prepare(
        `select u.id, u.email, u.verified_at, s.expires_at from sessions s
         join users u on u.id = s.user_id where s.user_id = ?1 and s.id = ?2 and s.expires_at > ?3`,
      )
      .bind(userId, id, Date.now()),
  ]
}

/** The same, and the state of the last mail, for the page that waits for it. */
export function readSessionAndMail(db: D1Database, session: SessionKey): D1PreparedStatement[] {
  return [
    ...readSession(db, session),
    db
      .prepare(
        `select m.state, m.created_at, m.sent_at from sessions s join users u on u.id = s.user_id
         join messages m on m.to_email = u.email and m.user_id = u.id
         where s.user_id = ?1 and s.id = ?2 and s.expires_at > ?3 order by m.created_at desc limit 1`,
      )
      .bind(session.userId, session.id, Date.now()),
  ]
}

/** Mailbox and claim make the address theirs, once. */
export function confirm(
  db: D1Database,
  { userId, id }: SessionKey,
  email: string,
  nextId: string,
): D1PreparedStatement[] {
  const now = Date.now()
  return [
    // The address is verified if the claim is this session's and nobody owns it. The row keeps the moment (S14, F7).
    db
      .prepare(
        `update users set verified_at = ?1
         where id = (select s.user_id from sessions s
             where s.user_id = ?2 and s.id = ?3 and s.expires_at > ?1)
           and email = ?4 and verified_at is null
           and not exists (select 1 from users o where o.email = ?4 and o.verified_at is not null)`,
      )
      .bind(now, userId, id, email),
    // Rivals die in the same transaction, or one of them could be verified by the next click (F2).
    db
      .prepare('delete from users where changes() = 1 and email = ?1 and verified_at is null')
      .bind(email),
    // New rights, new token (S12); and what the answer says of the user, a second click's as well (S9).
    db
      .prepare(
        `update sessions set id = ?1 where user_id = ?2 and id = ?3
           and exists (select 1 from users u where u.id = ?2 and u.email = ?4 and u.verified_at is not null)
         returning user_id, (select json_array(u.email, u.verified_at) from users u where u.id = user_id) as user`,
      )
      .bind(nextId, userId, id, email),
  ]
}

/** Another mail for a claim, if its address has had fewer than the limit. */
export function resend(
  db: D1Database,
  { userId, id }: SessionKey,
  messageId: string,
): D1PreparedStatement[] {
  const now = Date.now()
  return [
    // The mail is in D1 before the answer (promise 1), and counting and writing are one statement (promise 2).
    db
      .prepare(
        `insert into messages (id, user_id, to_email, state, created_at)
         select ?1, u.id, u.email, 'queued', ?2 from sessions s join users u on u.id = s.user_id
         where s.user_id = ?3 and s.id = ?4 and s.expires_at > ?2 and u.verified_at is null
           and (select count(*) from messages m
             where m.to_email = u.email and m.created_at > ?2 - ${WINDOW_MS}) < ${LIMIT}
         returning id`,
      )
      .bind(messageId, now, userId, id),
    // The timeline has who asked for it (S14, F7).
    db
      .prepare(
        `insert into events (user_id, at, type, message_id)
         select ?1, ?2, 'resend_requested', ?3 where changes() = 1`,
      )
      .bind(userId, now, messageId),
  ]
}
