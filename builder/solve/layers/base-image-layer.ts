import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { AppliedLayer } from '#builder/layer'
import type { BaseLayer } from '#builder/plan'
import {
  cacheKeyOf,
  isStackLayerId,
  type LayerId,
  type LayerRecord,
  layerId,
  moveOwners,
  stackLayerId,
} from '#cache'
import { type DiffId, hexOf, uncompressedDigest } from '#core'
import type { Download } from './download.ts'
import { diffIdsOf, intact, type Layer, type LayerDeps, type TarFacts } from './layer.ts'
import { confirmBlob, type ReadBlob, type RemoteBlob, readBlob, unpack } from './layer-blob.ts'
import { checkDirectory } from './layer-check.ts'
import { lowerTar } from './layer-tar.ts'
import { lowersOf } from './stack.ts'

/**
 * A layer of a base image: nothing of it is fetched before something looks into it. Its diffID is a
 * claim of the image's config until its blob was seen to hold that layer: what the store has under the
 * diffID stands for this blob only then, or a step would use one layer and a push ship another.
 */
export class BaseImageLayer implements Layer {
  readonly base: BaseLayer
  readonly createdAt: undefined
  readonly #deps: LayerDeps
  readonly #blob: RemoteBlob
  #lower: Promise<readonly string[]> | undefined
  #directory: Promise<string> | undefined
  #checked: Promise<readonly string[]> | undefined
  #confirmed: Promise<void> | undefined
  /** Of the layer whose directory is used. */
  #id: LayerId | undefined
  /** Stacks have its tar. */
  #isTar = false
  /** This process made the directory. */
  #isNew = false
  /** Bytes of the tar, once this process has seen them. */
  #size: number | undefined

  constructor(base: BaseLayer, deps: LayerDeps, download: Download) {
    this.base = base
    this.#deps = deps
    this.#blob = { blob: base.descriptor, download }
  }

  lower(below: readonly Layer[]): Promise<readonly string[]> {
    this.#lower ??= this.#deps.tasks.add(this.#findLower(below))
    return intact(this.#lower, this.#deps)
  }

  async #findLower(below: readonly Layer[]): Promise<readonly string[]> {
    if ((await this.#deps.lowerForm()) === 'directory') return [await this.directory(below)]
    await this.confirm()
    if (this.#anywhere()?.directory) return [await this.directory(below)]
    const { diffId } = this.base
    const remake = (): Promise<void> => this.#storeTar()
    if (this.#deps.store.blobs.stat(uncompressedDigest(diffId)) === undefined) await remake()
    const tar = await lowerTar({ diffId, remake }, this.#deps)
    this.#isTar = tar !== undefined
    return [tar ?? (await this.directory(below))]
  }

  /** Stores the tar of the blob, while that is fetched where it has to be. */
  async #storeTar(): Promise<void> {
    const { store, spans, signal, watch } = this.#deps
    const { diffId, descriptor } = this.base
    const what = `unpack layer ${diffId}`
    await using _lease = await store.lease(cacheKeyOf({ unpack: diffId }), { signal, what })
    if (store.blobs.stat(uncompressedDigest(diffId)) !== undefined) return
    await using temporary = store.temporary()
    let attempts = 0
    const read: ReadBlob<{ readonly size: number; readonly tar: string }> = async (source, run) => {
      const tar = join(temporary.path, `${attempts++}.tar`)
      const size = await spans.measure('unpacking', () =>
        run('storeTar', { source, diffId, tar }, signal),
      )
      return { size, tar }
    }
    const { size, tar } = await readBlob(this.#blob, read, this.#deps)
    // Only now: an image can claim any diffID for its blobs.
    store.layers.addCompressed(diffId, descriptor)
    await watch.keepTar(tar, { diffId, size })
    store.layers.register({ diffId, size })
  }

  directory(below: readonly Layer[]): Promise<string> {
    this.#directory ??= this.#deps.tasks.add(this.#watchedDirectory(below))
    return intact(this.#directory, this.#deps)
  }

  async #watchedDirectory(below: readonly Layer[]): Promise<string> {
    const directory = await this.#makeDirectory(below)
    const id = this.#id
    if (id === undefined) throw new Error('a directory belongs to a layer')
    const remake = (target: string): Promise<void> => this.#remake(target, below)
    await this.#deps.watch.use({ id, directory, remake })
    return directory
  }

  checkedLower(below: readonly Layer[]): Promise<readonly string[]> {
    this.#checked ??= this.#deps.tasks.add(this.#check(below))
    return this.#checked
  }

  async tar(): Promise<TarFacts> {
    const { diffId } = this.base
    return { diffId, size: this.#size ?? this.#deps.store.layers.findByDiffId(diffId)?.size }
  }

  async diffId(): Promise<DiffId> {
    return this.base.diffId
  }

  /**
   * Sees to it that the blob is the layer that the store has under its diffID: for results of earlier
   * steps on top of that one.
   * @throws {TsbuildError} DIGEST_MISMATCH, and failures to fetch it
   */
  confirm(): Promise<void> {
    this.#confirmed ??= this.#deps.tasks.add(this.#confirm())
    return this.#confirmed
  }

  async #confirm(): Promise<void> {
    const { layers } = this.#deps.store
    const { diffId, descriptor } = this.base
    if (layers.isKnownBlob(diffId, descriptor)) return
    const isElsewhere = layers.compressed(diffId).length > 0
    if (!isElsewhere && layers.findByDiffId(diffId) === undefined) return
    await confirmBlob(this.#blob, diffId, this.#deps)
  }

  async #makeDirectory(below: readonly Layer[]): Promise<string> {
    const { store, signal } = this.#deps
    const { diffId } = this.base
    await this.confirm()
    const own = this.#anywhere()
    if (own?.directory) return this.#use(own.id)
    const stacked = stackLayerId([...(await diffIdsOf(below)), diffId])
    const find = (): string | undefined => {
      const found = [this.#anywhere(), store.layers.get(stacked)]
      const made = found.find((record) => record?.directory)
      return made && this.#use(made.id)
    }
    const known = find()
    if (known !== undefined) return known
    const what = `unpack layer ${diffId}`
    await using _lease = await store.lease(cacheKeyOf({ unpack: diffId }), { signal, what })
    return find() ?? (await this.#unpack(below, stacked))
  }

  /** A layer of the store with a directory that stands on any stack. */
  #anywhere(): LayerRecord | undefined {
    const found = this.#deps.store.layers.findByDiffId(this.base.diffId)
    return found === undefined || isStackLayerId(found.id) ? undefined : found
  }

  #use(id: LayerId): string {
    this.#id = id
    return this.#deps.store.layers.directory(id)
  }

  async #unpack(below: readonly Layer[], stacked: LayerId): Promise<string> {
    const { store } = this.#deps
    const { diffId } = this.base
    await using temporary = store.temporary()
    const { directory, size, isFitted } = await this.#unpackTo(temporary.path, below)
    // What fits the layers below only is kept under the name of the whole stack.
    const facts = isFitted ? { id: stacked } : { id: layerId(hexOf(diffId)), diffId, size }
    const { id } = await store.layers.commitDirectory(directory, facts)
    this.#isNew = true
    this.#id = id
    return store.layers.directory(id)
  }

  /** `isFitted`: what it holds fits the layers below only. */
  async #unpackTo(
    place: string,
    below: readonly Layer[],
  ): Promise<{ readonly directory: string; readonly size: number; readonly isFitted: boolean }> {
    const { diffId, descriptor } = this.base
    const { directory, size, dependsOnLowers } = await this.#apply(place)
    this.#size = size
    // Only now: an image can claim any diffID for its blobs.
    this.#deps.store.layers.addCompressed(diffId, descriptor)
    if (!dependsOnLowers) return { directory, size, isFitted: false }
    const fitted = join(place, 'fitted')
    mkdirSync(fitted)
    const lowers = await lowersOf(below, this.#deps)
    await unpack(descriptor, { diffId, directory: fitted, lowers }, this.#deps)
    return { directory: fitted, size, isFitted: true }
  }

  /** Makes a directory of the blob alone, while it is fetched where it has to be. */
  #apply(place: string): Promise<AppliedLayer & { readonly directory: string }> {
    const { diffId } = this.base
    const { spans, signal } = this.#deps
    let attempts = 0
    const read: ReadBlob<AppliedLayer & { readonly directory: string }> = async (source, run) => {
      const directory = join(place, `layer${attempts++}`)
      const task = { source, diffId, directory, lowers: undefined }
      const applied = await spans.measure('unpacking', () => run('unpackLayer', task, signal))
      return { ...applied, directory }
    }
    return readBlob(this.#blob, read, this.#deps)
  }

  async #check(below: readonly Layer[]): Promise<readonly string[]> {
    const lower = await this.lower(below)
    // Which was digested when it was used first.
    if (this.#isTar) return lower
    const directory = await this.directory(below)
    const id = this.#id
    if (id === undefined) throw new Error('a directory belongs to a layer')
    const remake = (target: string): Promise<void> => this.#remake(target, below)
    await checkDirectory({ id, directory, isNew: this.#isNew, remake }, this.#deps)
    return [directory]
  }

  async #remake(target: string, below: readonly Layer[]): Promise<void> {
    await using temporary = this.#deps.store.temporary()
    const { directory: fresh } = await this.#unpackTo(temporary.path, below)
    moveOwners(fresh, target)
    renameSync(fresh, target)
  }
}
