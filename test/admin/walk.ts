// Every request of the desk, once: for the tests that look at the statements it runs.

import { expect } from 'vitest'
import { PASSWORD } from '../support/browser.ts'
import { freshAddress, type Harness } from '../support/harness.ts'
import { claim, deliverRefused, owner, Program } from './desk.ts'

/**
 * Walks through it. A walk that stumbles would leave statements out, so each answer is looked at.
 * @param h a Worker with a desk
 */
export async function walkDesk(h: Harness): Promise<void> {
  const program = new Program(h)
  const reason = 'a walk through the desk'
  const [waiting, settled] = [await claim(h), await owner(h)]
  await h.browser().register(waiting.email)
  const change = { new_email: freshAddress('next'), password: PASSWORD }
  await settled.browser.post('/auth/change-email', change)
  await deliverRefused(h)

  const failed = await program.get('/admin/mails/failed')
  const [first, ...rest] = failed.body.mails.map(({ id }: { id: string }) => id)
  const before = `${h.now}_${first}`
  const answers = [
    failed,
    await program.get(`/admin/mails/failed?before=${before}`),
    await program.post(`/admin/mails/${first}/retry`, { reason }),
    await program.post('/admin/mails/failed/retry', { reason, ids: rest }),
    await program.post('/admin/users/find', { query: waiting.email }),
    await program.post('/admin/users/find', { query: waiting.id }),
    await program.post('/admin/lift-suppression', { reason, email: waiting.email }),
    await program.get('/admin/figures'),
    await program.get('/admin/figures?by=day'),
  ]
  for (const { id } of [settled, waiting]) {
    const at = `/admin/users/${id}`
    answers.push(
      await program.get(at),
      await program.get(`${at}/timeline`),
      await program.get(`${at}/export`),
      await program.post(`${at}/resend`, { reason }),
      await program.post(`${at}/resend`, { reason, kind: 'reset' }),
      await program.post(`${at}/link`, { reason, purpose: 'verify' }),
      await program.post(`${at}/link`, { reason, purpose: 'reset' }),
      await program.post(`${at}/lift-suppression`, { reason }),
      await program.post(`${at}/verify`, { reason }),
    )
  }
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
}
