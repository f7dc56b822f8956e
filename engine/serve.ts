import type { Duplex } from 'node:stream'
import { Resources } from '#core'
import { type BuildkitDoor, createApi } from '#engine/api'
import { IdleWatch, type ListenAddress, type ListenOptions, listenOn } from '#engine/daemon'
import { type EngineOptions, openEngine } from './engine.ts'

/** How a daemon serves an engine. */
export interface ServeOptions extends Omit<EngineOptions, 'buildkit'>, ListenOptions {
  /** What serves BuildKit's clients; opened for the first of them, and closed before containers end. */
  readonly openBuildkit: () => Promise<BuildkitDoor & AsyncDisposable>
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
  let buildkit: ReturnType<ServeOptions['openBuildkit']> | undefined
  const engineOptions = {
    ...options,
    buildkit: () => {
      buildkit ??= options.openBuildkit()
      // The next client may have more luck.
      buildkit.catch(() => {
        buildkit = undefined
      })
      return buildkit
    },
  }
  await using engine = await openEngine(engineOptions)
  await using api = await createApi(engine.services)
  const ended = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => ended.resolve())
  if (signal.aborted) return
  // Nobody is shown what an engine before has left.
  const resume = await engine.restore()
  await using listeners = new Resources()
  const accept = (socket: Duplex): void => void api.handle.emit('connection', socket)
  for (const address of addresses) listeners.use(await listenOn(address, accept, options))
  await resume()
  using _idle =
    idleTimeout === undefined
      ? undefined
      : new IdleWatch(idleTimeout, () => engine.isUsed() || api.isUsed(), ended.resolve)
  await ended.promise
  await listeners[Symbol.asyncDispose]()
  await (await buildkit)?.[Symbol.asyncDispose]()
  await engine.shutDown()
}
