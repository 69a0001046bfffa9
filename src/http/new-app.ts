// Hono with the router that our paths end up with anyway. `new Hono()` tries its RegExpRouter first, which refuses a
// name beside a parameter (/admin/users/find, /admin/users/:id), and only then this one: some milliseconds of every
// cold start, and 5 KB more to upload.

import type { Env, Hono } from 'hono'
import { HonoBase } from 'hono/hono-base'
import { TrieRouter } from 'hono/router/trie-router'
import type { BlankEnv } from 'hono/types'

/** @returns an app without routes: the whole one, or a part to mount in it */
export function newApp<E extends Env = BlankEnv>(): Hono<E> {
  return new HonoBase({ router: new TrieRouter() })
}
