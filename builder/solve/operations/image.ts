import type { ImageVertex } from '#builder/plan'
import type { CacheKey } from '#cache'
import { imageKey } from '../keys/vertex-key.ts'
import { BaseImageLayer } from '../layers/base-image-layer.ts'
import type { LayerDeps } from '../layers/layer.ts'
import { reportedDownload } from '../layers/reported-download.ts'
import type { Reporter } from '../report/reporter.ts'
import type { SourceOperation } from './operation.ts'
import type { Result, ResultLayer } from './result.ts'

/** What the layers of a base image need to be fetched and unpacked. */
export interface ImageDeps extends LayerDeps {
  readonly reporter: Reporter
}

/** FROM an image: its layers, each fetched only when something looks into it. */
export class ImageOperation implements SourceOperation {
  readonly kind = 'source'
  readonly vertex: ImageVertex
  readonly #deps: ImageDeps
  #key: CacheKey | undefined

  constructor(vertex: ImageVertex, deps: ImageDeps) {
    this.vertex = vertex
    this.#deps = deps
  }

  /** Asked for by everything that is built on it. */
  definitionKey(): CacheKey {
    this.#key ??= imageKey(this.vertex)
    return this.#key
  }

  async run(): Promise<Result> {
    const { vertex } = this
    this.#deps.reporter.hit(vertex, 'definition', this.definitionKey())
    const pulled = { id: vertex.id, name: `pull ${vertex.base.name}` }
    const layers = vertex.base.layers.map((base): ResultLayer => {
      const blob = { blob: base.descriptor, source: base.source, vertex: pulled }
      const download = reportedDownload(blob, this.#deps.reporter)
      return { vertex: undefined, layer: new BaseImageLayer(base, this.#deps, download) }
    })
    return { key: this.definitionKey(), layers }
  }
}
