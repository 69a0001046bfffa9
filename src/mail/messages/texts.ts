// What a language has to provide: the words of every mail. Layout and brand are no business of theirs.

import type { MailParts } from './layout.ts'

/** What every mail is told. */
export interface About {
  readonly appName: string
  /** To whom the mail goes. */
  readonly address: string
}

/** One language. Every function takes what its mail is about and returns plain text. */
export interface MailTexts {
  /** How long a link works, with the language's plurals. */
  readonly duration: (ms: number) => string
  /** Where to turn with questions. Has the address in it as it is given. */
  readonly supportLine: (email: string) => string
  /** For whoever registers an address that nobody owns. */
  readonly verifyEmail: (
    mail: About & { readonly url: string; readonly ttlMs: number; readonly disownUrl: string },
  ) => MailParts
  /**
   * For the owner of an address that somebody registers again. The one who registered sees the same answer
   * as ever and learns nothing.
   */
  readonly accountExists: (
    mail: About & { readonly signInUrl: string; readonly forgotUrl: string },
  ) => MailParts
  /** For whoever forgot the password. */
  readonly resetPassword: (
    mail: About & { readonly url: string; readonly ttlMs: number },
  ) => MailParts
  /** For whoever undid a change of address, and with it the password that let it happen. */
  readonly resetAfterUndo: (
    mail: About & { readonly url: string; readonly ttlMs: number },
  ) => MailParts
  /** For the new address. Its owner may be a stranger to the account, so it says when not to click. */
  readonly changeEmail: (
    mail: About & { readonly url: string; readonly ttlMs: number },
  ) => MailParts
  /**
   * For the old address. It must be true before the new address is confirmed and after, since it may be read
   * at any time. `newAddress` is masked.
   */
  readonly emailChangeNotice: (
    mail: About & {
      readonly newAddress: string
      readonly undoUrl: string
      readonly ttlMs: number
    },
  ) => MailParts
  /** For the owner of an account whose password is a new one, by whichever way. */
  readonly passwordChangedNotice: (mail: About & { readonly forgotUrl: string }) => MailParts
}
