import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AppliedLayer } from '#builder/layer'
import type { BaseLayer } from '#builder/plan'
import { cacheKeyOf, type LayerId, type LayerRecord, layerId, type Store } from '#cache'
import {
  chainIdOf,
  compressionOf,
  type Descriptor,
  type DiffId,
  hexOf,
  MEDIA_TYPES,
  TsbuildError,
  uncompressedDigest,
} from '#core'
import { directoriesOf } from './stack.ts'
import type { Underway } from './underway.ts'
import type { ApplyTask, BlobTask } from './work.ts'
import type { WorkPool } from './work-pool.ts'

export interface LayerDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly underway: Underway
  readonly signal: AbortSignal | undefined
}

export interface TarFacts {
  readonly diffId: DiffId
  /** Bytes of the uncompressed tar; unknown for a base layer that was never unpacked. */
  readonly size: number | undefined
}

/** One layer of a result, in whatever form it has; other forms are made when they are asked for. */
export interface Layer {
  /** A base layer as its registry or layout has it. */
  readonly base: BaseLayer | undefined
  readonly createdAt: Date | undefined
  /** Overlay form. `below` are the layers underneath, bottom first. */
  directory(below: readonly Layer[]): Promise<string>
  /** For a built layer: once this is known, the tar is in the store. */
  tar(below: readonly Layer[]): Promise<TarFacts>
}

/** A layer that a step made here. */
export class BuiltLayer implements Layer {
  readonly base: undefined
  readonly createdAt: Date
  readonly #deps: LayerDeps
  readonly #id: LayerId
  #directory: Promise<string> | undefined
  #tar: Promise<TarFacts> | undefined

  constructor(record: LayerRecord, createdAt: Date, deps: LayerDeps) {
    this.#id = record.id
    this.createdAt = createdAt
    this.#deps = deps
  }

  directory(below: readonly Layer[]): Promise<string> {
    this.#directory ??= this.#deps.underway.add(this.#makeDirectory(below))
    return this.#directory
  }

  tar(below: readonly Layer[]): Promise<TarFacts> {
    this.#tar ??= this.#deps.underway.add(this.#makeTar(below))
    return this.#tar
  }

  async #makeDirectory(below: readonly Layer[]): Promise<string> {
    const { store } = this.#deps
    const record = this.#record()
    if (record.directory) return store.layers.directory(record.id)
    const { diffId, size } = record
    if (diffId === undefined || size === undefined) throw lost(record.id)
    const tar = { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
    await using temporary = store.temporary()
    const directory = join(temporary.path, 'layer')
    await unpack(
      tar,
      { diffId, directory, lowers: await directoriesOf(below, this.#deps) },
      this.#deps,
    )
    await store.layers.commitDirectory(directory, { id: record.id, diffId, size })
    return store.layers.directory(record.id)
  }

  async #makeTar(below: readonly Layer[]): Promise<TarFacts> {
    const { store, pool, signal } = this.#deps
    const { id, diffId, size } = this.#record()
    if (diffId !== undefined && store.blobs.stat(uncompressedDigest(diffId)) !== undefined) {
      return { diffId, size }
    }
    await using temporary = store.temporary()
    const tar = join(temporary.path, 'layer.tar')
    const [directory, lowers] = await Promise.all([
      this.directory(below),
      directoriesOf(below, this.#deps),
    ])
    const packed = await pool.run('packLayer', { directory, lowers, tar }, signal)
    await store.blobs.adopt(tar, uncompressedDigest(packed.diffId), packed.size)
    store.layers.setTar(id, packed)
    return packed
  }

  #record(): LayerRecord {
    const record = this.#deps.store.layers.get(this.#id)
    if (record === undefined) throw lost(this.#id)
    return record
  }
}

/**
 * A layer of a base image: nothing of it is fetched before something looks into it. Its diffID is a
 * claim of the image's config until its blob was seen to hold that layer: what the store has under the
 * diffID stands for this blob only then, or a step would use one layer and a push ship another.
 */
export class BaseImageLayer implements Layer {
  readonly base: BaseLayer
  readonly createdAt: undefined
  readonly #deps: LayerDeps
  readonly #onFetch: (layer: BaseLayer) => Promise<void>
  #directory: Promise<string> | undefined
  #confirmed: Promise<void> | undefined

  constructor(base: BaseLayer, deps: LayerDeps, onFetch: (layer: BaseLayer) => Promise<void>) {
    this.base = base
    this.#deps = deps
    this.#onFetch = onFetch
  }

  directory(below: readonly Layer[]): Promise<string> {
    this.#directory ??= this.#deps.underway.add(this.#makeDirectory(below))
    return this.#directory
  }

  async tar(): Promise<TarFacts> {
    const { diffId } = this.base
    return { diffId, size: this.#deps.store.layers.findByDiffId(diffId)?.size }
  }

  /**
   * Sees to it that the blob is the layer that the store has under its diffID: for results of earlier
   * steps on top of that one.
   * @throws {TsbuildError} DIGEST_MISMATCH, and failures to fetch it
   */
  confirm(): Promise<void> {
    this.#confirmed ??= this.#deps.underway.add(this.#confirm())
    return this.#confirmed
  }

  async #confirm(): Promise<void> {
    const { layers } = this.#deps.store
    const { diffId, descriptor } = this.base
    if (layers.isKnownBlob(diffId, descriptor)) return
    const isElsewhere = layers.compressed(diffId).length > 0
    if (!isElsewhere && layers.findByDiffId(diffId) === undefined) return
    await this.#onFetch(this.base)
    await readBlob(
      descriptor,
      (blob) => this.#deps.pool.run('checkLayer', { ...blob, diffId }, this.#deps.signal),
      this.#deps,
    )
    layers.addCompressed(diffId, descriptor)
  }

  async #makeDirectory(below: readonly Layer[]): Promise<string> {
    const { store, signal } = this.#deps
    const { diffId } = this.base
    await this.confirm()
    const own = store.layers.findByDiffId(diffId)
    if (own?.directory) return store.layers.directory(own.id)
    const stacked = stackedId([...(await diffIdsOf(below)), diffId])
    const find = (): string | undefined => {
      const found = [store.layers.findByDiffId(diffId), store.layers.get(stacked)]
      const made = found.find((record) => record?.directory)
      return made && store.layers.directory(made.id)
    }
    const known = find()
    if (known !== undefined) return known
    await using _lease = await store.lease(cacheKeyOf({ unpack: diffId }), { signal })
    return find() ?? (await this.#unpack(below, stacked))
  }

  async #unpack(below: readonly Layer[], stacked: LayerId): Promise<string> {
    const { store } = this.#deps
    const { diffId, descriptor } = this.base
    await this.#onFetch(this.base)
    await using temporary = store.temporary()
    const directory = join(temporary.path, 'layer')
    const task = { diffId, directory, lowers: undefined }
    const applied = await unpack(descriptor, task, this.#deps)
    // Only now: an image can claim any diffID for its blobs.
    store.layers.addCompressed(diffId, descriptor)
    const { size } = applied
    if (!applied.dependsOnLowers) {
      const facts = { id: layerId(hexOf(diffId)), diffId, size }
      return store.layers.directory((await store.layers.commitDirectory(directory, facts)).id)
    }
    // What it holds fits the layers below only, so it is kept under the name of the whole stack.
    const fitted = join(temporary.path, 'fitted')
    mkdirSync(fitted)
    const lowers = await directoriesOf(below, this.#deps)
    await unpack(descriptor, { ...task, directory: fitted, lowers }, this.#deps)
    await store.layers.commitDirectory(fitted, { id: stacked })
    return store.layers.directory(stacked)
  }
}

/** Makes a directory of a blob that is in the store. */
function unpack(
  blob: Descriptor,
  task: Pick<ApplyTask, 'diffId' | 'directory' | 'lowers'>,
  deps: LayerDeps,
): Promise<AppliedLayer> {
  const { pool, signal } = deps
  return readBlob(blob, (file) => pool.run('unpackLayer', { ...task, ...file }, signal), deps)
}

/** Has a blob of the store read; one that is damaged there is moved away. */
async function readBlob<T>(
  blob: Descriptor,
  read: (file: Pick<BlobTask, 'blob' | 'compression'>) => Promise<T>,
  { store, signal }: LayerDeps,
): Promise<T> {
  const compression = compressionOf(blob.mediaType)
  if (compression === undefined) {
    throw new TsbuildError(`layer ${blob.digest} has the type ${blob.mediaType}`, {
      code: 'UNSUPPORTED',
      hint: 'layers are tar archives, plain or packed with gzip or zstd',
    })
  }
  try {
    return await read({ blob: store.blobs.path(blob.digest), compression })
  } catch (cause) {
    // Reading it to its end tells a damaged file from a layer that was made wrong.
    for await (const chunk of await store.blobs.open(blob, { signal })) void chunk
    throw cause
  }
}

/** @returns the diffIDs of a stack, bottom first; built layers are packed for it */
export async function diffIdsOf(layers: readonly Layer[]): Promise<readonly DiffId[]> {
  const diffIds = layers.map(
    async (layer, index) => layer.base?.diffId ?? (await layer.tar(layers.slice(0, index))).diffId,
  )
  return Promise.all(diffIds)
}

function stackedId(diffIds: readonly DiffId[]): LayerId {
  const chain = chainIdOf(diffIds)
  if (chain === undefined) throw new Error('an empty stack has no identity')
  // The first letter is no hex digit, so that it is never taken for a diffID.
  return layerId(`s${hexOf(chain).slice(1)}`)
}

function lost(id: LayerId): TsbuildError {
  return new TsbuildError(`layer ${id} is not in the store any more`, {
    code: 'STORE_INVALID',
    hint: 'something else removed it during the build; build again',
  })
}
