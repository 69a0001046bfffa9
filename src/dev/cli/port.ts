// Ports of this machine.

import { createServer, type Server } from 'node:net'

/**
 * Finds a port that nobody uses at this moment.
 * @throws Error where the system gives none
 */
export async function freePort(): Promise<number> {
  const server = await listen(0)
  const bound = server.address()
  await close(server)
  if (bound === null || typeof bound === 'string') throw new Error('There is no free port.')
  return bound.port
}

/**
 * Whether nobody uses a port at this moment.
 * @param port the port
 */
export async function isFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port))
    return true
  } catch {
    return false
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
