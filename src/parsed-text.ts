// A rule for a text that stands for something else: a duration, an address, a list of keys.

import * as z from 'zod/mini'

/** Why a text does not fit. */
export interface Unfit {
  readonly unfit: string
}

/**
 * Says that a text does not fit.
 * @param rule the rule it broke, worded to follow the name of the field or setting, without the text itself
 */
export function unfit(rule: string): Unfit {
  return { unfit: rule }
}

/**
 * A schema whose input is a text and whose output is what the text stands for.
 * @param parse makes the one of the other, or says by {@link unfit} why it cannot
 * @param typeRule the message for what is no text
 */
export function parsedText<T>(parse: (text: string) => T | Unfit, typeRule = 'must be a string') {
  return z.pipe(
    z.string(typeRule),
    z.transform((text: string, ctx): T => {
      const result = parse(text)
      if (!isUnfit(result)) return result
      ctx.issues.push({ code: 'custom', message: result.unfit, input: text })
      return z.NEVER
    }),
  )
}

function isUnfit(result: unknown): result is Unfit {
  return typeof result === 'object' && result !== null && 'unfit' in result
}
