/**
 * Cache mounts that machines share. What a step has left in one is in no result, so it is only ever a help: a
 * mount that cannot be had is an empty one, and of two that are sent the newer one counts.
 */
import { mkdirSync, renameSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileRights } from '#builder/linux'
import type { MountSharing, WorkPool } from '#builder/solve'
import { type CacheKey, cacheKeyOf, type RemoteLayer, type ResultSource, type Store } from '#cache'
import { compressionOf, copyBlob, type Json, throwIfCancelled, uncompressedDigest } from '#core'
import { removeTree } from '#disk'
import { type LayerUpload, shareTar } from '../layers/share-layer.ts'
import { dayOf, type SharedResult } from '../records/shared-result.ts'

/** What cache mounts are shared with. */
export interface SharedMountsDeps {
  readonly sources: readonly ResultSource[]
  readonly store: Store
  readonly pool: WorkPool
  readonly signal: AbortSignal | undefined
  readonly onProblem: (cause: unknown) => void
}

/** Fills new cache mounts from caches elsewhere, and notes which ones a build has used. */
export class SharedMounts implements MountSharing {
  readonly #deps: SharedMountsDeps
  readonly #used = new Map<CacheKey, UsedMount>()

  constructor(deps: SharedMountsDeps) {
    this.#deps = deps
  }

  async fill(identity: Json, directory: string): Promise<boolean> {
    const { sources, signal, onProblem } = this.#deps
    // Files of others would become this user's, and be sent on like that.
    if (!fileRights().givesOwners) return false
    for (const source of sources) {
      try {
        const [found] = await source.find([mountKey(identity)], { signal })
        if (found?.layer.kind !== 'remote') continue
        await this.#unpack(found.layer, directory)
        return true
      } catch (cause) {
        throwIfCancelled(signal, 'fill a cache mount')
        onProblem(cause)
      }
    }
    return false
  }

  use(identity: Json, label: string): void {
    this.#used.set(mountKey(identity), { identity, label })
  }

  /** The mounts that were used, as results whose layers the shelf has. */
  async send(upload: LayerUpload): Promise<readonly SharedResult[]> {
    if (!fileRights().givesOwners) return []
    const sent: SharedResult[] = []
    for (const [key, mount] of this.#used) {
      sent.push(await this.#sendOne({ ...mount, key }, upload))
    }
    return sent
  }

  async #unpack({ blob, source, diffId }: RemoteLayer, directory: string): Promise<void> {
    const { store, pool, signal } = this.#deps
    const compression = compressionOf(blob.mediaType)
    if (compression === undefined) throw new Error('blobs of layers are of known types')
    if (!(await store.blobs.has(blob))) {
      await copyBlob(blob, { from: source, to: store.blobs }, { signal })
    }
    const made = `${directory}.shared`
    try {
      mkdirSync(made)
      const path = await store.blobs.file(blob.digest, { signal })
      const task = { source: { kind: 'file', path, compression }, diffId, directory: made } as const
      await pool.run('unpackLayer', { ...task, lowers: [] }, signal)
      rmdirSync(directory)
      renameSync(made, directory)
    } finally {
      await removeTree(made)
    }
  }

  async #sendOne(
    { key, identity, label }: UsedMount & { readonly key: CacheKey },
    upload: LayerUpload,
  ): Promise<SharedResult> {
    const { store, pool } = this.#deps
    const { signal } = upload
    // Alone: a step of another build may be writing to it.
    const request = { identity, label, sharing: 'locked', fill: async () => undefined } as const
    await using opened = await store.mounts.open([request], { signal })
    const [directory] = opened.paths
    if (directory === undefined) throw new Error('a mount that was asked for is open')
    await using temporary = store.temporary()
    const tar = join(temporary.path, 'tar')
    const { diffId, size } = await pool.run('packLayer', { directory, lowers: [], tar }, signal)
    await store.blobs.adopt(tar, uncompressedDigest(diffId), size)
    const now = new Date()
    return {
      ...{ key, family: key, inputs: [], preimage: { cacheMount: identity } },
      description: `cache mount ${label}`,
      createdAt: now,
      usedOn: dayOf(now.getTime()),
      // Nothing is sent of a mount that is as it was when it was sent last.
      layer: await shareTar({ diffId, size, presumed: undefined }, upload),
    }
  }
}

interface UsedMount {
  readonly identity: Json
  readonly label: string
}

function mountKey(identity: Json): CacheKey {
  return cacheKeyOf({ cacheMount: identity })
}
