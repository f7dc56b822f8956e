import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { errnoOf, type Name, nameFromBytes, nameOf } from '#core'
import { childPath, O_PATH } from './child-path.ts'

/*
 * The only recursive deletion. It walks on descriptors of directories and not on paths: no link is
 * followed, a path may be longer than PATH_MAX, and what another process moves meanwhile leads
 * nowhere else. A directory is entered only when it lies in the mount, and on the device, of the
 * directory in which the removal began, so that whatever an administrator mounted below is safe.
 */

/** How a tree is removed. */
export interface RemoveOptions {
  /** When it aborts, the rest stays where it is. */
  readonly signal?: AbortSignal
}

/** Milliseconds of work between turns of the event loop. */
const SLICE_MILLISECONDS = 4
/** Directories that are kept open; those further up are opened again, from below, when it is their turn. */
const MAX_OPEN = 64
const OPEN_FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW
const OWNER_MAY = 0o700

/**
 * Removes a file or a folder with everything in it, in slices of time. What cannot be removed, such as
 * a mount point, stays with the folders above it, and the rest goes.
 * @returns whether nothing is left; nothing to remove is fine
 */
export async function removeTree(path: string, options: RemoveOptions = {}): Promise<boolean> {
  const failures: unknown[] = []
  let sliceEnd = performance.now() + SLICE_MILLISECONDS
  for (const _ of removingPath(path, failures)) {
    if (performance.now() < sliceEnd) continue
    await new Promise((resolve) => setImmediate(resolve))
    if (options.signal?.aborted) return false
    sliceEnd = performance.now() + SLICE_MILLISECONDS
  }
  return failures.length === 0
}

/** Like `removeTree`, blocking. @throws the first failure, after everything else was removed */
export function removeTreeSync(path: string | Buffer): void {
  const failures: unknown[] = []
  for (const _ of removingPath(path, failures)) {
    // In one go.
  }
  if (failures.length > 0) throw failures[0]
}

/** Like `removeTreeSync`: `name` in the directory that `parent` is a descriptor of. */
export function removeEntry(parent: number, name: Name): void {
  const failures: unknown[] = []
  for (const _ of new Removal(parent, failures).removing(name)) {
    // In one go.
  }
  if (failures.length > 0) throw failures[0]
}

/** The folder of `path` is trusted, links and all. */
function* removingPath(path: string | Buffer, failures: unknown[]): Generator<void> {
  const text = typeof path === 'string' ? nameOf(path) : nameFromBytes(path)
  let parent: number
  try {
    parent = openSync(Buffer.from(dirname(text), 'latin1'), O_PATH | constants.O_DIRECTORY)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') failures.push(systemError(cause))
    return
  }
  try {
    yield* new Removal(parent, failures).removing(basename(text) as Name)
  } finally {
    closeSync(parent)
  }
}

/** A folder that is being emptied. */
interface Folder {
  readonly name: Name
  readonly identity: FolderIdentity
  /** What is still to be removed. */
  readonly entries: Entry[]
  /** `undefined` while it is closed. */
  descriptor: number | undefined
  /** Something in it could not be removed. */
  stays: boolean
}

/** What tells a folder from others of the same name. */
interface FolderIdentity {
  readonly device: bigint
  readonly inode: bigint
  /** Tells a bind mount from the file system that it is of. */
  readonly mount: string
}

interface Entry {
  readonly name: Name
  readonly isFolder: boolean
}

/** One walk, depth first, with a stack in a list: a tree may be deeper than the call stack. */
class Removal {
  readonly #parent: number
  readonly #failures: unknown[]
  readonly #stack: Folder[] = []
  /** Of the parent; looked up when there is a folder to enter. */
  #origin: FolderIdentity | undefined

  constructor(parent: number, failures: unknown[]) {
    this.#parent = parent
    this.#failures = failures
  }

  /** Yields after every name. */
  *removing(name: Name): Generator<void> {
    try {
      this.#begin(name)
      for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
        const entry = top.entries.pop()
        if (entry === undefined) this.#leave(top)
        else this.#remove(top, entry)
        yield
      }
    } finally {
      this.#close()
    }
  }

  #begin(name: Name): void {
    this.#attempt(() => {
      const found = lstatSync(childPath(this.#parent, name), { throwIfNoEntry: false })
      if (found?.isDirectory()) this.#enter(this.#parent, name)
      else if (found !== undefined) unlinkSync(childPath(this.#parent, name))
    })
  }

  #remove(folder: Folder, { name, isFolder }: Entry): void {
    const isDone = this.#attempt(() => {
      if (isFolder) this.#enter(opened(folder), name)
      else unlinkSync(childPath(opened(folder), name))
    })
    if (!isDone) folder.stays = true
  }

  #enter(parent: number, name: Name): void {
    const descriptor = openSync(childPath(parent, name), OPEN_FOLDER)
    try {
      this.#origin ??= identityOf(this.#parent)
      const identity = identityOf(descriptor)
      if (identity.device !== this.#origin.device || identity.mount !== this.#origin.mount) {
        throw systemFailureError('EBUSY', `it is a mount point, '${name}'`)
      }
      const entries = entriesOf(descriptor)
      this.#stack.push({ name, identity, entries, descriptor, stays: false })
    } catch (cause) {
      closeSync(descriptor)
      throw cause
    }
    const far = this.#stack.at(-1 - MAX_OPEN)
    if (far !== undefined) close(far)
  }

  /** Removes an empty folder, standing in the one above it. */
  #leave(folder: Folder): void {
    const above = this.#stack.at(-2)
    if (above !== undefined && above.descriptor === undefined) {
      this.#attempt(() => openAbove(folder, above))
      // Nothing above can be reached any more, so it stays.
      if (above.descriptor === undefined) {
        this.#close()
        return
      }
    }
    const parent = above?.descriptor ?? this.#parent
    const isRemoved =
      !folder.stays && this.#attempt(() => rmdirSync(childPath(parent, folder.name)))
    if (above !== undefined && !isRemoved) above.stays = true
    this.#stack.pop()
    close(folder)
  }

  #close(): void {
    for (const folder of this.#stack.splice(0)) close(folder)
  }

  /** @returns whether it went well; that something is missing already counts as success */
  #attempt(action: () => void): boolean {
    try {
      action()
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return true
      this.#failures.push(systemError(cause))
      return false
    }
    return true
  }
}

function opened({ descriptor }: Folder): number {
  if (descriptor === undefined) throw new Error('the folder is closed')
  return descriptor
}

function close(folder: Folder): void {
  if (folder.descriptor !== undefined) closeSync(folder.descriptor)
  folder.descriptor = undefined
}

/** Opens the folder above, which was closed, from the one below. */
function openAbove(folder: Folder, above: Folder): void {
  const descriptor = openSync(`/proc/self/fd/${opened(folder)}/..`, OPEN_FOLDER)
  const { dev, ino } = fstatSync(descriptor, { bigint: true })
  if (dev === above.identity.device && ino === above.identity.inode) {
    above.descriptor = descriptor
    return
  }
  closeSync(descriptor)
  throw systemFailureError('ESTALE', `a folder was moved while it was removed, '${folder.name}'`)
}

function entriesOf(descriptor: number): Entry[] {
  const { mode } = fstatSync(descriptor)
  // Not to be listed, or nothing to be taken out: a step leaves folders of every mode.
  if ((mode & OWNER_MAY) !== OWNER_MAY) chmodSync(`/proc/self/fd/${descriptor}`, OWNER_MAY)
  const options = { withFileTypes: true, encoding: 'buffer' } as const
  return readdirSync(`/proc/self/fd/${descriptor}`, options).map((entry) => {
    return { name: nameFromBytes(entry.name), isFolder: entry.isDirectory() }
  })
}

const MOUNT_ID = /^mnt_id:\s*(\d+)$/m
const fields = Buffer.alloc(256)

/** Spec: proc_pid_fdinfo(5) */
function identityOf(descriptor: number): FolderIdentity {
  const { dev: device, ino: inode } = fstatSync(descriptor, { bigint: true })
  const file = openSync(`/proc/self/fdinfo/${descriptor}`, 'r')
  try {
    const text = fields.toString('latin1', 0, readSync(file, fields))
    return { device, inode, mount: MOUNT_ID.exec(text)?.[1] ?? '' }
  } finally {
    closeSync(file)
  }
}

/** In the shape of a failed system call. */
function systemFailureError(code: string, reason: string): Error {
  return Object.assign(new Error(`${code}: ${reason}`), { code })
}

/** @throws what is not the failure of a system call: that is a bug */
function systemError(cause: unknown): unknown {
  if (errnoOf(cause) === undefined) throw cause
  return cause
}
