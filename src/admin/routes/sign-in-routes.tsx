// Sitting down at the desk, and leaving it.

import type { Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { newApp } from '../../http/new-app.ts'
import { sameSite } from '../../pages/form-body.ts'
import { brandOf } from '../../pages/layout.tsx'
import { isSameText } from '../../signing/same-text.ts'
import { sendDesk } from '../desk-layout.tsx'
import { sentences } from '../desk-parts.tsx'
import { DESK_SESSION_MS, signDeskSession } from '../desk-session.ts'
import { signInBody } from '../request-bodies.ts'
import { SignInPage } from '../sign-in-page.tsx'
import { deskBody } from './desk-body.ts'
import { clearDeskCookie, setDeskCookie } from './desk-cookie.ts'
import { type DeskEnv, guessed } from './require-desk.tsx'

/**
 * The forms in front of the gate.
 * @param deps capabilities
 * @param adminToken `ADMIN_TOKEN`
 */
export function signInRoutes(deps: Deps, adminToken: string): Hono<DeskEnv> {
  const { config } = deps
  const brand = brandOf(config)
  const app = newApp<DeskEnv>()

  app.post('/admin/sign-in', sameSite, async (c) => {
    const body = await deskBody(c, signInBody)
    if (!body.ok) {
      const { name, to } = body.typed
      const errors = sentences(body.errors)
      return sendDesk(c, <SignInPage {...{ brand, to, name, errors }} />, 422)
    }
    const { name, token, to } = body.data
    const errors = { token: 'This is not the token.' }
    const refuse = () => sendDesk(c, <SignInPage {...{ brand, to, name, errors }} />, 401)
    const isRight = () => isSameText(adminToken, token)
    const refusal = await guessed(c, deps, isRight, 'token', refuse)
    if (refusal !== undefined) return refusal

    const expiresAt = deps.now() + DESK_SESSION_MS
    setDeskCookie(c, config, await signDeskSession(adminToken, { name, expiresAt }), expiresAt)
    deps.log('desk_signed_in', { actor: name })
    return c.redirect(to, 303)
  })

  app.post('/admin/sign-out', sameSite, (c) => {
    clearDeskCookie(c, config)
    return c.redirect('/admin', 303)
  })

  return app
}
