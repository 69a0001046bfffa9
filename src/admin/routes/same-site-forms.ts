// Forms from the desk's own pages only; JSON is left to its content type, which another site cannot have sent.

import { createMiddleware } from 'hono/factory'
import { isFormPost } from '../../http/negotiation.ts'
import { sameSite } from '../../pages/form-body.ts'

/** Refuses another site's form with 403: it would act with the session of whoever is lured there. */
export const sameSiteForms = createMiddleware((c, next) =>
  isFormPost(c) ? sameSite(c, next) : next(),
)
