import type { BaseLayer } from '#builder/plan'
import type { LayerId, RemoteLayer } from '#cache'
import { type DiffId, isCancelled, TsbuildError } from '#core'
import { BaseImageLayer } from './base-image-layer.ts'
import type { Download } from './download.ts'
import type { Layer, LayerDeps, TarFacts } from './layer.ts'
import { confirmBlob } from './layer-blob.ts'

/** What a layer from elsewhere needs beside what all layers do. */
export interface ImportDeps extends LayerDeps {
  readonly download: Download
  /** Gets the layer once the store has it, verified. */
  readonly onStored: (id: LayerId) => Promise<void>
  /** Gives another layer in the place of one that cannot be had: the step is done again. */
  readonly remake: (cause: unknown) => Promise<Layer>
}

/**
 * The layer of a result that was found in a cache elsewhere: nothing of it is fetched before something looks
 * into it. One that turns out to be damaged or missing is made anew, as if it had never been found.
 */
export class ImportedLayer implements Layer {
  readonly #remote: RemoteLayer
  readonly #createdAt: Date
  readonly #deps: ImportDeps
  readonly #imported: BaseImageLayer
  #remaking: Promise<Layer> | undefined
  /** The layer in the place of this one. */
  #remade: Layer | undefined
  #storing: Promise<void> | undefined
  /** The store has it: a failure from now on is one of this machine. */
  #isHere = false

  constructor(remote: RemoteLayer, createdAt: Date, deps: ImportDeps) {
    const { diffId, blob, source, origin } = remote
    this.#remote = remote
    this.#createdAt = createdAt
    this.#deps = deps
    const base = { diffId, descriptor: blob, source, origin }
    this.#imported = new BaseImageLayer(base, deps, deps.download)
  }

  get base(): BaseLayer | undefined {
    return (this.#remade ?? this.#imported).base
  }

  get createdAt(): Date | undefined {
    return this.#remade === undefined ? this.#createdAt : this.#remade.createdAt
  }

  /** Where it is; `undefined` once another layer is in its place. */
  get remote(): RemoteLayer | undefined {
    return this.#remade === undefined ? this.#remote : undefined
  }

  lower(below: readonly Layer[]): Promise<readonly string[]> {
    return this.#use((layer) => layer.lower(below))
  }

  directory(below: readonly Layer[]): Promise<string> {
    return this.#use((layer) => layer.directory(below))
  }

  checkedLower(below: readonly Layer[]): Promise<readonly string[]> {
    return this.#use((layer) => layer.checkedLower(below))
  }

  /** As of a base layer: the tar need not be in the store. */
  async tar(below: readonly Layer[]): Promise<TarFacts> {
    const remade = await this.#remaking
    if (remade !== undefined) return remade.tar(below)
    const { diffId, size } = this.#remote
    return { diffId, size }
  }

  async diffId(below: readonly Layer[]): Promise<DiffId | undefined> {
    const remade = await this.#remaking
    return remade === undefined ? this.#remote.diffId : remade.diffId(below)
  }

  /**
   * Sees to it that the layer can be had: where an output needs its bytes, its blob is fetched, else looked
   * for.
   */
  async settle(isNeeded: (layer: RemoteLayer) => boolean): Promise<void> {
    try {
      if (this.#remaking === undefined && !this.#isHere) await this.#find(isNeeded(this.#remote))
    } catch (cause) {
      await this.#remake(cause)
    }
    const remade = await this.#remaking
    if (remade instanceof ImportedLayer) await remade.settle(isNeeded)
  }

  async #find(isNeeded: boolean): Promise<void> {
    const { source, blob } = this.#remote
    if (isNeeded) return this.#fetch()
    if (!(await source.has(blob, { signal: this.#deps.signal }))) throw goneError(blob.digest)
  }

  async #use<T>(form: (layer: Layer) => Promise<T>): Promise<T> {
    if (this.#remaking !== undefined) return form(await this.#remaking)
    try {
      const path = await form(this.#imported)
      await this.#keep((await this.#imported.tar()).size)
      return path
    } catch (cause) {
      return form(await this.#remake(cause))
    }
  }

  async #fetch(): Promise<void> {
    const { diffId, blob } = this.#remote
    const { download, tasks } = this.#deps
    const fetching = confirmBlob({ blob, download }, diffId, this.#deps)
    await this.#keep(await tasks.add(fetching))
  }

  /** @param size bytes of the tar as they were counted; `undefined` where an earlier process has */
  #keep(size: number | undefined): Promise<void> {
    this.#storing ??= this.#store(size)
    return this.#storing
  }

  async #store(size: number | undefined): Promise<void> {
    const { diffId, size: claimed, presumed } = this.#remote
    if (size === undefined) return
    if (size !== claimed) {
      throw new TsbuildError(`layer ${diffId} has ${size} bytes, and not ${claimed}`, {
        code: 'SIZE_MISMATCH',
      })
    }
    this.#isHere = true
    const { id } = this.#deps.store.layers.register({ diffId, size, presumed })
    await this.#deps.onStored(id)
  }

  #remake(cause: unknown): Promise<Layer> {
    const { signal } = this.#deps
    const isFull = cause instanceof TsbuildError && cause.code === 'NO_SPACE'
    if (this.#isHere || isFull || isCancelled(cause) || signal?.aborted) throw cause
    this.#remaking ??= this.#replace(cause)
    return this.#remaking
  }

  async #replace(cause: unknown): Promise<Layer> {
    this.#remade = await this.#deps.remake(cause)
    return this.#remade
  }
}

/** Makes what a step is going to look into before it takes a place: what is damaged is made anew here. */
export async function prepareImported(stacks: readonly (readonly Layer[])[]): Promise<void> {
  const preparing = stacks.flatMap((layers) =>
    layers.flatMap((layer, index) =>
      layer instanceof ImportedLayer ? [layer.lower(layers.slice(0, index))] : [],
    ),
  )
  await Promise.all(preparing)
}

/** See `ImportedLayer.settle`. */
export async function settleImported(
  layers: readonly Layer[],
  isNeeded: (layer: RemoteLayer) => boolean,
): Promise<void> {
  const settling = layers.map((one) =>
    one instanceof ImportedLayer ? one.settle(isNeeded) : undefined,
  )
  await Promise.all(settling)
}

function goneError(digest: string): TsbuildError {
  return new TsbuildError(`the cache has lost the blob ${digest} of a layer`, { code: 'NOT_FOUND' })
}
