import type { ImageVertex, ResolvedBase, VertexId } from '#builder/plan'
import type { CacheKey } from '#cache'
import { imageKey } from '../keys/vertex-key.ts'
import { BackgroundTasks } from '../layers/background-tasks.ts'
import { BaseImageLayer } from '../layers/base-image-layer.ts'
import type { LayerDeps } from '../layers/layer.ts'
import { reportedDownload } from '../layers/reported-download.ts'
import { lowersOf } from '../layers/stack.ts'
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
    const layers = layersOf(vertex.base, vertex.id, this.#deps).map(
      (layer): ResultLayer => ({ vertex: undefined, layer }),
    )
    return { key: this.definitionKey(), layers }
  }
}

/** Layers of an image, bottom first. @param id what downloads are reported as */
function layersOf(
  { name, layers }: ResolvedBase,
  id: VertexId,
  deps: ImageDeps,
): readonly BaseImageLayer[] {
  const vertex = { id, name: `pull ${name}` }
  return layers.map((base) => {
    const blob = { blob: base.descriptor, source: base.source, vertex }
    return new BaseImageLayer(base, deps, reportedDownload(blob, deps.reporter))
  })
}

/** An image as a stack that is mounted where nothing is built: directories, topmost first. */
export async function imageLowers(
  image: ResolvedBase,
  deps: Omit<ImageDeps, 'tasks'>,
): Promise<readonly string[]> {
  const all = { ...deps, tasks: new BackgroundTasks() }
  return await lowersOf(layersOf(image, IMAGE, all), all)
}

/** The only vertex where nothing is built. */
const IMAGE = 'image' as VertexId
