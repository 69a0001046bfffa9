// What is counted, under which name, and how durations are put into buckets. What writes the figures and what
// reads them share this.

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/**
 * The way of those who registered in an hour, in its order; each is a number of people. They count for the hour of
 * their registration, whenever they go on.
 */
export const FUNNEL = ['registered', 'accepted', 'delivered', 'opened', 'verified'] as const
export type FunnelStep = (typeof FUNNEL)[number]

/** All metrics, with what their dimension is. */
export const METRICS = [
  ...FUNNEL,
  /** People, by the bucket of how long after registering they verified, for the hour of their registration. */
  'time_to_verify',
  /** Mails, by the bucket of how long they waited for a provider to accept them, for the hour of their writing. */
  'queue_age',
  /** The longest such wait of the hour, in milliseconds. */
  'queue_age_max',
  /** Mails by the state they are in now. */
  'mail_state',
  /** Mails by the provider that accepted them. */
  'provider',
  /** Mails by the recipient's domain; empty for the domains beyond the ones that are named. */
  'bounced',
  'complained',
  /** Mails written and not sent, because their address had its share. */
  'withheld',
  /** Requests turned away, by policy; at least so many. */
  'refused',
] as const
export type Metric = (typeof METRICS)[number]

/** Upper ends of the buckets, in milliseconds, the end included; what is longer is in a bucket of its own. */
export const BUCKETS = {
  time_to_verify: [
    30 * SECOND_MS,
    MINUTE_MS,
    2 * MINUTE_MS,
    5 * MINUTE_MS,
    10 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    6 * HOUR_MS,
    24 * HOUR_MS,
  ],
  queue_age: [
    SECOND_MS,
    2 * SECOND_MS,
    5 * SECOND_MS,
    10 * SECOND_MS,
    30 * SECOND_MS,
    MINUTE_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
  ],
} as const
export type Distribution = keyof typeof BUCKETS

/** The dimension of what is longer than the last bucket. */
export const LONGER = 'longer'

/**
 * The hour that an instant is in.
 * @param at milliseconds since the epoch
 * @returns the hour's first millisecond
 */
export function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}
