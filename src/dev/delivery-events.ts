// What becomes of a mail after the mailbox accepted it, in the words of SendGrid's Event Webhook.
// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event

import type { MailboxMail } from './mailbox-store.ts'
import { type SpecialAddress, specialAddress } from './special-addresses.ts'

/** The members by which one event differs from another. */
const EVENTS = {
  processed: { event: 'processed' },
  delivered: { event: 'delivered', response: '250 2.0.0 OK', tls: 1 },
  deferred: { event: 'deferred', response: '451 4.7.1 Try again later', attempt: '1' },
  soft_bounce: {
    event: 'bounce',
    type: 'blocked',
    bounce_classification: 'Mailbox Unavailable',
    reason: '452 4.2.2 The mailbox is full',
    status: '4.2.2',
  },
  hard_bounce: {
    event: 'bounce',
    type: 'bounce',
    bounce_classification: 'Invalid Address',
    reason: '550 5.1.1 There is no such mailbox',
    status: '5.1.1',
  },
  complaint: { event: 'spamreport' },
} as const

export type DeliveryEvent = keyof typeof EVENTS

/** One event each step; the calls to `busy` and `outage` are never accepted. */
const COURSES: Readonly<Record<'ordinary' | SpecialAddress, readonly DeliveryEvent[]>> = {
  ordinary: ['processed', 'delivered'],
  deferred: ['processed', 'deferred', 'delivered'],
  'soft-bounce': ['processed', 'soft_bounce'],
  bounce: ['processed', 'hard_bounce'],
  complaint: ['processed', 'delivered', 'complaint'],
  silence: [],
  busy: [],
  outage: [],
}

/**
 * What is reported of a mail, one event a step.
 * @param email its recipient
 * @returns the events in their order; none for a mail that is never heard of again
 */
export function courseOf(email: string): readonly DeliveryEvent[] {
  return COURSES[specialAddress(email) ?? 'ordinary']
}

/**
 * One event as the webhook's body lists it: the custom args stand beside the members of SendGrid's own.
 * @param kind what happened
 * @param mail to which mail
 * @param id new for each event
 * @param at when, in milliseconds since the epoch
 */
export function deliveryEvent(kind: DeliveryEvent, mail: MailboxMail, id: string, at: number) {
  return {
    ...mail.customArgs,
    email: mail.to.email,
    timestamp: Math.floor(at / 1000),
    'smtp-id': `<${mail.messageId}@mailbox.invalid>`,
    sg_event_id: id,
    // SendGrid's begins with what `X-Message-Id` said, and goes on.
    sg_message_id: `${mail.messageId}.recvd-mailbox-0`,
    ...EVENTS[kind],
  }
}
