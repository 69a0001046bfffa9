// Looks into a running isolate through workerd's inspector: its heap, and where its CPU time goes.

import type { Server } from './serve.ts'

export interface Inspector {
  /** Bytes that the isolate holds once its garbage is collected: heap, host objects, buffers. */
  readonly liveBytes: () => Promise<number>
  /** Samples of the isolate while `act` ran, as a browser's developer tools read them. */
  readonly profile: (act: () => Promise<void>) => Promise<Profile>
  /** What the isolate computed while `act` ran. */
  readonly cpuTime: (act: () => Promise<void>) => Promise<CpuTime>
  readonly close: () => void
}

/** Milliseconds. */
export interface CpuTime {
  /** In scrypt. */
  readonly hash: number
  /** In everything else: JavaScript, garbage collection, and native code such as Web Crypto and streams. */
  readonly own: number
}

export interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly lineNumber?: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface HeapUsage {
  readonly usedSize: number
  readonly embedderHeapUsedSize: number
  readonly backingStorageSize: number
}

const SAMPLING_MICROSECONDS = 200

/**
 * Attaches to the Worker of a server started with `inspected`.
 * @param server from `serve`
 */
export async function inspect(server: Server): Promise<Inspector> {
  const base = new URL(await server.inspectorUrl())
  base.protocol = 'http:'
  const response = await fetch(new URL('/json/list', base))
  const targets = (await response.json()) as { id: string; webSocketDebuggerUrl: string }[]
  const target = targets.find(({ id }) => id === `core:user:${server.side.name}`)
  if (target === undefined) throw new Error('the Worker is not among the inspectable isolates')

  const socket = new WebSocket(target.webSocketDebuggerUrl)
  const answers = new Map<number, (result: unknown) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data))
    answers.get(id)?.(result)
    answers.delete(id)
  })
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  let calls = 0
  function call<T>(method: string, params: object = {}): Promise<T> {
    const id = ++calls
    const answer = new Promise<unknown>((resolve) => answers.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params }))
    return answer as Promise<T>
  }

  // Not `Runtime.enable`: each line of the log would be taken down for us, at the Worker's expense.
  await call('Profiler.enable')
  await call('Profiler.setSamplingInterval', { interval: SAMPLING_MICROSECONDS })

  async function profile(act: () => Promise<void>): Promise<Profile> {
    await call('Profiler.start')
    await act()
    return (await call<{ profile: Profile }>('Profiler.stop')).profile
  }

  return {
    async liveBytes() {
      // A snapshot is of no use here, but it collects first. (`collectGarbage` never answers in workerd.)
      await call('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
      const { usedSize, embedderHeapUsedSize, backingStorageSize } =
        await call<HeapUsage>('Runtime.getHeapUsage')
      return usedSize + embedderHeapUsedSize + backingStorageSize
    },
    profile,
    cpuTime: async (act) => cpuTimeOf(await profile(act)),
    close: () => socket.close(),
  }
}

/** What node:crypto in workerd calls the native function. */
const SCRYPT = 'getScrypt'

/**
 * The most that one sample may count for. Samples come only while the isolate runs, so that the first one after a wait
 * carries the wait as well.
 * @param profile of some time
 * @returns microseconds: twice the usual
 */
export function mostOfSample({ timeDeltas }: Profile): number {
  const sorted = timeDeltas.filter((delta) => delta > 0).sort((a, b) => a - b)
  return 2 * (sorted[sorted.length >> 1] ?? 0)
}

/** V8 calls native code that no JavaScript function stands for `(program)`; it is billed like the rest. */
const NOT_AT_WORK: ReadonlySet<string> = new Set(['(idle)', '(root)'])

/** The time of samples taken at work. A hash takes longer than samples are apart, and waits for nobody. */
function cpuTimeOf(profile: Profile): CpuTime {
  const { nodes, samples, timeDeltas } = profile
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]))
  const most = mostOfSample(profile)
  let [hash, own] = [0, 0]
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? ''
    if (NOT_AT_WORK.has(name)) continue
    const delta = Math.max(0, timeDeltas[i] ?? 0) / 1000
    if (name === SCRYPT) hash += delta
    else own += Math.min(delta, most / 1000)
  }
  return { hash, own }
}
