import { chmodSync, closeSync, constants, openSync, type Stats } from 'node:fs'
import { fileRights, O_PATH, type RootedDirectory } from '#builder/linux'
import { errnoOf, type Name } from '#core'

const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const OWNER_READS = 0o400
const OWNER_WALKS = 0o500
const MODE = 0o7777

/**
 * Reads files and directories whose modes lock out their owner, for a process that modes bind (root
 * without CAP_DAC_OVERRIDE, an ordinary user): they get another mode for as long as they are read.
 */
export class LockedFiles {
  readonly #root: RootedDirectory
  readonly #directories = new Map<Name, number>()
  readonly #files: Name[] = []

  constructor(root: RootedDirectory) {
    this.#root = root
  }

  /** The mode of a directory that has another one for the moment. */
  modeOf(path: Name): number | undefined {
    return this.#directories.get(path)
  }

  /** Opens a directory that is going to be walked. */
  unlock(path: Name, mode: number): void {
    if ((mode & OWNER_WALKS) === OWNER_WALKS || fileRights().overridesModes) return
    chmodSync(this.#root.inside(path), (mode & MODE) | OWNER_WALKS)
    this.#directories.set(path, mode & MODE)
  }

  /** A descriptor of a regular file, for reading. */
  openFile(path: Name): number {
    try {
      return openSync(this.#root.place(path), OPEN_FILE)
    } catch (cause) {
      if (errnoOf(cause) !== 'EACCES' || fileRights().overridesModes) throw cause
    }
    return this.#openLocked(path)
  }

  #openLocked(path: Name): number {
    const place = openSync(this.#root.place(path), O_PATH | constants.O_NOFOLLOW)
    const through = `/proc/self/fd/${place}`
    try {
      const { mode } = this.#root.lstat(path) as Stats
      chmodSync(through, (mode & MODE) | OWNER_READS)
      this.#files.push(path)
      try {
        return openSync(through, OPEN_FILE & ~constants.O_NOFOLLOW)
      } finally {
        chmodSync(through, mode & MODE)
      }
    } finally {
      closeSync(place)
    }
  }

  /**
   * Gives directories their modes back, deepest first: with a mode goes the way to what is below.
   * @param renew is called for every path whose inode was changed, while there is a way to it
   */
  lockAgain(renew: (path: Name) => void): void {
    for (const path of this.#files.splice(0)) renew(path)
    for (const [path, mode] of [...this.#directories].reverse()) {
      chmodSync(this.#root.inside(path), mode)
      renew(path)
    }
    this.#directories.clear()
  }
}
