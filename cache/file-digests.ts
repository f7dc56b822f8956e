import { existsSync, lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Digest, digestOf, errnoOf, hexOf, type Name } from '#core'
import { DigestColumns, type DigestTable, type FileIdentity, readDigests } from './digest-file.ts'
import { storeFailure } from './failure.ts'
import { layoutOf } from './layout.ts'

/**
 * How far a file's times must lie behind the clock before they tell one content from the next: a
 * file written twice within the granularity of its times (up to 2 s, on FAT) looks the same after
 * the second time.
 */
const RACY_MILLISECONDS = 2000
/** An entry that nobody asked for in so many generations is dropped. */
const OLDEST = 16
const PATIENCE_MILLISECONDS = 500
const STALE_MILLISECONDS = 10_000

/** The digests of the files of one tree, kept from one build to the next. For one thread. */
export class FileDigests {
  readonly #file: string
  readonly #known: DigestTable
  #fresh = new DigestColumns()
  /** In the order of the walk, possibly more than once. */
  readonly #met: Name[] = []
  /** Before any `lstat` of the tree: a file that is older than this by far was not changed since. */
  readonly #openedAt = Date.now()

  /** Use `openFileDigests`. */
  constructor(file: string) {
    this.#file = file
    this.#known = readDigests(file)
  }

  /**
   * The digest of the content of the regular file at `path`, unless it may have changed. What was
   * put since these digests were opened is not found.
   */
  get(path: Name, file: FileIdentity): Digest | undefined {
    this.#met.push(path)
    return this.#known.find(path, file)
  }

  /**
   * Remembers a digest. `file` is the file's state *before* it was read, and was taken after these
   * digests were opened. A file that changed a moment ago is not remembered.
   */
  put(path: Name, file: FileIdentity, digest: Digest): void {
    const { dev, ino, size, mtimeMs, ctimeMs } = file
    if (Math.max(mtimeMs, ctimeMs) > this.#openedAt - RACY_MILLISECONDS) return
    this.#met.push(path)
    this.#fresh.push({ path, dev, ino, size, mtimeMs, ctimeMs, digest, age: 0 })
  }

  /**
   * Writes what was put, beside what others have put. No work when there is nothing new.
   * @throws {TsbuildError} NO_SPACE, PERMISSION_DENIED
   */
  flush(): void {
    if (this.#fresh.size === 0) return
    const next = `${this.#file}.new`
    try {
      if (!this.#reserve(next)) return
      writeFileSync(next, this.#merged().encode(), { mode: 0o600 })
      renameSync(next, this.#file)
    } catch (cause) {
      rmSync(next, { force: true })
      throw storeFailure(`write ${this.#file}`, cause)
    }
    this.#fresh = new DigestColumns()
  }

  /** In the order in which the files were met, then what was not. */
  #merged(): DigestColumns {
    const current = readDigests(this.#file)
    const fresh = new Map(this.#fresh.paths().map((path, index) => [path, index]))
    const isAll = current.paths().length === 0 && this.#met.length === fresh.size
    if (isAll) return this.#fresh
    const met = new Set(this.#met)
    const merged = new DigestColumns()
    for (const path of met) {
      const index = fresh.get(path)
      if (index !== undefined) merged.pushFrom(this.#fresh, index)
      else {
        const known = current.get(path)
        if (known !== undefined) merged.push({ ...known, age: 0 })
      }
    }
    for (const path of current.paths()) {
      const known = met.has(path) ? undefined : current.get(path)
      if (known !== undefined && known.age + 1 < OLDEST) {
        merged.push({ ...known, age: known.age + 1 })
      }
    }
    return merged
  }

  /**
   * Waits a little for another writer; false when it does not come to an end: then its entries are
   * kept and these are lost, which costs reading the files again. Should a writer that was taken for
   * dead go on, the checksum finds the mixture.
   */
  #reserve(next: string): boolean {
    const pause = new Int32Array(new SharedArrayBuffer(4))
    for (let waited = 0; waited < PATIENCE_MILLISECONDS; waited += 10) {
      try {
        writeFileSync(next, '', { flag: 'wx', mode: 0o600 })
        return true
      } catch (cause) {
        if (errnoOf(cause) !== 'EEXIST') throw cause
      }
      const written = lstatSync(next, { throwIfNoEntry: false })?.mtimeMs
      if (written === undefined) continue
      if (Math.abs(Date.now() - written) > STALE_MILLISECONDS) rmSync(next, { force: true })
      else Atomics.wait(pause, 0, 0, 10)
    }
    return false
  }
}

/** Whether digests of the tree that the caller calls `tree` were ever written. */
export function hasFileDigests(root: string, tree: string): boolean {
  return existsSync(fileOf(root, tree))
}

/**
 * Opens the digests of the tree that the caller calls `tree`, in the store at `root`; for worker
 * threads too, all calls are synchronous. Open it before looking at the tree's files.
 */
export function openFileDigests(root: string, tree: string): FileDigests {
  return new FileDigests(fileOf(root, tree))
}

function fileOf(root: string, tree: string): string {
  return join(layoutOf(root).digests, hexOf(digestOf(tree)).slice(0, 32))
}
