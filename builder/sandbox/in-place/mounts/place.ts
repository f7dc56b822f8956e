import { chmodSync, closeSync, fstatSync, statSync } from 'node:fs'
import { childPath, setFileTimes } from '#builder/linux'
import { nameOf, TsbuildError } from '#core'
import { removeEntry } from '#disk'
import { findTarget } from '../../root/mount-points.ts'
import { descriptorPath, type EntryKind, findEntry } from '../../root/root-entry.ts'
import { removeStubs, StubMaker } from '../../root/stubs.ts'
import { Aside, type MovedAside } from './aside.ts'

/** Where something is shown to a step. */
export interface Place {
  /** Descriptor of the directory that has it; valid as long as the place is not given back. */
  readonly parent: number
  readonly name: string
  /** Where system calls find it. */
  readonly path: string | Buffer
  /** Permission bits of what was there before. */
  readonly modeBefore: number | undefined
}

/**
 * Empty places in the root for what a step is to see there. What was at a place is moved away and comes
 * back; what was made for one is removed, as stubs are everywhere.
 */
export class Places {
  readonly #root: number
  readonly #kept: readonly string[]
  readonly #stubs: StubMaker
  readonly #aside = new Aside()
  /** Paths of what was made. */
  readonly #made = new Set<string>()
  readonly #taken: Taken[] = []

  /**
   * @param root descriptor of the root
   * @param kept absolute paths that the builder needs, and mount points
   */
  constructor(root: number, kept: readonly string[]) {
    this.#root = root
    this.#kept = kept
    this.#stubs = new StubMaker(root, '/', 'any')
  }

  /**
   * Makes an empty place at `target`, and has it filled. The directory above does not show it.
   * @throws {TsbuildError} STEP_FAILED where something else has to stay
   */
  take<T>(target: string, kind: EntryKind, fill: (place: Place) => T): T {
    const entry = findTarget(this.#root, target, {
      create: kind,
      onCreate: (creation, make) => {
        const path = [...creation.parentNames, creation.name].join('/')
        this.#stubs.create(creation, () => {
          make()
          // Whatever the umask is.
          const mode = creation.kind === 'directory' ? 0o755 : 0o644
          chmodSync(childPath(creation.parent, creation.name), mode)
        })
        this.#made.add(path)
      },
    })
    closeSync(entry.descriptor)
    const isDirectory = entry.stat.isDirectory()
    if (isDirectory !== (kind === 'directory')) throw kindError(target, kind, isDirectory)
    const isNew = this.#made.has(entry.names.join('/'))
    if (!isNew) this.#refuseKept(target, `/${entry.names.join('/')}`)
    const modeBefore = isNew ? undefined : entry.stat.mode & 0o7777
    const above = entry.names.slice(0, -1).join('/')
    const parent = findEntry(this.#root, above, { nofollow: true }).descriptor
    const name = entry.names.at(-1) ?? ''
    const place = { parent, name, path: childPath(parent, name), modeBefore }
    return keepingTimes(parent, () => {
      this.#empty(place, target)
      return fill(place)
    })
  }

  /** Makes everything as it was before. @throws the first failure, after everything else was done */
  giveBack(): void {
    const failures: unknown[] = []
    const attempt = (action: () => void): void => {
      try {
        action()
      } catch (cause) {
        failures.push(cause)
      }
    }
    for (const taken of this.#taken.splice(0).toReversed()) attempt(() => restore(taken))
    attempt(() => removeStubs(this.#stubs.record))
    if (failures.length === 0) attempt(() => this.#aside.close())
    if (failures.length > 0) throw failures[0]
  }

  #empty({ parent, name, path, modeBefore }: Place, target: string): void {
    let moved: MovedAside | undefined
    try {
      if (modeBefore === undefined) removeEntry(parent, nameOf(name))
      else moved = this.#aside.move(path, target)
    } catch (cause) {
      closeSync(parent)
      throw cause
    }
    this.#taken.push({ parent, name, moved })
  }

  #refuseKept(target: string, path: string): void {
    const kept = this.#kept.find((one) => isBelow(one, path) || isBelow(path, one))
    if (kept === undefined) return
    throw new TsbuildError(`mount ${target}: the container needs ${kept} for itself`, {
      code: 'STEP_FAILED',
      hint: 'steps run in place here, in the root of the container: choose another target',
    })
  }
}

interface Taken {
  readonly parent: number
  readonly name: string
  readonly moved: MovedAside | undefined
}

/** The directory is the same wherever the step has moved it; what was in one that it removed is gone, too. */
function restore({ parent, name, moved }: Taken): void {
  try {
    if (fstatSync(parent).nlink === 0) return
    keepingTimes(parent, () => {
      removeEntry(parent, nameOf(name))
      moved?.moveBack(childPath(parent, name))
    })
  } finally {
    closeSync(parent)
  }
}

/** Whether `path` is `directory` or in it. */
export function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`)
}

function keepingTimes<T>(directory: number, action: () => T): T {
  const path = descriptorPath(directory)
  const before = statSync(path, { bigint: true })
  const result = action()
  setFileTimes(path, before)
  return result
}

function kindError(target: string, kind: EntryKind, isDirectory: boolean): TsbuildError {
  const found = isDirectory ? 'a directory' : 'no directory'
  return new TsbuildError(`mount ${target}: the image has ${found} there`, {
    code: 'STEP_FAILED',
    hint: `mount a ${kind} on a ${kind}`,
  })
}
