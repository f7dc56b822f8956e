import type { RemoteFetcher } from '#builder/fetch'
import type { RemoteVertex } from '#builder/plan'
import type { CacheKey, LayerId } from '#cache'
import { unreachable } from '#core'
import type { Reporter } from '../report/reporter.ts'

export interface RemoteDeps {
  readonly fetcher: () => RemoteFetcher
  readonly reporter: Reporter
  readonly signal: AbortSignal | undefined
}

/** Files from elsewhere, as a layer of the store. */
export interface RemoteFiles {
  /** Equal for equal files. */
  readonly key: CacheKey
  readonly layer: LayerId
  readonly createdAt: Date
  /** Nothing had to be fetched. */
  readonly isCached: boolean
}

/** Asks the remote whether the files are those that are there already, and fetches them if not. */
export function fetchRemote(vertex: RemoteVertex, deps: RemoteDeps): Promise<RemoteFiles> {
  const { fetcher, reporter, signal } = deps
  return reporter.fetch(vertex, (onProgress): Promise<RemoteFiles> => {
    switch (vertex.op) {
      case 'http':
        return fetcher().fetchHttp(vertex.source, { signal, onProgress })
      case 'git':
        return fetcher().checkoutGit(vertex.source, { signal })
      default:
        return unreachable(vertex)
    }
  })
}
