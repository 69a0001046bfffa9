// Cloudflare's published prices, Workers Paid, in dollars for a million beyond what the plan includes.
// https://developers.cloudflare.com/workers/platform/pricing/

export const PER_MILLION = {
  requests: 0.3,
  cpuMs: 0.02,
  rowsWritten: 1,
  rowsRead: 0.001,
  kvWrites: 5,
  kvReads: 0.5,
  queueOperations: 0.4,
} as const

export type Priced = keyof typeof PER_MILLION

/** A message is written, read and deleted. */
export const OPERATIONS_PER_MESSAGE = 3

export const PRICE_TITLES: Readonly<Record<Priced, string>> = {
  requests: 'Workers requests',
  cpuMs: 'Workers CPU, ms (measured here)',
  rowsWritten: 'D1 rows written',
  rowsRead: 'D1 rows read',
  kvWrites: 'KV writes',
  kvReads: 'KV reads',
  queueOperations: 'Queue operations',
}
