import { chmodSync, lstatSync, readdirSync, renameSync, rmSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { type Descriptor, type Digest, errnoOf, hexOf, isDigest, TsbuildError } from '#core'
import { storeError } from '../filesystem/failure.ts'
import { syncPath } from '../filesystem/sync.ts'
import { modeOf, SEALED, SPARE, UNSEALED } from './blob-modes.ts'

/** From here on writing to the disk is worth an early start. */
const LARGE_BYTES = 8 * 1024 * 1024
/** As many files are written to the disk side by side. */
const AT_ONCE = 8

/**
 * A folder of files that are named by the digits of digests. One that may not be on the disk yet has another mode
 * than one that is: see docs/adr/0003-durability.md
 */
export class SealedFolder {
  readonly #folder: string
  /** Those that were met here and may not be on the disk yet, with what writes them there. */
  readonly #unsealed = new Map<Digest, Promise<void> | undefined>()
  #syncing: Promise<void> = Promise.resolve()

  constructor(folder: string) {
    this.#folder = folder
  }

  path(digest: Digest): string {
    return join(this.#folder, hexOf(digest))
  }

  /** What is in the place of a file. */
  find(digest: Digest): Stats | undefined {
    return lstatSync(this.path(digest), { throwIfNoEntry: false })
  }

  /** Has `sync` write a file to the disk that was found here, unless it is there. */
  note(digest: Digest, found: Stats): void {
    if (modeOf(found) === SEALED || this.#unsealed.has(digest)) return
    this.#unsealed.set(digest, undefined)
  }

  /** Has `sync` leave out a file that is going. */
  forget(digest: Digest): void {
    this.#unsealed.delete(digest)
  }

  /** Takes over a file, which `sync` writes to the disk; one of a large `size` is begun with. */
  enter(file: string, { digest, size }: Pick<Descriptor, 'digest' | 'size'>): void {
    this.rename(file, digest, UNSEALED)
    const early = size >= LARGE_BYTES ? this.#writeBack(digest) : undefined
    // `sync` rejects with its failure.
    early?.catch(() => undefined)
    this.#unsealed.set(digest, early)
  }

  /** Takes over a file. @throws {TsbuildError} as `storeError` has it */
  rename(file: string, digest: Digest, mode: number): void {
    try {
      chmodSync(file, mode)
      renameSync(file, this.path(digest))
    } catch (cause) {
      throw storeError(`store blob ${digest}`, cause)
    }
  }

  /**
   * Writes to the disk what was taken over or met here. What the disk refuses is removed: a
   * later fsync(2) would claim success.
   * @throws {TsbuildError} NO_SPACE, IO_FAILED
   */
  sync(): Promise<void> {
    // One after the other: a second call must not return before everything is safe.
    const syncing = this.#syncing.then(() => this.#syncUnsealed())
    this.#syncing = syncing.catch(() => undefined)
    return syncing
  }

  async #syncUnsealed(): Promise<void> {
    const digests = [...this.#unsealed.keys()]
    if (digests.length === 0) return
    for (let at = 0; at < digests.length; at += AT_ONCE) {
      await this.#writeBackAll(digests.slice(at, at + AT_ONCE))
    }
    await syncPath(this.#folder)
    for (const digest of digests) {
      ignoreMissing(() => chmodSync(this.path(digest), SEALED))
      this.#unsealed.delete(digest)
    }
  }

  async #writeBackAll(digests: readonly Digest[]): Promise<void> {
    const writing = digests.map(async (digest) => {
      try {
        await (this.#unsealed.get(digest) ?? this.#writeBack(digest))
      } catch (cause) {
        this.#unsealed.delete(digest)
        throw cause
      }
    })
    await Promise.allSettled(writing)
    await Promise.all(writing)
  }

  async #writeBack(digest: Digest): Promise<void> {
    try {
      await syncPath(this.path(digest))
    } catch (cause) {
      const reason = cause instanceof TsbuildError ? cause.cause : cause
      // Another process has removed it, or has made one file of its parts.
      if (errnoOf(reason) === 'ENOENT') return
      // Only what the disk refused is removed: a file that could not be opened is as good as it was.
      if (isFsync(reason)) rmSync(this.path(digest), { force: true })
      throw storeError(`write blob ${digest} to the disk`, cause)
    }
  }

  /**
   * After a reboot: what never got to be sealed is verified, and removed when it is not whole.
   * @param isWhole whether a file is right, and on the disk
   */
  recover(isWhole: (path: string, digest: Digest) => boolean): void {
    for (const name of namesOf(this.#folder)) {
      const digest = `sha256:${name}`
      const path = join(this.#folder, name)
      const found = lstatSync(path, { throwIfNoEntry: false })
      if (!found?.isFile() || modeOf(found) === SEALED) continue
      const isKept = modeOf(found) !== SPARE && isDigest(digest) && attempt(isWhole, path, digest)
      if (isKept) chmodSync(path, SEALED)
      else rmSync(path, { force: true })
    }
  }
}

/** None where there is no folder. */
function namesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
    return []
  }
}

/** False for what cannot be read. */
function attempt(
  isWhole: (path: string, digest: Digest) => boolean,
  path: string,
  digest: Digest,
): boolean {
  try {
    return isWhole(path, digest)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return false
  }
}

export function ignoreMissing(action: () => void): void {
  try {
    action()
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
  }
}

function isFsync(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause && cause.syscall === 'fsync'
}
