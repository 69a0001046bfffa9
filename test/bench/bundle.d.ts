// What stands beside instrumented.ts when it is served: a Worker's bundle.

declare const worker: {
  fetch(request: Request, env: unknown, ctx: ExecutionContext): Promise<Response>
  queue(batch: unknown, env: unknown, ctx: ExecutionContext): Promise<void>
  scheduled(controller: unknown, env: unknown, ctx: ExecutionContext): Promise<void>
}
export default worker
