import type { RemoteFetcher } from '#builder/fetch'
import type { RemoteVertex } from '#builder/plan'
import type { CacheKey, LayerId } from '#cache'
import { unreachable } from '#core'
import { BuiltLayer } from '../layers/built-layer.ts'
import type { LayerDeps } from '../layers/layer.ts'
import type { Reporter } from '../report/reporter.ts'
import type { SourceOperation } from './operation.ts'
import type { Result } from './result.ts'

/** What fetching files from elsewhere needs. */
export interface RemoteDeps extends LayerDeps {
  readonly fetcher: () => RemoteFetcher
  readonly reporter: Reporter
}

/** Files from elsewhere, as a layer of the store. */
interface RemoteFiles {
  /** Equal for equal files. */
  readonly key: CacheKey
  readonly layer: LayerId
  readonly createdAt: Date
  /** True when the store had the files. */
  readonly isCached: boolean
}

/** ADD of a URL or a repository: the remote is asked in every build whether its files have changed. */
export class RemoteOperation implements SourceOperation {
  readonly kind = 'source'
  readonly vertex: RemoteVertex
  readonly #deps: RemoteDeps

  constructor(vertex: RemoteVertex, deps: RemoteDeps) {
    this.vertex = vertex
    this.#deps = deps
  }

  definitionKey(): undefined {
    return undefined
  }

  async run(): Promise<Result> {
    const { key, layer: id, createdAt } = await this.#fetch()
    const record = this.#deps.store.layers.get(id)
    if (record === undefined) throw new Error('what was fetched is in the store')
    const layer = new BuiltLayer(record, createdAt, this.#deps)
    return { key, layers: [{ vertex: undefined, layer }] }
  }

  #fetch(): Promise<RemoteFiles> {
    const { vertex } = this
    const { fetcher, reporter, signal } = this.#deps
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
}
