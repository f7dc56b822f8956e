import { lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type DiffId, errnoOf, hexOf } from '#core'
import { storeError } from './filesystem/failure.ts'
import type { Layout } from './filesystem/layout.ts'

/**
 * Files that say what is where in the tars of copies, by diffID: with them the next copy takes over what did
 * not change. Each can be lost, and has a digest of its own.
 */
export class TarContentsFiles {
  readonly #layout: Layout

  constructor(layout: Layout) {
    this.#layout = layout
  }

  /** The file of a tar; `undefined` when there is none. */
  find(diffId: DiffId): string | undefined {
    const path = this.#path(diffId)
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() ? path : undefined
  }

  /** Takes over a file of a `temporary()` of the same store. @throws {TsbuildError} NO_SPACE, IO_FAILED */
  adopt(file: string, diffId: DiffId): void {
    const path = this.#path(diffId)
    try {
      try {
        renameSync(file, path)
      } catch (cause) {
        if (errnoOf(cause) !== 'ENOENT') throw cause
        mkdirSync(this.#layout.contents, { recursive: true, mode: 0o700 })
        renameSync(file, path)
      }
    } catch (cause) {
      throw storeError(`write ${path}`, cause)
    }
  }

  /** Nothing to remove is fine. */
  remove(diffId: DiffId): void {
    rmSync(this.#path(diffId), { force: true })
  }

  #path(diffId: DiffId): string {
    return join(this.#layout.contents, hexOf(diffId))
  }
}
