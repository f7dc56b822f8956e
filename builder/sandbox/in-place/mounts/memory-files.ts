import {
  closeSync,
  constants,
  fchmodSync,
  mkdtempSync,
  openSync,
  readdirSync,
  statfsSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { lockFile } from '#builder/linux'
import { errnoOf, ioError, TsbuildError } from '#core'
import { removeTreeSync } from '#disk'
import { type FileAttributes, writeNewFile } from './new-file.ts'

/** A file that is never on a disk. */
export interface MemoryFile extends FileAttributes {
  readonly content: Uint8Array
}

const PLACES = ['/dev/shm', '/run', '/tmp']
const PREFIX = 'tsbuild-secrets-'
/** The file systems that have no other place than memory. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/** Files in memory, in a directory of their own that is locked as long as they are needed. */
export class MemoryFiles {
  #directory: { readonly path: string; readonly lock: number } | undefined
  #count = 0

  /**
   * @returns the path of the new file
   * @throws {TsbuildError} SANDBOX_UNAVAILABLE where the container has no memory for files, or too little
   */
  add(file: MemoryFile): string {
    this.#directory ??= makeDirectory()
    const path = `${this.#directory.path}/${this.#count++}`
    try {
      writeNewFile(path, file.content, file)
      return path
    } catch (cause) {
      if (errnoOf(cause) === 'ENOSPC') throw fullMemoryError(dirname(this.#directory.path), cause)
      throw ioError('keep a secret in memory', cause)
    }
  }

  /** Removes all files. */
  remove(): void {
    if (this.#directory === undefined) return
    removeTreeSync(this.#directory.path)
    closeSync(this.#directory.lock)
    this.#directory = undefined
  }
}

function fullMemoryError(place: string, cause: unknown): TsbuildError {
  return new TsbuildError(`keep a secret in memory: ${place} of the container is full`, {
    code: 'SANDBOX_UNAVAILABLE',
    cause,
    hint: 'give it more: docker run --shm-size; a larger sizeLimit of the emptyDir at /dev/shm in a pod',
  })
}

/** Removes what builds left that were killed while the container lived on. */
export function removeAbandonedFiles(): void {
  for (const place of memoryPlaces()) {
    for (const name of readdirSync(place)) {
      if (name.startsWith(PREFIX)) removeUnlocked(`${place}/${name}`)
    }
  }
}

function removeUnlocked(path: string): void {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      if (lockFile(descriptor)) removeTreeSync(path)
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    // Another build was faster.
    if (errnoOf(cause) !== 'ENOENT') throw cause
  }
}

function makeDirectory(): { readonly path: string; readonly lock: number } {
  const [place] = memoryPlaces()
  if (place === undefined) {
    throw new TsbuildError('the container has no file system in memory for secrets of steps', {
      code: 'SANDBOX_UNAVAILABLE',
      hint: 'start it with one: docker run --tmpfs /dev/shm; an emptyDir with medium: Memory at /dev/shm in a pod',
    })
  }
  const path = mkdtempSync(`${place}/${PREFIX}`)
  const lock = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  lockFile(lock)
  // Steps of every user walk through it, and cannot list it.
  fchmodSync(lock, 0o711)
  return { path, lock }
}

function memoryPlaces(): readonly string[] {
  return PLACES.filter((place) => {
    try {
      const { type } = statfsSync(place)
      return IN_MEMORY.has(type)
    } catch {
      return false
    }
  })
}
