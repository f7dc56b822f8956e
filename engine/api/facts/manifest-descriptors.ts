import type { Json } from '#core'
import type { ContainerRecord } from '#engine/model'
import type { EngineServices } from '../services/engine-services.ts'

/** More are looked up again. */
const MOST = 1000

/** What `ImageManifestDescriptor` says of the images of containers: what a digest names never changes. */
export class ManifestDescriptors {
  readonly #images: EngineServices['images']
  readonly #known = new Map<string, Promise<Json | undefined>>()

  constructor({ images }: Pick<EngineServices, 'images'>) {
    this.#images = images
  }

  of({ image }: ContainerRecord): Promise<Json | undefined> {
    const known = this.#known.get(image.manifest)
    if (known !== undefined) return known
    if (this.#known.size >= MOST) this.#known.clear()
    const found = this.#images.manifestDescriptor(image) as Promise<Json | undefined>
    this.#known.set(image.manifest, found)
    found.catch(() => this.#known.delete(image.manifest))
    return found
  }
}
