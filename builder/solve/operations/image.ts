import type { BaseLayer, ImageVertex } from '#builder/plan'
import type { CacheKey } from '#cache'
import { type BlobSource, counting } from '#core'
import { imageKey } from '../keys/vertex-key.ts'
import { BaseImageLayer } from '../layers/base-image-layer.ts'
import type { Download } from '../layers/download.ts'
import type { LayerDeps } from '../layers/layer.ts'
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
    const layers = vertex.base.layers.map((base): ResultLayer => {
      const layer = new BaseImageLayer(base, this.#deps, this.#download(base))
      return { vertex: undefined, layer }
    })
    return { key: this.definitionKey(), layers }
  }

  #download({ descriptor, source }: BaseLayer): Download {
    const { reporter } = this.#deps
    return (take) =>
      reporter.pull(this.vertex, descriptor, (onProgress) => {
        const open: BlobSource['open'] = async (blob, options) =>
          counting(await source.open(blob, options), onProgress)
        return take({ open })
      })
  }
}
