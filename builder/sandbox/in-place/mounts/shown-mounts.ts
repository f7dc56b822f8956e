/**
 * Mounts of a step where nothing can be mounted: what they would show is put into the root for the time
 * of the step. A step can write to what should be read-only, and what it writes there is dropped.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
} from 'node:fs'
import { bindSocket, chownTree, type Identity, listenOnSocket, O_PATH } from '#builder/linux'
import {
  type BindMount,
  type FileMount,
  ioError,
  type Mount,
  type OverlayMount,
  type SocketMount,
  type TmpfsMount,
  unreachable,
} from '#core'
import { descriptorPath, findEntryIfThere } from '../../root/root-entry.ts'
import type { StepSocket } from '../../root/step-mounts.ts'
import { LentDirectory } from './lent-directory.ts'
import { LentFile } from './lent-file.ts'
import { MemoryFiles } from './memory-files.ts'
import { writeNewFile } from './new-file.ts'
import { type Place, Places } from './place.ts'
import { missingPartError, openUnionPart } from './shown-union.ts'

/** Of the step that the mounts are for. */
export interface ShowOptions {
  /** Descriptor of the root. */
  readonly root: number
  /** Absolute paths that nothing can be shown at. */
  readonly kept: readonly string[]
  /** The owner of mounts that are `owned`. */
  readonly user: Identity
  /** A directory on the file system of the store. */
  readonly temporary: string
}

/** The mounts of one step. */
export class ShownMounts {
  /** Paths of files in memory. */
  readonly secrets: string[] = []
  readonly #options: ShowOptions
  readonly #places: Places
  readonly #memory = new MemoryFiles()
  readonly #returns: (() => void)[] = []
  #sockets: StepSocket[] = []

  constructor(options: ShowOptions) {
    this.#options = options
    this.#places = new Places(options.root, options.kept)
  }

  /** Shows them in the given order. After a failure, too, `takeBack` has to be called. */
  show(mounts: readonly Mount[]): void {
    for (const mount of mounts) {
      try {
        this.#show(mount)
      } catch (cause) {
        throw ioError(`mount ${mount.target}`, cause)
      }
    }
  }

  /** Sockets, to which connections can wait already; they are the caller's from now on. */
  takeSockets(): readonly StepSocket[] {
    const sockets = this.#sockets
    this.#sockets = []
    return sockets
  }

  /** Makes the root what it was before, and takes back what was lent. @throws the first failure */
  takeBack(): void {
    const failures: unknown[] = []
    const actions = [
      ...this.#returns.splice(0).toReversed(),
      () => this.#places.giveBack(),
      () => this.#memory.remove(),
      ...this.takeSockets().map((socket) => () => closeSync(socket.descriptor)),
    ]
    for (const action of actions) {
      try {
        action()
      } catch (cause) {
        failures.push(cause)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  #show(mount: Mount): void {
    switch (mount.type) {
      case 'bind':
        this.#lend(mount)
        break
      case 'overlay':
        this.#showUnion(mount)
        break
      case 'tmpfs':
        this.#showEmpty(mount)
        break
      case 'file':
        this.#showFile(mount)
        break
      case 'socket':
        this.#showSocket(mount)
        break
      case 'detached':
        throw new Error('nothing is mounted in place')
      default:
        unreachable(mount)
    }
  }

  #lend({ source, path = '/', target, readonly, owned }: BindMount): void {
    const { user, temporary } = this.#options
    const part = openPart(source, path)
    const isDirectory = fstatSync(part).isDirectory()
    const lent = this.#places.take(target, isDirectory ? 'directory' : 'file', (place) => {
      return isDirectory
        ? new LentDirectory(part, place.path, { readonly, temporary })
        : new LentFile(part, place.path, { readonly })
    })
    this.#returns.push(() => {
      lent.comeBack()
      closeSync(part)
    })
    if (owned === true) chownTree(descriptorPath(lent.descriptor), user)
  }

  #showUnion({ lower, path = '/', target, owned }: OverlayMount): void {
    using part = openUnionPart(lower, path)
    this.#places.take(target, part.kind, (place) => {
      part.copyTo(place.path)
      if (owned === true) this.#giveToUser(place)
    })
  }

  #showEmpty({ target, owned }: TmpfsMount): void {
    this.#places.clear(target, (place) => {
      mkdirSync(place.path)
      chmodSync(place.path, place.modeBefore ?? OPEN_TO_ALL)
      if (owned === true) this.#giveToUser(place)
    })
  }

  #giveToUser({ path }: Place): void {
    const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW)
    try {
      chownTree(descriptorPath(descriptor), this.#options.user)
    } finally {
      closeSync(descriptor)
    }
  }

  #showFile(mount: FileMount): void {
    this.#places.take(mount.target, 'file', ({ path }) => {
      if (mount.isPublic === true) {
        writeNewFile(path, mount.content, mount)
        return
      }
      const secret = this.#memory.add(mount)
      this.secrets.push(secret)
      symlinkSync(secret, path)
    })
  }

  #showSocket({ target, uid, gid, mode }: SocketMount): void {
    this.#places.take(target, 'file', ({ parent, name, path }) => {
      const descriptor = bindSocket(`${descriptorPath(parent)}/${name}`)
      this.#sockets.push({ target, descriptor })
      chownSync(path, uid, gid)
      chmodSync(path, mode)
      listenOnSocket(descriptor)
    })
  }
}

/** Links lead nowhere but inside of the source. */
function openPart(source: string, path: string): number {
  const whole = openSync(source, O_PATH | constants.O_NOFOLLOW)
  if (path === '/') return whole
  try {
    const part = findEntryIfThere(whole, path)
    if (part === undefined) throw missingPartError(path)
    return part.descriptor
  } finally {
    closeSync(whole)
  }
}

const OPEN_TO_ALL = 0o1777
