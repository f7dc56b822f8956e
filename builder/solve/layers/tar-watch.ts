import { lstatSync } from 'node:fs'
import type { Store } from '#cache'
import { type DiffId, TsbuildError, uncompressedDigest } from '#core'
import type { WorkPool } from '../work/work-pool.ts'

/** A tar of the store that a build uses in the place of a directory. */
export interface UsedTar {
  readonly diffId: DiffId
  readonly path: string
  /** Stores it anew, after it was removed; throws where there is nothing to make it of. */
  readonly remake: () => Promise<void>
}

/** What tars are watched with. */
export interface TarWatchDeps {
  readonly store: Store
  readonly pool: WorkPool
}

/** What tells that a file is the one that was verified, and untouched since. */
interface Mark {
  readonly text: string
  readonly changedMs: number
}

/**
 * Knows which tars hold what they are named after: each is digested when it is used first, unless this
 * build has made it, and again whenever its times are others than then. No program can set these.
 */
export class TarWatch {
  readonly #deps: TarWatchDeps
  readonly #verified = new Map<string, Mark>()
  readonly #used = new Map<string, UsedTar>()

  constructor(deps: TarWatchDeps) {
    this.#deps = deps
  }

  /** The newest time of change of a tar that is used, in milliseconds. */
  get newest(): number {
    return Math.max(0, ...[...this.#verified.values()].map(({ changedMs }) => changedMs))
  }

  /** Says that a tar was written by this build just now, and digested meanwhile. */
  know(path: string): void {
    const mark = markOf(path)
    if (mark !== undefined) this.#verified.set(path, mark)
  }

  /** To be called for what is used from now on. @returns whether it is what it is named after */
  async use(tar: UsedTar): Promise<boolean> {
    this.#used.set(tar.path, tar)
    return this.isIntact(tar)
  }

  /** Those that were used so far and have been changed. */
  async changed(): Promise<readonly UsedTar[]> {
    const found: UsedTar[] = []
    for (const tar of this.#used.values()) if (!(await this.isIntact(tar))) found.push(tar)
    return found
  }

  /** Whether a tar is what it is named after. */
  async isIntact({ path, diffId }: UsedTar): Promise<boolean> {
    const mark = markOf(path)
    if (mark === undefined) return false
    if (this.#verified.get(path)?.text === mark.text) return true
    const source = { kind: 'file', path, compression: 'none' } as const
    try {
      await this.#deps.pool.runBeside('checkLayer', { source, diffId }, undefined)
    } catch (cause) {
      if (cause instanceof TsbuildError && cause.code === 'DIGEST_MISMATCH') return false
      throw cause
    }
    this.#verified.set(path, mark)
    return true
  }

  /** Stores a tar anew. @throws where that cannot be done; it is not in the store then */
  async repair({ path, diffId, remake }: UsedTar): Promise<void> {
    this.#deps.store.blobs.delete(uncompressedDigest(diffId))
    await remake()
    this.know(path)
  }
}

/** `undefined` when there is no file. */
function markOf(path: string): Mark | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true })
  if (found?.isFile() !== true) return undefined
  const { dev, ino, size, ctimeNs } = found
  return { text: `${dev}:${ino}:${size}:${ctimeNs}`, changedMs: Number(ctimeNs / 1_000_000n) }
}
