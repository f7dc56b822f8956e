import { comparePaths, type Digest, type Name, TsbuildError } from '#core'
import type { ContentsEntry } from '../contents/contents-entry.ts'
import { TarContents } from '../contents/tar-contents.ts'
import { quote } from '../paths/quote.ts'
import { StackTree } from './stack-tree.ts'

/** Finds what `ContentsWriter` has noted of the tar of the layer in a folder; `undefined`: nothing. */
export type FindContents = (folder: string) => string | undefined

/**
 * What was noted of the files of a stack's layers when their tars were written, to be compared with what is read of
 * their folders: what a disk has damaged shows there.
 */
export class NotedDigests implements Disposable {
  readonly #stack: StackTree
  /** Of each layer of the stack. */
  readonly #notes: readonly (NotedFiles | undefined)[]

  private constructor(lowers: readonly string[], notes: readonly (NotedFiles | undefined)[]) {
    this.#notes = notes
    this.#stack = new StackTree(lowers)
  }

  /** `undefined` when nothing is noted of any of the layers, topmost first. */
  static open(lowers: readonly string[], find: FindContents): NotedDigests | undefined {
    const files = lowers.map(find)
    if (files.every((file) => file === undefined)) return undefined
    return new NotedDigests(
      lowers,
      files.map((file) => (file === undefined ? undefined : new NotedFiles(file))),
    )
  }

  /**
   * Compares what was read of a file. Cheapest in the order of a walk.
   * @throws {TsbuildError} DIGEST_MISMATCH when it is not what was written
   */
  check(path: Name, digest: Digest): void {
    const at = this.#stack.layerAt(path)
    const noted = at === undefined ? undefined : this.#notes[at]?.digestOf(path)
    if (noted === undefined || noted === digest) return
    throw damagedFileError(path)
  }

  [Symbol.dispose](): void {
    this.#stack.close()
    for (const files of this.#notes) files?.[Symbol.dispose]()
  }
}

/** The failure of a file that differs from what was written to the folder of a layer. */
export function damagedFileError(path: Name): TsbuildError {
  return new TsbuildError(`${quote(path)} in a layer of the store is not what was written`, {
    code: 'DIGEST_MISMATCH',
    hint: 'it was damaged on the disk; see tsbuild store verify',
  })
}

/** Reads notes along with a walk, so that a layer of any size takes no memory. */
class NotedFiles implements Disposable {
  readonly #contents: TarContents | undefined
  #entries: Generator<ContentsEntry> | undefined
  #next: ContentsEntry | undefined

  constructor(path: string) {
    this.#contents = TarContents.open(path)
  }

  /** Of the content of a regular file; `undefined` for everything else. */
  digestOf(path: Name): Digest | undefined {
    // Another selection may begin further up.
    if (this.#next === undefined || comparePaths(path, this.#next.path) < 0) {
      this.#entries = this.#contents?.entries()
      this.#advance()
    }
    while (this.#next !== undefined && comparePaths(this.#next.path, path) < 0) this.#advance()
    return this.#next?.path === path ? this.#next.digest : undefined
  }

  [Symbol.dispose](): void {
    this.#contents?.[Symbol.dispose]()
  }

  #advance(): void {
    const next = this.#entries?.next()
    this.#next = next === undefined || next.done ? undefined : next.value
  }
}
