/**
 * A step's folder is the difference to what lies below, but the store names that by a digest only. What it
 * stood on is told by the images that the store has documents of, and by the keys of steps.
 */
import { lstatSync, readFileSync } from 'node:fs'
import { imageKeyOf, rootKeyOf, type WorkPool } from '#builder/solve'
import {
  type CacheKey,
  hasFolder,
  isStackLayerId,
  type LayerId,
  type LayerRecord,
  type StoreAudit,
  stackLayerId,
} from '#cache'
import { type DiffId, errnoOf, parseImageConfig, TsbuildError, uncompressedDigest } from '#core'

/** Configs are some kilobytes; larger blobs are layers. */
const CONFIG_BYTES = 1 << 20

/** Stacks of layers by what stands on them. */
export class KnownStacks {
  readonly #audit: StoreAudit
  readonly #pool: WorkPool
  /** Bottom first, by the id of the layer on top. */
  readonly #below = new Map<LayerId, readonly DiffId[]>()
  /** Ids of the stacks with a layer on top. */
  readonly #under = new Map<DiffId, Set<LayerId>>()

  constructor(audit: StoreAudit, pool: WorkPool) {
    this.#audit = audit
    this.#pool = pool
    const bases = new Map<CacheKey, readonly DiffId[]>()
    for (const diffIds of configsOf(audit)) {
      this.#add(diffIds)
      bases.set(imageKeyOf(diffIds), diffIds)
    }
    this.#addSteps(bases)
  }

  /** The layers that a layer stands on, bottom first; `undefined` where that is not known. */
  below(id: LayerId): readonly DiffId[] | undefined {
    return this.#below.get(id)
  }

  /** The layers that a layer stands on as `stackTree` takes them; `undefined` where one is not here. */
  async lowers(id: LayerId): Promise<readonly string[] | undefined> {
    const below = this.below(id)
    if (below === undefined) return undefined
    const found: string[] = []
    for (const index of below.keys()) {
      const lower = await this.#lower(below.slice(0, index + 1))
      if (lower === undefined) return undefined
      found.unshift(...lower)
    }
    return [...new Set(found)]
  }

  /** As `lowers`, of all stacks that a layer is known to be in, whose id may not tell. */
  async everyLowers({
    id,
    diffId,
  }: Pick<LayerRecord, 'id' | 'diffId'>): Promise<readonly (readonly string[])[]> {
    const ids = new Set([id, ...((diffId && this.#under.get(diffId)) ?? [])])
    const found = await Promise.all([...ids].map((one) => this.lowers(one)))
    return found.filter((lowers) => lowers !== undefined)
  }

  #add(diffIds: readonly DiffId[]): void {
    for (const [index, diffId] of diffIds.entries()) {
      const id = stackLayerId(diffIds.slice(0, index + 1))
      this.#below.set(id, diffIds.slice(0, index))
      this.#under.set(diffId, (this.#under.get(diffId) ?? new Set()).add(id))
    }
  }

  /** A step stands on a base, or on another step. */
  #addSteps(stacks: Map<CacheKey, readonly DiffId[]>): void {
    const { layers } = this.#audit.store
    let waiting = this.#audit
      .records()
      .map(({ key, preimage, layer }) => ({
        key,
        root: rootKeyOf(preimage),
        diffId: layer && layers.get(layer)?.diffId,
      }))
      .toArray()
    for (let before = -1; before !== waiting.length; ) {
      before = waiting.length
      waiting = waiting.filter(({ key, root, diffId }) => {
        const below = root === undefined ? [] : stacks.get(root)
        if (below === undefined || diffId === undefined) return true
        const stack = [...below, diffId]
        stacks.set(key, stack)
        this.#add(stack)
        return false
      })
    }
  }

  /** The top of a stack, in one part or two. */
  async #lower(stack: readonly DiffId[]): Promise<readonly string[] | undefined> {
    const { layers, blobs } = this.#audit.store
    const diffId = stack.at(-1)
    if (diffId === undefined) return undefined
    const fitted = layers.get(stackLayerId(stack))
    const anywhere = layers.findByDiffId(diffId)
    const isFree = anywhere !== undefined && !isStackLayerId(anywhere.id)
    for (const layer of [fitted, isFree ? anywhere : undefined]) {
      if (layer !== undefined && hasFolder(layer)) return layers.folders(layer)
    }
    const tar = blobs.path(uncompressedDigest(diffId))
    if (!lstatSync(tar, { throwIfNoEntry: false })?.isFile()) return undefined
    return (await this.#isWhole(tar)) ? [tar] : undefined
  }

  /** Whether a tar can stand for the folder of its layer. */
  async #isWhole(tar: string): Promise<boolean> {
    try {
      return await this.#pool.run('isSelfContained', tar, undefined)
    } catch (cause) {
      // Damaged, or removed meanwhile.
      if (cause instanceof TsbuildError && cause.code !== 'CANCELLED') return false
      throw cause
    }
  }
}

function* configsOf(audit: StoreAudit): Generator<readonly DiffId[]> {
  for (const { path, found, earlier } of audit.blobs()) {
    if (!found.isFile() || found.size > CONFIG_BYTES || earlier !== undefined) continue
    const diffIds = diffIdsIn(path)
    if (diffIds !== undefined && diffIds.length > 0) yield diffIds
  }
}

/** A small blob may be anything. */
function diffIdsIn(path: string): readonly DiffId[] | undefined {
  try {
    const bytes = readFileSync(path)
    return bytes[0] === '{'.charCodeAt(0) ? parseImageConfig(bytes).diffIds : undefined
  } catch (cause) {
    // Or nothing any more.
    if (cause instanceof TsbuildError || errnoOf(cause) !== undefined) return undefined
    throw cause
  }
}
