// The list of common passwords is written by this test: where it fails after a change, it shows what the file
// should say.

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { commonPasswords } from '../../src/accounts/common-passwords.ts'

const LINE = 110

/** Each word as a capital for the letters it has in common with the one before (A: none), and the rest. */
function encoded(words: readonly string[]): string {
  const entries = words.map((word, at) => {
    const before = words[at - 1] ?? ''
    let shared = 0
    while (shared < word.length && word[shared] === before[shared]) shared++
    return String.fromCharCode('A'.charCodeAt(0) + shared) + word.slice(shared)
  })
  const lines = ['']
  for (const entry of entries) {
    const line = lines.at(-1) ?? ''
    if (line.length + entry.length > LINE) lines.push(entry)
    else lines[lines.length - 1] = line + entry
  }
  return `\n${lines.join('\n')}\n`
}

it('the common passwords are sorted, and coded as the comment on them says', () => {
  const source = readFileSync('src/accounts/common-passwords.ts', 'utf8')
  const coded = /`([^`]*)`/.exec(source)?.[1]
  expect(coded).toBe(encoded([...commonPasswords].sort()))
})
