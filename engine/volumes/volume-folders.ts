import { chmodSync, mkdirSync, readdirSync, renameSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, ioError, randomName } from '#core'
import { removeTree } from '#disk'

/** What a container sees of a volume lies in this folder of its own. */
const DATA = '_data'
/** No name of a volume begins so. */
const REMOVED = '.removed-'
const SCRATCH = '.filling'

/** As docker has them: others may pass through, and not look around. */
const FOLDER_MODE = 0o701
const DATA_MODE = 0o755

/**
 * The folders of volumes: `NAME/_data`. One is made before the record of its volume, and taken away after it, so that
 * a volume that is known always has its files.
 */
export class VolumeFolders {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  data(name: string): string {
    return join(this.root, name, DATA)
  }

  /** Where files are before they are in `data`. */
  scratch(name: string): string {
    return join(this.root, name, SCRATCH)
  }

  /** One that is there stays as it is. @throws {TsbuildError} NO_SPACE, PERMISSION_DENIED, IO_FAILED */
  make(name: string): void {
    try {
      makeFolder(this.root, FOLDER_MODE)
      makeFolder(join(this.root, name), FOLDER_MODE)
      makeFolder(this.data(name), DATA_MODE)
    } catch (cause) {
      throw ioError(`make the folder of volume ${name}`, cause)
    }
  }

  /** Out of the way at once; its files are removed after that. What cannot be removed stays for `sweep`. */
  async remove(name: string): Promise<void> {
    const aside = join(this.root, `${REMOVED}${randomName(12)}`)
    try {
      renameSync(join(this.root, name), aside)
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return
      throw ioError(`remove the folder of volume ${name}`, cause)
    }
    await removeTree(aside)
  }

  /**
   * Removes what was being made or removed when an earlier process ended.
   * @returns names of folders with files of volumes that are not known
   */
  async sweep(isKnown: (name: string) => boolean): Promise<readonly string[]> {
    const strangers: string[] = []
    for (const name of this.#names()) {
      if (name.startsWith(REMOVED)) await removeTree(join(this.root, name))
      else if (!isKnown(name) && !this.#removeEmpty(name)) strangers.push(name)
    }
    return strangers
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.root)
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return []
      throw ioError('list volumes', cause)
    }
  }

  /** A folder without files was made just before the end. */
  #removeEmpty(name: string): boolean {
    if (!isFolder(this.data(name))) return true
    try {
      rmdirSync(this.data(name))
      rmdirSync(join(this.root, name))
      return true
    } catch {
      return false
    }
  }
}

function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path)
    // Whatever the umask is.
    chmodSync(path, mode)
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
