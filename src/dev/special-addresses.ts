// Addresses that meet the troubles of the real world in the mailbox, so that what the Worker makes of them
// can be watched. How the local part begins decides, on any domain: `bounce@…`, `bounce-2@…`, `bounce+x@…`.

export const specialAddresses = [
  { name: 'deferred', meets: 'The server asks to wait and takes the mail some seconds later.' },
  { name: 'soft-bounce', meets: 'Refused this time: the mailbox is full.' },
  { name: 'bounce', meets: 'Refused for good: there is no such mailbox.' },
  { name: 'complaint', meets: 'Delivered, then reported as spam.' },
  { name: 'silence', meets: 'Accepted, and never heard of again.' },
  { name: 'busy', meets: 'The mail API answers 429 and asks to wait for 30 seconds.' },
  { name: 'outage', meets: 'The mail API answers 500.' },
] as const

export type SpecialAddress = (typeof specialAddresses)[number]['name']

/**
 * Which of {@link specialAddresses} an address is.
 * @param email any address
 * @returns its name, or null for an address to which mail is simply delivered
 */
export function specialAddress(email: string): SpecialAddress | null {
  const text = email.toLowerCase()
  const found = specialAddresses.find(
    ({ name }) => text.startsWith(name) && /^[@+.\d-]/.test(text.slice(name.length)),
  )
  return found?.name ?? null
}
