// What else a path answers to, asked only where nothing answered: no request that finds its route pays for it.

import { TrieRouter } from 'hono/router/trie-router'
import type { RouterRoute } from 'hono/types'

/**
 * Finds the methods of a path. `HEAD` goes with `GET`, which answers it.
 * @param routes of the whole app, read at the first question
 * @returns for a path, what `Allow` has to say (RFC 9110 §10.2.1); nothing where there is no such path
 */
export function allowedMethods(routes: readonly RouterRoute[]): (path: string) => string[] {
  let router: TrieRouter<string> | undefined
  return (path) => {
    if (router === undefined) {
      router = new TrieRouter()
      for (const { method, path } of routes) {
        // Middleware answers to every method, and is no page.
        if (method === 'ALL') continue
        router.add('ALL', path, method)
        if (method === 'GET') router.add('ALL', path, 'HEAD')
      }
    }
    return [...new Set(router.match('ALL', path)[0].map(([method]) => method))]
  }
}
