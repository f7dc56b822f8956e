import { type Stats, statfsSync } from 'node:fs'
import { hasWriter } from '#builder/linux'

const TMPFS_MAGIC = 0x01021994
/** By then the kernel has written a page to the disk, and notes the next change of it in the times. */
const WRITTEN_BACK_MILLISECONDS = 60_000

/**
 * Tells which files may change without a change of their times: one that a process has mapped gets new
 * times with the first change of a page, and no more before that page was written to the disk. Files in
 * memory are never written to a disk.
 */
export class UnseenWrites {
  readonly #root: string
  #isInMemory: boolean | undefined

  /** @param root of the files, for the kind of file system that they are in */
  constructor(root: string) {
    this.#root = root
  }

  /** @param descriptor of the regular file, before it is read */
  arePossible(descriptor: number, { ctimeMs }: Pick<Stats, 'ctimeMs'>): boolean {
    this.#isInMemory ??= statfsSync(this.#root).type === TMPFS_MAGIC
    const isRecent = ctimeMs > Date.now() - WRITTEN_BACK_MILLISECONDS
    return (isRecent || this.#isInMemory) && hasWriter(descriptor)
  }
}
