import { type Stats, statfsSync } from 'node:fs'
import { hasWriter } from '#builder/linux'

const TMPFS_MAGIC = 0x01021994
/** After this the kernel has written a page to the disk, and the next change of it updates the times. */
const WRITTEN_BACK_MILLISECONDS = 60_000

/**
 * Finds files that may change while their times stay the same. A file that a process has mapped gets new
 * times with the first change of a page, and then none until that page is written to the disk. Files in
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
