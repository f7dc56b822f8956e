import { Buffer } from 'node:buffer'
import { closeSync, constants, fchmodSync, fchownSync } from 'node:fs'
import type { FileStat, Name } from '#core'
import { O_CLOEXEC } from '#disk'
import { SystemError, trySyscall } from '../system/syscalls.ts'
import { ContentCopier, type FilePart } from './content-copier.ts'
import { FileFacts } from './file-facts.ts'
import { PartReader } from './file-part.ts'
import { writeFully } from './write-all.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
const LONGEST_NAME = 255
const MODE = 0o7777
const ENOENT = 2
/** Parts up to here are read together with those that follow. */
const WINDOW = 256 * 1024

/** A name in the directory that a descriptor is of. */
export interface NameIn {
  readonly directory: number
  readonly name: Name
}

/** What a copy gets besides the content and the time. */
export interface CopiedRights {
  /** `drop`: the copy belongs to the current user. */
  readonly owners: 'keep' | 'drop'
  /** Owner and mode that the file itself does not have. */
  readonly stat?: Rights
}

/** What a copy of a part of a file gets. */
export interface PartAttributes extends Omit<CopiedRights, 'stat'> {
  readonly stat: Rights
  readonly mtimeMs: number
}

interface Modified {
  readonly modified: FileFacts['modified']
}

type Rights = Pick<FileStat, 'mode' | 'uid' | 'gid'>

/**
 * Copies regular files from directory to directory, relative to descriptors: a small file costs a third
 * less than by paths, which the kernel looks up for every call.
 */
export class FileCopier {
  readonly #content = new ContentCopier()
  readonly #facts = new FileFacts()
  #parts: PartReader | undefined
  readonly #name = Buffer.alloc(LONGEST_NAME + 1)
  /** Two of `struct timespec`: of the last access and of the last modification. */
  readonly #times = Buffer.alloc(32)

  /**
   * Copies content, owner, mode and the time of modification, to the nanosecond. The new name must not
   * exist.
   * @returns whether the file has extended attributes, which are not copied
   * @throws {SystemError}
   */
  copy(from: NameIn, to: NameIn, { owners, stat }: CopiedRights): boolean {
    const { size } = this.#look(from)
    const source = this.#open(from, READ, 0)
    try {
      const target = this.#open(to, CREATE, 0o600)
      try {
        this.#content.copy({ from: source, to: target, size })
        const { uid, gid, mode } = stat ?? this.#facts
        const { modified } = this.#facts
        this.#setAttributes(target, { uid, gid, mode, owners, modified })
        return hasXattrs(source)
      } finally {
        closeSync(target)
      }
    } finally {
      closeSync(source)
    }
  }

  /**
   * Makes a file of a part of another one, with that owner, mode and time of modification. The new name must
   * not exist.
   * @throws {SystemError}
   */
  copyPart(part: FilePart, to: NameIn, { owners, stat, mtimeMs }: PartAttributes): void {
    const target = this.#open(to, CREATE, 0o600)
    try {
      this.#parts ??= new PartReader(WINDOW)
      const bytes = this.#parts.read(part)
      if (bytes === undefined) this.#content.copyPart(part, target)
      else writeFully(target, bytes)
      const seconds = Math.floor(mtimeMs / 1000)
      const nanoseconds = Math.floor((mtimeMs - seconds * 1000) * 1e6)
      this.#setAttributes(target, { ...stat, owners, modified: { seconds, nanoseconds } })
    } finally {
      closeSync(target)
    }
  }

  #open({ directory, name }: NameIn, flags: number, mode: number): number {
    this.#name[this.#name.write(name, 0, LONGEST_NAME, 'latin1')] = 0
    const result = trySyscall('openat', [directory, this.#name, flags, mode])
    if (result < 0) throw new SystemError(-result, 'open', name)
    return result
  }

  #look({ directory, name }: NameIn): FileFacts {
    if (this.#facts.read(directory, name)) return this.#facts
    throw new SystemError(ENOENT, 'statx', name)
  }

  #setAttributes(
    target: number,
    { uid, gid, mode, owners, modified }: Rights & Pick<CopiedRights, 'owners'> & Modified,
  ): void {
    if (owners === 'keep') fchownSync(target, uid, gid)
    // After the owner, since changing it clears setuid bits.
    fchmodSync(target, mode & MODE)
    const { seconds, nanoseconds } = modified
    for (const at of [0, 16]) {
      this.#times.writeBigInt64LE(BigInt(seconds), at)
      this.#times.writeInt32LE(nanoseconds, at + 8)
    }
    const result = trySyscall('utimensat', [target, undefined, this.#times, 0])
    if (result < 0) throw new SystemError(-result, 'utimensat', undefined)
  }
}

/** Most files have none, which a call with no room for them finds out. */
function hasXattrs(file: number): boolean {
  return trySyscall('flistxattr', [file, undefined, 0]) > 0
}
