// What a page says about what was just done. The text is chosen by a word in the URL from a fixed list: free
// text there would let any link put words into our mouth.

import type { Context } from 'hono'

const NOTICES = {
  mail_sent: 'A new mail is on its way. Links in earlier mails keep working.',
  address_replaced: 'The address is changed, and a mail is on its way to the new one.',
  change_requested:
    'We mailed a link to the new address. Until it is opened and confirmed, the old address stays.',
  change_cancelled: 'The change is cancelled. Its link no longer works.',
  password_changed: 'Your password is changed. All other devices are signed out.',
  password_reset: 'Your new password is set. Sign in with it.',
  session_ended: 'That device is signed out.',
  account_deleted: 'Your account is deleted.',
} as const

export type NoticeName = keyof typeof NOTICES

/**
 * The notice that a page's URL asks for.
 * @param c the request's context
 * @returns undefined for none, and for one that is not on the list
 */
export function noticeOf(c: Context): NoticeName | undefined {
  return noticeAmong(NOTICES, c)
}

/** The notice, where there is one. */
export function Notice({ name }: { readonly name: NoticeName | undefined }) {
  return name === undefined ? null : <NoticeBox text={NOTICES[name]} />
}

/**
 * The notice that a URL asks for, of a list.
 * @param notices texts by name
 * @param c the request's context
 * @returns its name; undefined for none, and for one that is not on the list
 */
export function noticeAmong<Name extends string>(
  notices: Readonly<Record<Name, string>>,
  c: Context,
): Name | undefined {
  const asked = c.req.query('notice') ?? ''
  const isOnList = (name: string): name is Name => Object.hasOwn(notices, name)
  return isOnList(asked) ? asked : undefined
}

/** A notice. */
export function NoticeBox({ text }: { readonly text: string }) {
  return (
    <p class="notice" role="status">
      {text}
    </p>
  )
}
