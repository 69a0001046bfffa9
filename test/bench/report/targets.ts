// What we set out to reach, and whether we did.

import { CALLERS } from '../parts/throughput.ts'
import type { Results } from '../results.ts'
import type { Operation } from '../sides/side.ts'
import { HASHES, OPERATIONS, TITLES } from '../sides/side.ts'
import { dollars, kib, short, times } from './format.ts'

export interface Target {
  readonly what: string
  readonly wanted: string
  readonly got: string
  /** Null where it was not measured. */
  readonly met: boolean | null
}

const KIB = 1024

/** Where both spend their time in the same hash, a hair's breadth is noise. */
const LEVEL = 0.97

/** Those that the results have something to say about. */
export function targetsOf(results: Results): Target[] {
  const { throughput, drain, growth, bundle, counts, money } = results
  const targets: Target[] = []
  /** `value` is NaN where a part of it is missing. */
  const add = (
    what: string,
    wanted: string,
    value: number,
    got: string,
    isMet: (value: number) => boolean,
  ) => {
    const isMeasured = Number.isFinite(value)
    targets.push({
      what,
      wanted,
      got: isMeasured ? got : '–',
      met: isMeasured ? isMet(value) : null,
    })
  }

  /** The worst of all numbers of callers: what is claimed holds for each. */
  const worst = (operation: Operation, against: 'toPeer' | 'toFloor') =>
    Math.min(
      ...CALLERS.map(
        (callers) =>
          (throughput ?? []).find(
            (cell) => cell.operation === operation && cell.callers === callers,
          )?.[against]?.median ?? Number.NaN,
      ),
    )
  if (throughput !== undefined) {
    const compare = (operation: Operation, against: 'toPeer' | 'toFloor', least: number) => {
      const ratio = worst(operation, against)
      const whom = against === 'toPeer' ? "the peer's" : "the floor's"
      add(
        `${TITLES[operation]}: requests per second, of ${whom}`,
        `≥ ${times(least)}`,
        ratio,
        times(ratio),
        (value) => value >= least,
      )
    }
    compare('confirm', 'toPeer', 2)
    compare('check', 'toPeer', 2)
    compare('resend', 'toPeer', 5)
    compare('register', 'toPeer', LEVEL)
    compare('login', 'toPeer', LEVEL)
    for (const operation of ['confirm', 'repeat', 'resend', 'check'] as const) {
      compare(operation, 'toFloor', 0.8)
    }
    compare('forged', 'toFloor', 0.9)
  }
  const [plain] = drain ?? []
  if (plain !== undefined) {
    const ratio = plain.toFloor?.median ?? Number.NaN
    add(
      "queue drain: mails per second, of the floor's",
      `≥ ${times(0.8)}`,
      ratio,
      times(ratio),
      (value) => value >= 0.8,
    )
  }
  if (growth !== undefined) {
    const ours = growth.rows.filter(({ side }) => side === 'ours')
    // One that is missing is NaN, and makes the most of all NaN.
    const most = Math.max(...ours.map(({ slowdown }) => slowdown ?? Number.NaN))
    const slowest = ours.find(({ slowdown }) => slowdown === most)
    const to = growth.users.at(-1)
    add(
      `no operation slower from ${growth.users[0]} to ${to} users`,
      `≤ ${times(1.3)}`,
      most,
      `${times(most)} (${slowest === undefined ? '' : TITLES[slowest.operation]})`,
      (value) => value <= 1.3,
    )
  }
  if (bundle !== undefined) {
    const { gzipBytes } = bundle.ours
    const got = `${kib(gzipBytes)} (the peer ${kib(bundle.peer.gzipBytes)})`
    add('bundle, gzipped', '< 90 KiB', gzipBytes, got, (value) => value < 90 * KIB)
  }
  if (counts !== undefined) {
    const trips = OPERATIONS.filter((operation) => !HASHES.has(operation)).map(
      (operation) => counts.ours[operation]?.d1Trips ?? Number.NaN,
    )
    const most = Math.max(...trips)
    add('D1 delays where no password is checked', '≤ 1', most, short(most), (value) => value <= 1)
  }
  if (money !== undefined) {
    const { total } = money.ours
    const got = `${dollars(total)} (the peer ${dollars(money.peer.total)})`
    add('a million verified sign-ups', '< $20', total, got, (value) => value < 20)
  }
  return targets
}
