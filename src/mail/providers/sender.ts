// Who a mail is from.

export interface Sender {
  readonly email: string
  readonly name: string
}

/**
 * The sender in one string, `Name <address>`, for APIs that take it so. A name with anything but letters, digits,
 * spaces and the characters of an atom is quoted (RFC 5322 §3.2.3 and §3.2.4): a comma or a bracket in it would
 * otherwise begin another address.
 * @param sender name and address
 */
export function mailboxOf({ name, email }: Sender): string {
  if (/^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~ -]+$/u.test(name)) return `${name} <${email}>`
  return `"${name.replace(/["\\]/g, '\\$&')}" <${email}>`
}
