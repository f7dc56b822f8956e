import { Resources } from '#core'
import { IdleWatch, type ListenAddress, type ListenOptions, listenOn } from '#engine/daemon'
import { type BuildkitOptions, openBuildkit } from './open-buildkit.ts'

/** How a daemon serves BuildKit's clients. */
export interface ServeBuildkitOptions extends BuildkitOptions, ListenOptions {
  readonly addresses: readonly ListenAddress[]
  /** Milliseconds without use after which it ends; absent: never. */
  readonly idleTimeout: number | undefined
  /** Ends it, and all builds. */
  readonly signal: AbortSignal
}

/**
 * Serves BuildKit's clients until the signal, or until nobody uses it.
 * @throws {TsbuildError} as `listenOn`
 */
export async function serveBuildkit(options: ServeBuildkitOptions): Promise<void> {
  const { addresses, idleTimeout, signal } = options
  await using buildkit = openBuildkit(options)
  await using listeners = new Resources()
  for (const address of addresses) {
    listeners.use(await listenOn(address, (socket) => buildkit.accept(socket), options))
  }
  const ended = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => ended.resolve(), { once: true })
  if (signal.aborted) return
  using _idle =
    idleTimeout === undefined
      ? undefined
      : new IdleWatch(idleTimeout, () => buildkit.isUsed(), ended.resolve)
  await ended.promise
}
