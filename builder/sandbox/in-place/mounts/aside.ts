import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
} from 'node:fs'
import { listXattrs, setFileTimes, setXattr } from '#builder/linux'
import { errnoOf, type Name, TsbuildError } from '#core'
import { removeTreeSync } from '#disk'

type Path = string | Buffer

/** Something that has been moved out of the way. */
export interface MovedAside {
  /** Moves it back to a path where nothing is. */
  moveBack(to: Path): void
}

/** A directory in the root that takes what is in the way of a step's mounts, as long as there is any. */
export class Aside {
  #directory: string | undefined
  #count = 0

  /** @param target what messages call it. @throws {TsbuildError} STEP_FAILED when it cannot be moved */
  move(from: Path, target: string): MovedAside {
    this.#directory ??= keepingRootTimes(() => mkdtempSync('/.tsbuild-aside-'))
    const place = `${this.#directory}/${this.#count++}`
    try {
      moveEntry(from, place)
    } catch (cause) {
      throw immovableError(target, cause)
    }
    return { moveBack: (to) => moveEntry(place, to) }
  }

  /** Removes the directory, with what the step left no place for. */
  close(): void {
    const directory = this.#directory
    if (directory !== undefined) keepingRootTimes(() => removeTreeSync(directory))
    this.#directory = undefined
  }
}

/**
 * Renames a file or directory. Where the root is an overlay, its kernel renames no directory that a layer
 * of the container has; such a one is made anew, and what is in it is renamed.
 */
function moveEntry(from: Path, to: Path): void {
  try {
    renameSync(from, to)
  } catch (cause) {
    if (errnoOf(cause) !== 'EXDEV' || !lstatSync(from).isDirectory()) throw cause
    moveDirectory(from, to)
  }
}

function moveDirectory(from: Path, to: Path): void {
  const before = statSync(from, { bigint: true })
  mkdirSync(to, 0o700)
  moveContent(from, to)
  chownSync(to, Number(before.uid), Number(before.gid))
  chmodSync(to, Number(before.mode & 0o7777n))
  for (const [name, value] of listXattrs(from)) {
    if (!name.startsWith('trusted.overlay.')) setXattr(to, name, value)
  }
  setFileTimes(to, before)
  rmdirSync(from)
}

/** All of it, or nothing. */
function moveContent(from: Path, to: Path): void {
  const moved: Name[] = []
  try {
    for (const name of readdirSync(from, 'latin1') as Name[]) {
      moveEntry(inside(from, name), inside(to, name))
      moved.push(name)
    }
  } catch (cause) {
    for (const name of moved) moveEntry(inside(to, name), inside(from, name))
    rmdirSync(to)
    throw cause
  }
}

function inside(directory: Path, name: Name): Buffer {
  const path = typeof directory === 'string' ? Buffer.from(directory) : directory
  return Buffer.concat([path, Buffer.from('/'), Buffer.from(name, 'latin1')])
}

/** Does `action`, which makes or removes something in the root, and leaves its times as they were. */
function keepingRootTimes<T>(action: () => T): T {
  const before = statSync('/', { bigint: true })
  const result = action()
  setFileTimes('/', before)
  return result
}

function immovableError(target: string, cause: unknown): TsbuildError {
  return new TsbuildError(`mount ${target}: what the container has there cannot be moved away`, {
    code: 'STEP_FAILED',
    cause,
    hint: 'something is mounted there, or it is on another file system: choose another target',
  })
}
