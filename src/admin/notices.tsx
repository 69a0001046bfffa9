// What a page of the desk says about what was just done, chosen by a word in the URL from a fixed list.

import type { Context } from 'hono'
import { NoticeBox, noticeAmong } from '../pages/notices.tsx'

const NOTICES = {
  sent: 'A mail is on its way.',
  verified: 'The address is verified. Other claims on it are gone.',
  already_verified: 'The address is verified already; nothing was changed.',
  lifted: 'The suppression is lifted: mail goes there again. A new one has to be sent.',
  not_suppressed: 'There is no suppression to lift.',
  retried: 'Back in the queue; what becomes of it shows in a moment.',
  not_failed: 'It has not failed (any more); nothing was changed.',
  suppressed: 'Not sent: the address is suppressed. Lift the suppression first.',
  email_taken: 'Not done: the address belongs to another account.',
} as const

export type DeskNotice = keyof typeof NOTICES

/**
 * The notice that a page's URL asks for.
 * @param c the request's context
 * @returns undefined for none, and for one that is not on the list
 */
export function deskNoticeOf(c: Context): DeskNotice | undefined {
  return noticeAmong(NOTICES, c)
}

/** The notice, where there is one. */
export function Notice({ name }: { readonly name: DeskNotice | undefined }) {
  return name === undefined ? null : <NoticeBox text={NOTICES[name]} />
}
