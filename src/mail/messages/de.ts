// The mails in German.

import { describeDuration } from './duration.ts'
import type { MailTexts } from './texts.ts'

// Only where the accusative fits ("gilt 7 Tage"): the dative ("in 7 Tagen") has other plurals.
const duration = (ms: number) => describeDuration('de', ms)

export const de: MailTexts = {
  duration,

  supportLine: (email) => `Fragen? Schreiben Sie an ${email}.`,

  verifyEmail: ({ appName, address, url, ttlMs, disownUrl }) => ({
    subject: `Bestätigen Sie Ihre E-Mail-Adresse für ${appName}`,
    preview: `Ein Klick, und ${address} ist bestätigt.`,
    heading: 'Bestätigen Sie Ihre E-Mail-Adresse',
    paragraphs: [
      `Jemand, hoffentlich Sie, hat sich mit ${address} bei ${appName} registriert. Öffnen Sie diesen Link, um zu bestätigen, dass die Adresse Ihnen gehört.`,
    ],
    action: { label: 'Adresse bestätigen', url },
    notes: [
      `Der Link gilt ${duration(ttlMs)}. Öffnen Sie ihn in dem Browser, in dem Sie sich registriert haben, oder halten Sie Ihr Passwort bereit.`,
      'Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Ohne Ihren Klick passiert nichts. Oder sagen Sie uns Bescheid, dann löschen wir die Registrierung und schreiben Ihnen nicht mehr.',
    ],
    quietAction: { label: 'Ich habe mich nicht registriert', url: disownUrl },
  }),

  accountExists: ({ appName, address, signInUrl, forgotUrl }) => ({
    subject: `Sie haben bereits ein Konto bei ${appName}`,
    preview: 'Jemand wollte sich mit Ihrer Adresse registrieren.',
    heading: 'Sie haben bereits ein Konto',
    paragraphs: [
      `Jemand, vielleicht Sie, wollte sich mit ${address} bei ${appName} registrieren. Die Adresse gehört schon zu einem bestätigten Konto, Sie müssen also nichts bestätigen.`,
    ],
    action: { label: 'Anmelden', url: signInUrl },
    notes: [
      'Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Ihr Konto ist unverändert, und niemand hat Zugang erhalten.',
    ],
    quietAction: { label: 'Ich habe mein Passwort vergessen', url: forgotUrl },
  }),

  resetPassword: ({ appName, address, url, ttlMs }) => ({
    subject: `Setzen Sie Ihr Passwort für ${appName} zurück`,
    preview: 'Wählen Sie über diesen Link ein neues Passwort.',
    heading: 'Setzen Sie Ihr Passwort zurück',
    paragraphs: [
      `Jemand, hoffentlich Sie, hat für das Konto von ${address} bei ${appName} ein neues Passwort angefordert. Öffnen Sie diesen Link, um eines zu wählen.`,
    ],
    action: { label: 'Neues Passwort wählen', url },
    notes: [
      `Der Link gilt ${duration(ttlMs)} und nur einmal. Mit dem neuen Passwort werden Sie überall sonst abgemeldet.`,
      'Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Ihr Passwort bleibt, wie es ist.',
    ],
  }),

  resetAfterUndo: ({ appName, address, url, ttlMs }) => ({
    subject: `Wählen Sie ein neues Passwort für ${appName}`,
    preview: 'Ihr altes Passwort gilt nicht mehr.',
    heading: 'Wählen Sie ein neues Passwort',
    paragraphs: [
      `Sie haben ${address} für Ihr Konto bei ${appName} zurückgeholt. Wer die Adresse geändert hat, kannte Ihr Passwort. Es gilt deshalb nicht mehr, und alle Geräte wurden abgemeldet. Öffnen Sie diesen Link, um ein neues zu wählen.`,
    ],
    action: { label: 'Neues Passwort wählen', url },
    notes: [
      `Der Link gilt ${duration(ttlMs)} und nur einmal. Später schickt Ihnen „Passwort vergessen“ auf der Anmeldeseite einen neuen.`,
      'Wenn Sie das nicht waren, wählen Sie trotzdem ein neues Passwort: Niemand sonst hat diesen Link.',
    ],
  }),

  changeEmail: ({ appName, address, url, ttlMs }) => ({
    subject: `Bestätigen Sie Ihre neue E-Mail-Adresse für ${appName}`,
    preview: `Ein Klick, und ${address} ist bestätigt.`,
    heading: 'Bestätigen Sie Ihre neue E-Mail-Adresse',
    paragraphs: [
      `Jemand, hoffentlich Sie, möchte ${address} für ein Konto bei ${appName} verwenden. Öffnen Sie diesen Link, um zu bestätigen, dass die Adresse Ihnen gehört.`,
    ],
    action: { label: 'Neue Adresse bestätigen', url },
    notes: [
      `Der Link gilt ${duration(ttlMs)}.`,
      'Wenn Sie das nicht waren, bestätigen Sie nicht: Die Adresse würde sonst zu einem fremden Konto gehören. Ignorieren Sie diese E-Mail, dann passiert nichts.',
    ],
  }),

  emailChangeNotice: ({ appName, address, newAddress, undoUrl, ttlMs }) => ({
    subject: `Ihre E-Mail-Adresse für ${appName} wird geändert`,
    preview: 'Wenn Sie das nicht waren, machen Sie es jetzt rückgängig.',
    heading: 'Ihre E-Mail-Adresse wird geändert',
    paragraphs: [
      `Jemand, hoffentlich Sie, möchte die E-Mail-Adresse Ihres Kontos bei ${appName} von ${address} in ${newAddress} ändern.`,
      'Wenn Sie das waren, müssen Sie nichts weiter tun. Wenn nicht, machen Sie die Änderung über diesen Link rückgängig.',
    ],
    action: { label: 'Änderung rückgängig machen', url: undoUrl },
    notes: [
      `Der Link gilt ${duration(ttlMs)}, auch wenn die neue Adresse schon bestätigt ist.`,
      'Wer das veranlasst hat, kannte Ihr Passwort. Wenn Sie es nicht waren, wählen Sie auch ein neues Passwort.',
    ],
  }),

  passwordChangedNotice: ({ appName, address, forgotUrl }) => ({
    subject: `Ihr Passwort für ${appName} wurde geändert`,
    preview: 'Wenn Sie das nicht waren, wählen Sie jetzt ein neues Passwort.',
    heading: 'Ihr Passwort wurde geändert',
    paragraphs: [
      `Das Konto von ${address} bei ${appName} hat ein neues Passwort. Alle anderen Geräte wurden abgemeldet.`,
      'Wenn Sie das waren, müssen Sie nichts weiter tun. Wenn nicht, wählen Sie sofort ein neues Passwort.',
    ],
    action: { label: 'Neues Passwort wählen', url: forgotUrl },
    notes: [
      'Wer in Ihr Konto gelangt ist, liest vielleicht auch Ihre E-Mails. Ändern Sie in diesem Fall zuerst das Passwort Ihres Postfachs.',
    ],
  }),
}
