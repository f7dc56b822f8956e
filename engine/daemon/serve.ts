import { Resources } from '#core'
import { createApi } from '#engine/api'
import { type EngineOptions, openEngine } from '../engine.ts'
import { IdleWatch } from './idle-watch.ts'
import { type ListenOptions, listenOn } from './listen.ts'
import type { ListenAddress } from './listen-address.ts'

/** How a daemon serves an engine. */
export interface ServeOptions extends EngineOptions, ListenOptions {
  readonly addresses: readonly ListenAddress[]
  /** Milliseconds without use after which it ends; absent: never. */
  readonly idleTimeout: number | undefined
  /** Ends it: containers are stopped. */
  readonly signal: AbortSignal
}

/**
 * Serves an engine until the signal, or until nobody uses it. Containers end with it.
 * @throws {TsbuildError} CONFLICT, and as `openEngine` and `listenOn` do
 */
export async function serveEngine(options: ServeOptions): Promise<void> {
  const { addresses, idleTimeout, signal } = options
  await using engine = await openEngine(options)
  await using api = await createApi(engine.services)
  const ended = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => ended.resolve())
  if (signal.aborted) return
  // Nobody is shown what an engine before has left.
  const resume = await engine.restore()
  await using listeners = new Resources()
  for (const address of addresses) listeners.use(await listenOn(address, api.handle, options))
  await resume()
  using _idle =
    idleTimeout === undefined
      ? undefined
      : new IdleWatch(idleTimeout, () => engine.isUsed() || api.isUsed(), ended.resolve)
  await ended.promise
  await listeners[Symbol.asyncDispose]()
  await engine.shutDown()
}
