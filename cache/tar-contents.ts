import { lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { asDiffId, type DiffId, type Digest, errnoOf, hexOf, isDigest } from '#core'
import { type Layout, layoutOf } from './filesystem/layout.ts'

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

  /** Takes over a file of a `temporary()` of the same store. What the disk refuses is lost, and nothing else is. */
  adopt(file: string, diffId: DiffId): void {
    this.#takeOver(file, this.#path(diffId))
  }

  /** The same for a file that says what a selection was like. */
  adoptState(file: string, selection: Digest): void {
    this.#takeOver(file, copiedStateFile(this.#layout.root, selection))
  }

  #takeOver(file: string, path: string): void {
    try {
      if (rename(file, path)) return
      mkdirSync(this.#layout.contents, { recursive: true, mode: 0o700 })
      rename(file, path)
    } catch (cause) {
      if (errnoOf(cause) === undefined) throw cause
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

/**
 * The file that says what a selection was like when a copy was made of it, in the store at `root`; each can be lost,
 * and has a digest of its own.
 */
export function copiedStateFile(root: string, selection: Digest): string {
  return join(layoutOf(root).contents, `${hexOf(selection).slice(0, 32)}.state`)
}

/** Finds what is noted of the layer in a folder of the store at `root`; for worker threads, too. */
export function contentsOfFolder(root: string, folder: string): string | undefined {
  // Named by the diffID of the layer that it holds.
  const digest = `sha256:${basename(folder)}`
  return isDigest(digest) ? new TarContentsFiles(layoutOf(root)).find(asDiffId(digest)) : undefined
}

/** False where the folder is missing. */
function rename(file: string, path: string): boolean {
  try {
    renameSync(file, path)
    return true
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
    return false
  }
}
