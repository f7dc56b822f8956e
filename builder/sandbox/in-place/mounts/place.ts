import { chmodSync, closeSync, fstatSync, readdirSync, statSync } from 'node:fs'
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
  /** What gives the places back. */
  readonly #taken: (() => void)[] = []

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
    const found = this.#find(target, kind)
    closeSync(found.descriptor)
    const [kept] = found.kept
    if (kept !== undefined) throw keptError(target, kept)
    return this.#takeAt(found, fill)
  }

  /**
   * Makes an empty directory at `target`, in which what the container needs for itself stays.
   * @param make makes it where nothing is
   * @throws {TsbuildError} STEP_FAILED where all of it has to stay, or cannot be moved away
   */
  clear(target: string, make: (place: Place) => void): void {
    const found = this.#find(target, 'directory')
    if (found.kept.length === 0) {
      closeSync(found.descriptor)
      this.#takeAt(found, make)
      return
    }
    const above = found.kept.find((one) => !isBelow(one, found.path) || one === found.path)
    if (above !== undefined) {
      closeSync(found.descriptor)
      throw keptError(target, above)
    }
    this.#clearAround(found)
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
    for (const action of this.#taken.splice(0).toReversed()) attempt(action)
    attempt(() => removeStubs(this.#stubs.record))
    if (failures.length === 0) attempt(() => this.#aside.close())
    if (failures.length > 0) throw failures[0]
  }

  #find(target: string, kind: EntryKind): FoundPlace {
    const { descriptor, names, stat } = findTarget(this.#root, target, {
      create: kind,
      onCreate: (creation, make) => {
        this.#stubs.create(creation, () => {
          make()
          // Whatever the umask is.
          const mode = creation.kind === 'directory' ? 0o755 : 0o644
          chmodSync(childPath(creation.parent, creation.name), mode)
        })
        this.#made.add([...creation.parentNames, creation.name].join('/'))
      },
    })
    const path = `/${names.join('/')}`
    const isNew = this.#made.has(names.join('/'))
    const kept = isNew ? [] : this.#kept.filter((one) => isBelow(one, path) || isBelow(path, one))
    if (stat.isDirectory() !== (kind === 'directory')) {
      closeSync(descriptor)
      throw kindError(target, kind, stat.isDirectory())
    }
    return { target, descriptor, names, path, kept, mode: isNew ? undefined : stat.mode & 0o7777 }
  }

  #takeAt<T>({ target, names, mode }: FoundPlace, fill: (place: Place) => T): T {
    const above = names.slice(0, -1).join('/')
    const parent = findEntry(this.#root, above, { nofollow: true }).descriptor
    const name = names.at(-1) ?? ''
    const place = { parent, name, path: childPath(parent, name), modeBefore: mode }
    return keepingTimes(parent, () => {
      this.#empty(place, target)
      return fill(place)
    })
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
    this.#taken.push(() => restore({ parent, name, moved }))
  }

  #clearAround({ descriptor, path, kept, target }: FoundPlace): void {
    const stays = new Set(kept.map((one) => one.slice(path.length + 1).split('/')[0]))
    const names = (): readonly string[] =>
      readdirSync(descriptorPath(descriptor)).filter((name) => !stays.has(name))
    const moved = new Map<string, MovedAside>()
    this.#taken.push(() => {
      keepingTimes(descriptor, () => {
        for (const name of names()) removeEntry(descriptor, nameOf(name))
        for (const [name, one] of moved) one.moveBack(childPath(descriptor, name))
      })
      closeSync(descriptor)
    })
    keepingTimes(descriptor, () => {
      for (const name of names()) {
        moved.set(name, this.#aside.move(childPath(descriptor, name), target))
      }
    })
  }
}

/** A target in the root. */
interface FoundPlace {
  readonly target: string
  readonly descriptor: number
  readonly names: readonly string[]
  /** Without links. */
  readonly path: string
  /** Of what was there before; `undefined`: nothing was. */
  readonly mode: number | undefined
  /** Paths above, at and below it that stay. */
  readonly kept: readonly string[]
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

function keptError(target: string, kept: string): TsbuildError {
  return new TsbuildError(`mount ${target}: the container needs ${kept} for itself`, {
    code: 'STEP_FAILED',
    hint: 'steps run in place here, in the root of the container: choose another target',
  })
}
