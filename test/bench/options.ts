// What the command line may say.

import { parseArgs } from 'node:util'
import { HASHES, OPERATIONS, type Operation } from './sides/side.ts'

export const PARTS = [
  'bundle',
  'counts',
  'money',
  'distance',
  'growth',
  'throughput',
  'drain',
] as const
export type Part = (typeof PARTS)[number]

export interface Options {
  readonly parts: ReadonlySet<Part>
  readonly quick: boolean
  /** Where the results go; null: where they belong. */
  readonly out: string | null
  /** Instead of measuring: where the time of this operation, or of a mail, goes. */
  readonly profile: Profiled | null
}

/** An operation, or how the consumer sends mails. */
export type Profiled = Operation | 'drain'

const PROFILED: readonly Profiled[] = [
  ...OPERATIONS.filter((operation) => !HASHES.has(operation)),
  'drain',
]

const USAGE = `npm run bench -- [options]

  --quick             fewer rounds and smaller tables, to see that it works; nothing to quote
  --only a,b          some parts only: ${PARTS.join(', ')}
                      (the others keep what they have in results.json)
  --out directory     where results.json, table.md and chart.svg go:
                      test/bench/results, with --quick .wrangler/bench
  --profile operation measures nothing, but writes where the CPU time of our Worker goes to .wrangler/bench:
                      ${PROFILED.join(', ')}
`

/**
 * Reads the command line.
 * @param args without node and script
 * @returns the options, or the text to show instead
 */
export function readOptions(args: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        out: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return USAGE
    const names = values.only?.split(',') ?? [...PARTS]
    const parts = PARTS.filter((part) => names.includes(part))
    if (parts.length !== names.length) return `Unknown part in --only ${values.only}\n\n${USAGE}`
    const profile = PROFILED.find((operation) => operation === values.profile) ?? null
    if (values.profile !== undefined && profile === null) {
      return `Unknown operation in --profile ${values.profile}\n\n${USAGE}`
    }
    return { parts: new Set(parts), quick: values.quick, out: values.out ?? null, profile }
  } catch (error) {
    return `${error instanceof Error ? error.message : error}\n\n${USAGE}`
  }
}
