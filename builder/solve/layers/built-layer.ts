import { join } from 'node:path'
import { type AppliedLayer, decompress } from '#builder/layer'
import {
  type LayerId,
  type LayerRecord,
  type TarFacts as SizedTar,
  stackLayerId,
  wholeLayerId,
} from '#cache'
import {
  compressionOf,
  type DiffId,
  MEDIA_TYPES,
  TsbuildError,
  throwIfCancelled,
  uncompressedDigest,
} from '#core'
import { intact, type Layer, type LayerDeps } from './layer.ts'
import { unpack } from './layer-blob.ts'
import { checkDirectory, checkedLowers, discardDamaged } from './layer-check.ts'
import { checkParts, isParted, type PartedLayer, partsOf } from './layer-parts.ts'
import { lowerTar } from './layer-tar.ts'
import { missingLayerError } from './missing-layer.ts'
import { lowersOf } from './stack.ts'

/** A layer that a step made here. */
export class BuiltLayer implements Layer {
  readonly base: undefined
  readonly createdAt: Date
  readonly #deps: LayerDeps
  readonly #made: Promise<SizedTar | undefined> | undefined
  #id: LayerId
  #lower: Promise<readonly string[]> | undefined
  #directory: Promise<string> | undefined
  #checked: Promise<readonly string[]> | undefined
  #tar: Promise<SizedTar> | undefined
  #diffId: Promise<DiffId | undefined> | undefined
  /** Stacks have its tar. */
  #isTar = false
  /** This process made the directory. */
  #isNew = false

  /** @param made the tar, where its step is making it */
  constructor(
    record: LayerRecord,
    createdAt: Date,
    deps: LayerDeps,
    made?: Promise<SizedTar | undefined>,
  ) {
    this.#id = record.id
    this.createdAt = createdAt
    this.#deps = deps
    this.#made = made
  }

  lower(below: readonly Layer[]): Promise<readonly string[]> {
    this.#lower ??= this.#deps.tasks.add(this.#findLower(below))
    return intact(this.#lower, this.#deps)
  }

  async #findLower(below: readonly Layer[]): Promise<readonly string[]> {
    const record = this.#record()
    const isTar = (await this.#deps.lowerForm()) === 'tar' && !record.directory
    if (!isTar && isParted(record)) return partsOf(record, this.#deps)
    if (!isTar) return [await this.directory(below)]
    const { diffId } = await this.tar(below)
    const remake = async (): Promise<void> => {
      const { size } = this.#record()
      if (size === undefined || !(await this.#findTar({ diffId, size }))) {
        throw missingLayerError(this.#id)
      }
    }
    const tar = await lowerTar({ diffId, remake }, this.#deps)
    this.#isTar = tar !== undefined
    return [tar ?? (await this.directory(below))]
  }

  directory(below: readonly Layer[]): Promise<string> {
    this.#directory ??= this.#deps.tasks.add(this.#watchedDirectory(below))
    return intact(this.#directory, this.#deps)
  }

  async #watchedDirectory(below: readonly Layer[]): Promise<string> {
    const directory = await this.#makeDirectory(below)
    const remake = async (target: string): Promise<void> => void (await this.#unpack(target, below))
    await this.#deps.watch.use({ id: this.#id, directory, remake })
    return directory
  }

  checkedLower(below: readonly Layer[]): Promise<readonly string[]> {
    this.#checked ??= this.#deps.tasks.add(this.#check(below))
    return this.#checked
  }

  tar(below: readonly Layer[]): Promise<SizedTar> {
    this.#tar ??= this.#deps.tasks.add(this.#makeTar(below))
    return this.#tar
  }

  /** As `tar`, with everything that another machine needs to use the layer. */
  async packed(below: readonly Layer[]): Promise<SizedTar> {
    const { diffId, size } = await this.tar(below)
    return { diffId, size, presumed: this.#deps.store.layers.presumed(diffId) }
  }

  /** With it a later build checks whether the directory is still what the step made. */
  diffId(below: readonly Layer[]): Promise<DiffId | undefined> {
    this.#diffId ??= this.#deps.tasks.add(this.#findDiffId(below))
    return this.#diffId
  }

  /** As `diffId`; what has two folders is packed for it, which only others that get the layer need. */
  async sharedDiffId(below: readonly Layer[]): Promise<DiffId | undefined> {
    const record = this.#deps.store.layers.get(this.#id)
    return record && isParted(record) ? (await this.tar(below)).diffId : this.diffId(below)
  }

  async #findDiffId(below: readonly Layer[]): Promise<DiffId | undefined> {
    const record = this.#deps.store.layers.get(this.#id)
    // It was found to be damaged meanwhile: that failure is the one to report, not those on top of it.
    if (record === undefined) return undefined
    const { id, diffId } = record
    if (diffId !== undefined) return diffId
    if (this.#tar !== undefined) return (await this.#tar).diffId
    // To digest all of it would cost what was saved by not making all of it.
    if (isParted(record)) return undefined
    const { pool, spans, signal } = this.#deps
    const directory = await this.directory(below)
    const lowers = await lowersOf(below, this.#deps)
    try {
      const tar = await spans.measure('packing', () =>
        pool.run('digestLayer', { directory, lowers }, signal),
      )
      await this.#identify(id, tar, below)
      return tar.diffId
    } catch (cause) {
      if (!(cause instanceof TsbuildError) || cause.code !== 'LAYER_INVALID') throw cause
      return undefined
    }
  }

  /** Names the layer by its content, as far as that of all layers below is known. */
  async #identify(id: LayerId, tar: SizedTar, below: readonly Layer[]): Promise<void> {
    const { layers } = this.#deps.store
    const diffIds = await knownDiffIds(below)
    if (diffIds === undefined) layers.setTar(id, tar)
    else layers.identify(id, tar, diffIds)
  }

  async #makeDirectory(below: readonly Layer[]): Promise<string> {
    const { store } = this.#deps
    // One directory is made of the tar.
    if (isParted(this.#record())) await this.tar(below)
    const record = this.#record()
    if (record.directory) return store.layers.directory(record.id)
    const stacked = await this.#stackedId(record, below)
    const own = wholeLayerId(record)
    const known = [stacked, own].find((id) => id !== undefined && store.layers.get(id)?.directory)
    if (known !== undefined) {
      this.#id = known
      return store.layers.directory(known)
    }
    await using temporary = store.temporary()
    const directory = join(temporary.path, 'layer')
    const { diffId, size, dependsOnLowers } = await this.#unpack(directory, below)
    // What fits the layers below only is kept under the name of the whole stack.
    const id = dependsOnLowers ? (stacked ?? own) : own
    this.#isNew = true
    this.#id = (await store.layers.commitDirectory(directory, { id, diffId, size })).id
    return store.layers.directory(this.#id)
  }

  /** The id of the layer on this stack, as far as that of all layers below is known. */
  async #stackedId({ diffId }: LayerRecord, below: readonly Layer[]): Promise<LayerId | undefined> {
    const diffIds = diffId && (await knownDiffIds(below))
    return diffIds && stackLayerId([...diffIds, diffId])
  }

  /** Makes the directory from a blob of the store. */
  async #unpack(directory: string, below: readonly Layer[]): Promise<AppliedLayer> {
    const { id, diffId, size } = this.#record()
    if (diffId === undefined || size === undefined) throw missingLayerError(id)
    await this.#findTar({ diffId, size })
    const tar = { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
    const lowers = await lowersOf(below, this.#deps)
    return unpack(tar, { diffId, directory, lowers }, this.#deps)
  }

  /** True when the tar is in the store; a packed one is unpacked. */
  async #findTar({ diffId, size }: SizedTar): Promise<boolean> {
    const { store, signal } = this.#deps
    const tar = { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
    if (store.blobs.stat(tar.digest) !== undefined) return true
    for (const packed of store.layers.compressed(diffId)) {
      const compression = compressionOf(packed.mediaType)
      if (compression === undefined || store.blobs.stat(packed.digest) !== packed.size) continue
      const bytes = decompress(await store.blobs.open(packed, { signal }), compression)
      await store.blobs.put(tar, bytes, { signal })
      return true
    }
    return false
  }

  async #makeTar(below: readonly Layer[]): Promise<SizedTar> {
    const made = await this.#made
    if (made !== undefined) return made
    const { store, pool, spans, signal } = this.#deps
    const record = this.#record()
    const { id, diffId, size } = record
    if (diffId !== undefined && size !== undefined && (await this.#findTar({ diffId, size }))) {
      return { diffId, size }
    }
    await using temporary = store.temporary()
    const directory = isParted(record)
      ? await this.#join(record, temporary.path)
      : await this.directory(below)
    const under = await lowersOf(below, this.#deps)
    // A copy with --link was made on nothing.
    for (const [index, lowers] of [under, []].entries()) {
      const tar = join(temporary.path, `${index}.tar`)
      const packed = await spans.measure('packing', async () => {
        const made = await pool.run('packLayer', { directory, lowers, tar }, signal)
        if (diffId !== undefined && made.diffId !== diffId) return undefined
        await store.blobs.adopt(tar, uncompressedDigest(made.diffId), made.size)
        await this.#identify(id, made, below)
        return made
      })
      if (packed !== undefined) return packed
    }
    throw await discardDamaged(id, this.#deps)
  }

  /** Makes one directory of those of a layer, for the moment. */
  async #join(record: PartedLayer, place: string): Promise<string> {
    const { pool, signal } = this.#deps
    const directory = join(place, 'joined')
    const directories = await partsOf(record, this.#deps)
    await pool.run('mergeDirectories', { directories, directory }, signal)
    return directory
  }

  async #check(below: readonly Layer[]): Promise<readonly string[]> {
    // A layer is the difference to what lies below, so that is checked first.
    await checkedLowers(below)
    const lower = await this.lower(below)
    // Which was digested when it was used first.
    if (this.#isTar) return lower
    const lowers = await lowersOf(below, this.#deps)
    const record = this.#record()
    if (isParted(record) && (await this.#areSound(record, lowers))) return lower
    const directory = await this.directory(below)
    // What an older tsbuild left without a diffID gets it now, from the directory as it is.
    await this.diffId(below)
    const { id, diffId } = this.#record()
    if (diffId === undefined) return [directory]
    const remake = async (target: string): Promise<void> => void (await this.#unpack(target, below))
    const made = { id, directory, diffId, lowers, remake, isNew: this.#isNew }
    await checkDirectory(made, this.#deps)
    return [directory]
  }

  /** False for folders that are damaged, when the layer is in the store as a tar, of which it is made from now on. */
  async #areSound(record: PartedLayer, lowers: readonly string[]): Promise<boolean> {
    const { store, signal } = this.#deps
    const { diffId, size } = record
    try {
      await checkParts(record, lowers, this.#deps)
      return true
    } catch (cause) {
      throwIfCancelled(signal, `check layer ${record.id}`)
      if (diffId === undefined || size === undefined) throw cause
      if (!(await this.#findTar({ diffId, size }))) throw cause
      const presumed = store.layers.presumed(diffId)
      this.#id = store.layers.register({ diffId, size, presumed }).id
      this.#lower = undefined
      return false
    }
  }

  #record(): LayerRecord {
    const record = this.#deps.store.layers.get(this.#id)
    if (record === undefined) throw missingLayerError(this.#id)
    return record
  }
}

/** `undefined` when one of the layers has none. */
async function knownDiffIds(layers: readonly Layer[]): Promise<readonly DiffId[] | undefined> {
  const found = layers.map((layer, index) => layer.diffId(layers.slice(0, index)))
  const diffIds = (await Promise.all(found)).filter((diffId) => diffId !== undefined)
  return diffIds.length === layers.length ? diffIds : undefined
}
