// Who is in the database: numbered people, each with an address, an IP and a session that follow from the number,
// so that both sides hold the same people and requests can be written without reading anything back.

import { createHash } from 'node:crypto'

/** Ranges of people by what is done with them: an operation that uses somebody up has a range to itself. */
export interface Population {
  /** Verified, with a password that is known. */
  readonly logins: number
  /** Verified: whose session is checked. */
  readonly checks: number
  /** Verified: who confirm once more. */
  readonly repeats: number
  /** Unverified: who open the link, and confirm. */
  readonly confirms: number
  /** Unverified: who ask for the mail again, with their session. */
  readonly resends: number
  /** Unverified: who ask for the mail again, by address. */
  readonly publicResends: number
  /** Unverified, with a mail that waits in the outbox. */
  readonly waiting: number
  /** Verified, and never seen: the size of the tables. */
  readonly others: number
}

export type Range = keyof Population

const ORDER: readonly Range[] = [
  'logins',
  'checks',
  'repeats',
  'others',
  'confirms',
  'resends',
  'publicResends',
  'waiting',
]

export const NOBODY: Population = {
  logins: 0,
  checks: 0,
  repeats: 0,
  confirms: 0,
  resends: 0,
  publicResends: 0,
  waiting: 0,
  others: 0,
}

/** The first number of a range. */
export function firstOf(population: Population, range: Range): number {
  return ORDER.slice(0, ORDER.indexOf(range)).reduce((sum, name) => sum + population[name], 0)
}

/** How many there are. */
export function sizeOf(population: Population): number {
  return ORDER.reduce((sum, name) => sum + population[name], 0)
}

/** Numbers below it are verified people, the others have not proven their address. */
export function verifiedIn(population: Population): number {
  return firstOf(population, 'confirms')
}

export const PASSWORD = 'correct horse battery staple'

export const addressOf = (i: number) => `person-${String(i).padStart(7, '0')}@mail.example`

/** One network each, as limits count them. */
export const ipOf = (i: number) =>
  `2001:db8:${((i >>> 16) & 0xffff).toString(16)}:${(i & 0xffff).toString(16)}::1`

/** A key in the order of the numbers, older than any that is made now. */
export const uuidOf = (i: number, kind = 0) =>
  `0193000${kind}-0000-7000-8000-${i.toString(16).padStart(12, '0')}`

/** 43 characters that look random and are not. */
export const secretOf = (what: string, i: number) =>
  createHash('sha256').update(`${what} ${i}`).digest('base64url')

export const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
