// The mails in English.

import { describeDuration } from './duration.ts'
import type { MailTexts } from './texts.ts'

const duration = (ms: number) => describeDuration('en', ms)

export const en: MailTexts = {
  duration,

  supportLine: (email) => `Questions? Write to ${email}.`,

  verifyEmail: ({ appName, address, url, ttlMs, disownUrl }) => ({
    subject: `Confirm your e-mail address for ${appName}`,
    preview: `One click and ${address} is confirmed.`,
    heading: 'Confirm your e-mail address',
    paragraphs: [
      `Somebody, hopefully you, signed up for ${appName} with ${address}. Open this link to confirm that the address is yours.`,
    ],
    action: { label: 'Confirm my address', url },
    notes: [
      `The link works for ${duration(ttlMs)}. Open it in the browser you signed up with, or have the password at hand.`,
      'If this was not you, ignore this mail: without your click nothing happens. Or tell us, and we delete the sign-up and stop writing to you.',
    ],
    quietAction: { label: 'I did not sign up', url: disownUrl },
  }),

  accountExists: ({ appName, address, signInUrl, forgotUrl }) => ({
    subject: `You already have an account at ${appName}`,
    preview: 'Somebody tried to sign up with your address.',
    heading: 'You already have an account',
    paragraphs: [
      `Somebody, perhaps you, tried to sign up for ${appName} with ${address}. That address already belongs to a confirmed account, so there is nothing to confirm.`,
    ],
    action: { label: 'Sign in', url: signInUrl },
    notes: [
      'If this was not you, ignore this mail: your account has not changed and nobody was let in.',
    ],
    quietAction: { label: 'I forgot my password', url: forgotUrl },
  }),

  resetPassword: ({ appName, address, url, ttlMs }) => ({
    subject: `Reset your password for ${appName}`,
    preview: 'Choose a new password with this link.',
    heading: 'Reset your password',
    paragraphs: [
      `Somebody, hopefully you, asked for a new password for the account of ${address} at ${appName}. Open this link to choose one.`,
    ],
    action: { label: 'Choose a new password', url },
    notes: [
      `The link works for ${duration(ttlMs)}, and only once. The new password signs you out everywhere else.`,
      'If this was not you, ignore this mail: your password stays as it is.',
    ],
  }),

  resetAfterUndo: ({ appName, address, url, ttlMs }) => ({
    subject: `Choose a new password for ${appName}`,
    preview: 'Your old password no longer works.',
    heading: 'Choose a new password',
    paragraphs: [
      `You brought ${address} back to your account at ${appName}. Whoever changed it knew your password, so that password no longer works, and everybody was signed out. Open this link to choose a new one.`,
    ],
    action: { label: 'Choose a new password', url },
    notes: [
      `The link works for ${duration(ttlMs)}, and only once. Later, "I forgot my password" on the sign-in page sends you another.`,
      'If this was not you, choose a new password all the same: nobody else has this link.',
    ],
  }),

  changeEmail: ({ appName, address, url, ttlMs }) => ({
    subject: `Confirm your new e-mail address for ${appName}`,
    preview: `One click and ${address} is confirmed.`,
    heading: 'Confirm your new e-mail address',
    paragraphs: [
      `Somebody, hopefully you, wants to use ${address} for an account at ${appName}. Open this link to confirm that the address is yours.`,
    ],
    action: { label: 'Confirm my new address', url },
    notes: [
      `The link works for ${duration(ttlMs)}.`,
      'If this was not you, do not confirm: the address would belong to an account that is not yours. Ignore this mail and nothing happens.',
    ],
  }),

  emailChangeNotice: ({ appName, address, newAddress, undoUrl, ttlMs }) => ({
    subject: `Your e-mail address for ${appName} is being changed`,
    preview: 'If this was not you, undo it now.',
    heading: 'Your e-mail address is being changed',
    paragraphs: [
      `Somebody, hopefully you, asked to change the e-mail address of your account at ${appName} from ${address} to ${newAddress}.`,
      'If this was you, there is nothing to do here. If it was not, undo the change with this link.',
    ],
    action: { label: 'Undo the change', url: undoUrl },
    notes: [
      `The link works for ${duration(ttlMs)}, even when the new address has been confirmed.`,
      'Whoever asked for this knew your password. If it was not you, choose a new one as well.',
    ],
  }),

  passwordChangedNotice: ({ appName, address, forgotUrl }) => ({
    subject: `Your password for ${appName} was changed`,
    preview: 'If this was not you, choose a new password now.',
    heading: 'Your password was changed',
    paragraphs: [
      `The account of ${address} at ${appName} has a new password. All other devices were signed out.`,
      'If this was you, there is nothing to do. If it was not, choose a new password at once.',
    ],
    action: { label: 'Choose a new password', url: forgotUrl },
    notes: [
      'Whoever got into your account may be reading your mail, too. In that case change the password of your mailbox first.',
    ],
  }),
}
