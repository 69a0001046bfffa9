// "You already have an account": what the owner of an address gets when somebody registers it again. The
// one who registered sees the same answer as ever and learns nothing.

import { type RenderedMail, renderMail } from './layout.ts'

/**
 * @param input product name, the address, and where to sign in
 */
export function accountExistsMail(input: {
  readonly appName: string
  readonly address: string
  readonly signInUrl: string
}): RenderedMail {
  return renderMail({
    subject: `You already have an account at ${input.appName}`,
    preview: 'Somebody tried to sign up with your address.',
    heading: 'You already have an account',
    paragraphs: [
      `Somebody, perhaps you, tried to sign up for ${input.appName} with ${input.address}. That address already belongs to a confirmed account, so there is nothing to confirm.`,
    ],
    action: { label: 'Sign in', url: input.signInUrl },
    notes: [
      'If this was not you, ignore this mail: your account has not changed and nobody was let in.',
    ],
    appName: input.appName,
  })
}
