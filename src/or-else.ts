// A rule that nothing breaks: what does not fit counts as something else.

import * as z from 'zod/mini'

/**
 * What `z.catch` does with a constant. That one reaches into zod's toolbox as a whole, all of which would then be in
 * the bundle.
 * @param schema what should come
 * @param value what counts instead of anything that does not fit; the same object each time
 */
export function orElse<T extends z.ZodMiniType>(schema: T, value: z.output<T>): z.ZodMiniCatch<T> {
  const rule = new z.ZodMiniCatch({
    type: 'catch',
    innerType: schema,
    catchValue: () => value,
  })
  return rule as z.ZodMiniCatch<T>
}
