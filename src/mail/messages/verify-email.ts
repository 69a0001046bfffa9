// "Confirm your address": what everybody gets who registers an address that nobody owns.

import { type RenderedMail, renderMail } from './layout.ts'

/**
 * @param input product name, the address, the link, and how long the link works in milliseconds
 */
export function verifyEmailMail(input: {
  readonly appName: string
  readonly address: string
  readonly url: string
  readonly ttlMs: number
}): RenderedMail {
  const lifetime = describeDuration(input.ttlMs)
  return renderMail({
    subject: `Confirm your e-mail address for ${input.appName}`,
    preview: `One click and ${input.address} is confirmed.`,
    heading: 'Confirm your e-mail address',
    paragraphs: [
      `Somebody, hopefully you, signed up for ${input.appName} with ${input.address}. Open this link to confirm that the address is yours.`,
    ],
    action: { label: 'Confirm my address', url: input.url },
    notes: [
      `The link works for ${lifetime}. Open it in the browser you signed up with, or have the password at hand.`,
      'If this was not you, ignore this mail: without your click nothing happens.',
    ],
    appName: input.appName,
  })
}

/**
 * A duration for people, in its largest whole unit.
 * @param ms milliseconds
 */
export function describeDuration(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const [count, unit] = minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
