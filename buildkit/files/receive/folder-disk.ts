import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
} from 'node:fs'
import {
  childPath,
  fileRights,
  makeNode,
  O_PATH,
  RootedDirectory,
  setFileTimes,
  setXattr,
} from '#builder/linux'
import { baseOf, bytesOfName, errnoOf, ioError, type Name, parentOf, TsbuildError } from '#core'
import { quotePath } from '../packets/transfer-error.ts'
import type { ReceivedEntry } from './received-entry.ts'

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW
const PLACE = O_PATH | constants.O_NOFOLLOW
/** While it is written. */
const FILE_MODE = 0o600
const FOLDER_MODE = 0o700

/**
 * Makes files below a folder of ours. No link is followed, and nothing is written into a file that was there: it may have
 * other names. The time of modification is what is set last, so a file that is not whole never looks as if it were.
 */
export class FolderDisk implements Disposable {
  readonly root: RootedDirectory

  /** @throws {TsbuildError} IO_FAILED */
  constructor(folder: string) {
    try {
      this.root = new RootedDirectory(folder)
    } catch (cause) {
      throw ioError('open the folder of a transfer', cause)
    }
  }

  /** Removes what is at a path, with everything below. */
  remove(path: Name): void {
    attempt('remove', path, () => this.root.remove(path))
  }

  makeFolder(path: Name): void {
    attempt('write', path, () => mkdirSync(this.root.place(path), FOLDER_MODE))
  }

  /**
   * Makes it possible to look at and to change what is in a folder, for a process that is bound by modes.
   * @returns whether the folder has another mode now
   */
  openUp(path: Name, mode: number): boolean {
    if (fileRights().overridesModes || (mode & FOLDER_MODE) === FOLDER_MODE) return false
    attempt('open', path, () => chmodSync(this.root.inside(path), mode | FOLDER_MODE))
    return true
  }

  /** Sets what a folder is to be, when nothing is made in it any more. */
  finishFolder({ path, mode, modTime, xattrs }: ReceivedEntry): void {
    attempt('write', path, () => {
      this.#setXattrs(path, xattrs)
      const inside = this.root.inside(path)
      chmodSync(inside, mode)
      setFileTimes(inside, { atimeNs: modTime, mtimeNs: modTime })
    })
  }

  /** @returns a descriptor for the content, which the caller closes */
  makeFile(path: Name): number {
    return attempt('write', path, () => openSync(this.root.place(path), NEW_FILE, FILE_MODE))
  }

  /** Opens a file again that was made and not finished. */
  reopenFile(path: Name): number {
    return attempt('write', path, () => openSync(this.root.place(path), APPEND))
  }

  /** Sets what a file is to be, after its content. */
  finishFile(descriptor: number, { path, mode, modTime, xattrs }: ReceivedEntry): void {
    attempt('write', path, () => {
      this.#setXattrs(path, xattrs)
      fchmodSync(descriptor, mode)
      setFileTimes(`/proc/self/fd/${descriptor}`, { atimeNs: modTime, mtimeNs: modTime })
    })
  }

  makeLink({ path, linkname, modTime }: ReceivedEntry): void {
    attempt('write', path, () => {
      symlinkSync(bytesOfName(linkname), this.root.place(path))
      this.#setTimes(path, modTime)
    })
  }

  /** Makes a pipe or a device. @throws {TsbuildError} PERMISSION_DENIED for a device, without the right to make one */
  makeNode({ path, kind, mode, major, minor, modTime, xattrs }: ReceivedEntry): void {
    const type = NODE_TYPES.get(kind)
    if (type === undefined) throw new Error(`no node of kind ${kind}`)
    try {
      makeNode(this.root.place(path), type, { mode, major, minor })
    } catch (cause) {
      if (errnoOf(cause) !== 'EPERM') throw ioError(`write ${quotePath(path)}`, cause)
      throw new TsbuildError(`write ${quotePath(path)}: only root can make devices`, {
        code: 'PERMISSION_DENIED',
        cause,
        hint: 'leave the device out (.dockerignore)',
      })
    }
    attempt('write', path, () => {
      this.#setXattrs(path, xattrs)
      this.#setTimes(path, modTime)
    })
  }

  /** Gives a file, which is no link, another name. */
  makeHardlink(path: Name, target: Name): void {
    attempt('write', path, () => {
      const parent = this.root.pin(parentOf(target))
      try {
        linkSync(childPath(parent, baseOf(target)), this.root.place(path))
      } finally {
        closeSync(parent)
      }
    })
  }

  [Symbol.dispose](): void {
    this.root.close()
  }

  /** Some a file system, or this process, cannot set: as in BuildKit, files do without. */
  #setXattrs(path: Name, xattrs: ReceivedEntry['xattrs']): void {
    for (const [name, value] of xattrs) {
      try {
        setXattr(this.root.place(path), name, value)
      } catch (cause) {
        if (!REFUSED.has(errnoOf(cause))) throw cause
      }
    }
  }

  /** Of something that is not opened. */
  #setTimes(path: Name, modTime: bigint): void {
    const descriptor = openSync(this.root.place(path), PLACE)
    try {
      setFileTimes(`/proc/self/fd/${descriptor}`, { atimeNs: modTime, mtimeNs: modTime })
    } finally {
      closeSync(descriptor)
    }
  }
}

const NODE_TYPES: ReadonlyMap<number, 'fifo' | 'block' | 'character'> = new Map([
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFBLK, 'block'],
  [constants.S_IFCHR, 'character'],
])

/** Also where there is no room for attributes. */
const REFUSED: ReadonlySet<string | undefined> = new Set([
  ...['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EACCES', 'EINVAL', 'E2BIG', 'ENOSPC', 'EDQUOT', 'ERANGE'],
])

function attempt<T>(doing: string, path: Name, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    throw ioError(`${doing} ${quotePath(path)}`, cause)
  }
}
