// What a developer's browser shows while the configuration has problems. Never served outside development.

import type { ConfigProblem } from '../config.ts'
import { Page } from './layout.tsx'

/**
 * A page of all problems, without the app: there is none while they stand.
 * @param problems by the name of their setting
 */
export function misconfiguredPage(problems: readonly ConfigProblem[]): Response {
  const page = (
    <Page brand={{ appName: 'Mailproof' }} title="Not configured yet">
      <h1>Not configured yet</h1>
      <p>Mend these in .dev.vars and reload. Deleting the file has it written anew.</p>
      <ul>
        {problems.map(({ name, message }) => (
          <li>
            <code>{name}</code> {message}
          </li>
        ))}
      </ul>
    </Page>
  )
  return new Response(`<!doctype html>${page}`, {
    status: 503,
    headers: { 'Content-Type': 'text/html; charset=UTF-8', 'Cache-Control': 'no-store' },
  })
}
