import { chmodSync, closeSync, fstatSync, statSync } from 'node:fs'
import { childPath, setFileTimes } from '#builder/linux'
import { nameOf, TsbuildError } from '#core'
import { removeEntry } from '#disk'
import { findTarget } from '../root/mount-points.ts'
import { descriptorPath, type EntryKind, findEntry } from '../root/root-entry.ts'
import { removeStubs, StubMaker } from '../root/stubs.ts'
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
   * Makes an empty place at `target`, or above what is there.
   * @throws {TsbuildError} STEP_FAILED where something else has to stay
   */
  take(target: string, kind: EntryKind): Place {
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
    return this.#takeAt(target, entry.names, isNew ? undefined : entry.stat.mode & 0o7777)
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

  #takeAt(target: string, names: readonly string[], modeBefore: number | undefined): Place {
    const name = names.at(-1) ?? ''
    const above = names.slice(0, -1).join('/')
    const parent = findEntry(this.#root, above, { nofollow: true }).descriptor
    const path = childPath(parent, name)
    try {
      const moved = keepingTimes(parent, () => {
        if (modeBefore !== undefined) return this.#aside.move(path, target)
        removeEntry(parent, nameOf(name))
        return undefined
      })
      this.#taken.push({ parent, name, moved })
    } catch (cause) {
      closeSync(parent)
      throw cause
    }
    return { parent, name, path, modeBefore }
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
