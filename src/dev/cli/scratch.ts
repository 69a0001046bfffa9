// A temporary directory for something that runs on.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Makes a temporary directory, and deletes it where what was to run in it does not come up.
 * @param start starts it; told the directory, and how to delete it in the end
 * @returns what was started
 * @throws as `start` does
 */
export async function inScratch<T>(
  start: (directory: string, remove: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'mailproof-'))
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 5 })
  try {
    return await start(directory, remove)
  } catch (error) {
    await remove()
    throw error
  }
}
