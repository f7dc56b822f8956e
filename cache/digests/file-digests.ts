import { closeSync, fstatSync, lstatSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Digest,
  digestOf,
  errnoOf,
  type FileIdentity,
  hexOf,
  type Name,
  RACY_MILLISECONDS,
} from '#core'
import { isNoSpace, storeError } from '../filesystem/failure.ts'
import { noteUse } from '../filesystem/last-use.ts'
import { layoutOf } from '../filesystem/layout.ts'
import type { KnownContent } from './digest-block.ts'
import { DigestFile, type KnownSelection, writeDigestFile } from './digest-file.ts'
import { FreshDigests, mergeEntries } from './fresh-digests.ts'

/** An entry is dropped that was not looked up on so many days on which something was written. */
const OLDEST = 16
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000
/** Of a sealed tree less is not worth a file. */
const FEWEST_SEALED = 500
const FEWEST_SEALED_BYTES = 8 << 20
/** Of as many selections of one tree it is remembered what they held. */
const MOST_SELECTIONS = 64
const PATIENCE_MILLISECONDS = 500
const STALE_MILLISECONDS = 10_000

/** What is known of a tree. */
export interface DigestsOptions {
  /** Nothing of it is written any more: what is new is remembered, too, unless it is little. */
  readonly isSealed?: boolean
}

/**
 * What the contents of the files of one tree were, kept from one build to the next. For one thread. It
 * takes the same memory for a tree of any size.
 */
export class FileDigests implements Disposable {
  readonly #file: string
  readonly #tree: string
  readonly #isSealed: boolean
  readonly #known: DigestFile
  #fresh: FreshDigests
  #freshCount = 0
  #freshBytes = 0
  readonly #selections: KnownSelection[] = []
  /** Before any `lstat` of the tree: a file that is older than this by far was not changed since. */
  readonly #openedAt = Date.now()

  /** Use `openFileDigests`. */
  constructor(file: string, tree: string, { isSealed = false }: DigestsOptions = {}) {
    this.#file = file
    this.#tree = tree
    this.#isSealed = isSealed
    this.#known = new DigestFile(file)
    this.#fresh = this.#newFresh()
  }

  /**
   * What is known of the content of the regular file at `path`, unless it may have changed. What was
   * put since these digests were opened is not found.
   */
  get(path: Name, file: FileIdentity): KnownContent | undefined {
    return this.#known.get(path, file)
  }

  /**
   * Remembers a content. `file` is the file's state *before* anything of it was read, and was taken
   * after these digests were opened. A file that changed a moment ago is not remembered, but in a sealed tree; and none
   * is on a full disk.
   * @throws {TsbuildError} PERMISSION_DENIED, IO_FAILED
   */
  put(path: Name, file: FileIdentity, { digest, isBare }: KnownContent): void {
    const { dev, ino, size, mtimeMs, ctimeMs } = file
    const isRacy = Math.max(mtimeMs, ctimeMs) > this.#openedAt - RACY_MILLISECONDS
    if (isRacy && !this.#isSealed) return
    try {
      this.#freshCount++
      this.#freshBytes += size
      this.#fresh.push({ path, dev, ino, size, mtimeMs, ctimeMs, digest, isBare, age: 0 })
    } catch (cause) {
      // The clean-up after this failure must not fail the same way.
      this.#forgetFresh()
      throwUnlessFull(`write beside ${this.#file}`, cause)
    }
  }

  /** How many files are known. */
  get count(): number {
    return this.#known.count
  }

  /** What a selection of files held that were in this state. */
  selectionContent({ selection, state }: Omit<KnownSelection, 'content'>): Digest | undefined {
    const found = this.#known.selections.find((one) => one.selection === selection)
    return found?.state === state ? found.content : undefined
  }

  /**
   * Remembers what a selection held. Its state was taken after these digests were opened, and before anything of
   * it was read.
   * @param changedAt when anything in it was changed last; what changed a moment ago is not remembered
   */
  putSelection(known: KnownSelection, changedAt: number): void {
    if (changedAt <= this.#openedAt - RACY_MILLISECONDS) this.#selections.push(known)
  }

  /**
   * Writes what was put, beside what others have put. No work when there is nothing new. On a full disk it is dropped,
   * and the next build reads the files again.
   * @throws {TsbuildError} PERMISSION_DENIED, IO_FAILED
   */
  flush(): void {
    if (this.#fresh.isEmpty && this.#selections.length === 0) return
    if (this.#isSealed && this.#isLittle) return
    const next = `${this.#file}.new`
    try {
      const descriptor = this.#reserve(next)
      if (descriptor === undefined) return
      this.#write(descriptor, next)
    } catch (cause) {
      rmSync(next, { force: true })
      throwUnlessFull(`write ${this.#file}`, cause)
    }
    this.#forgetFresh()
  }

  /** Forgets what was put and not flushed. */
  [Symbol.dispose](): void {
    this.#known[Symbol.dispose]()
    this.#fresh[Symbol.dispose]()
  }

  get #isLittle(): boolean {
    return this.#freshCount < FEWEST_SEALED && this.#freshBytes < FEWEST_SEALED_BYTES
  }

  #forgetFresh(): void {
    this.#fresh[Symbol.dispose]()
    this.#fresh = this.#newFresh()
    this.#selections.length = 0
  }

  #newFresh(): FreshDigests {
    return new FreshDigests(`${this.#file}.spill`)
  }

  #write(descriptor: number, next: string): void {
    try {
      using current = new DigestFile(this.#file)
      // By days and not by writings: a build with many COPY steps writes many times.
      const isNextDay = this.#openedAt - current.agedAt > DAY_MILLISECONDS
      const old = current.survivors(this.#known, { days: isNextDay ? 1 : 0, oldest: OLDEST })
      const agedAt = isNextDay ? this.#openedAt : current.agedAt
      writeDigestFile(descriptor, mergeEntries(old, this.#fresh.entries()), {
        agedAt,
        tree: this.#tree,
        selections: this.#mergeSelections(current.selections),
      })
      // A process that took this writer for dead is writing another file of that name.
      if (lstatSync(next, { throwIfNoEntry: false })?.ino !== fstatSync(descriptor).ino) return
      renameSync(next, this.#file)
    } finally {
      closeSync(descriptor)
    }
  }

  #mergeSelections(others: readonly KnownSelection[]): readonly KnownSelection[] {
    const own = this.#selections
    const rest = others.filter(({ selection }) => own.every((one) => one.selection !== selection))
    return [...own, ...rest].slice(0, MOST_SELECTIONS)
  }

  /**
   * Waits a little for another writer; `undefined` when it does not come to an end: then its entries are
   * kept and these are dropped, which costs reading the files again.
   */
  #reserve(next: string): number | undefined {
    const pause = new Int32Array(new SharedArrayBuffer(4))
    for (let waited = 0; waited < PATIENCE_MILLISECONDS; waited += 10) {
      try {
        return openSync(next, 'wx', 0o600)
      } catch (cause) {
        if (errnoOf(cause) !== 'EEXIST') throw cause
      }
      const written = lstatSync(next, { throwIfNoEntry: false })?.mtimeMs
      if (written === undefined) continue
      if (Math.abs(Date.now() - written) > STALE_MILLISECONDS) rmSync(next, { force: true })
      else Atomics.wait(pause, 0, 0, 10)
    }
    return undefined
  }
}

function throwUnlessFull(doing: string, cause: unknown): void {
  const failure = storeError(doing, cause)
  if (!isNoSpace(failure)) throw failure
}

/**
 * How many bytes the digests of the tree take that the caller calls `tree`; `undefined` without any that can
 * be found.
 */
export function sizeOfFileDigests(root: string, tree: string): number | undefined {
  try {
    const file = fileOf(root, tree)
    const found = statSync(file, { throwIfNoEntry: false })
    if (found !== undefined) noteUse(file, found)
    return found?.size
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

/**
 * Opens the digests of the tree that the caller calls `tree`, in the store at `root`; for worker
 * threads too, all calls are synchronous. Open it before looking at the tree's files.
 */
export function openFileDigests(
  root: string,
  tree: string,
  options: DigestsOptions = {},
): FileDigests {
  return new FileDigests(fileOf(root, tree), tree, options)
}

function fileOf(root: string, tree: string): string {
  return join(layoutOf(root).digests, hexOf(digestOf(tree)).slice(0, 32))
}
