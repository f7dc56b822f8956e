import { mkdirSync, statSync } from 'node:fs'
import { TaskThread } from '#builder/threads'
import { removeTree } from '#disk'
import type * as tasks from './copies-tasks.ts'

/** So many are kept for later steps; each holds a copy of what it shows. */
const MOST_IDLE = 4

/** A directory that shows a stack of layers as copies of their files, and the thread that keeps it so. */
export interface CopiedRoot {
  readonly directory: string
  readonly thread: TaskThread<typeof tasks>
  /** The inodes of the layers that it shows, topmost first. */
  layers: readonly string[]
}

/** The copied roots of a build: those that no step uses are kept for stacks that are nearly the same. */
export class CopiedRoots implements AsyncDisposable {
  readonly #scratch: () => string
  #parent: string | undefined
  #count = 0
  /** Least recently used first. */
  readonly #idle: CopiedRoot[] = []
  readonly #all = new Set<CopiedRoot>()
  readonly #removals = new Set<Promise<void>>()

  /** @param scratch makes a directory on the store's file system */
  constructor(scratch: () => string) {
    this.#scratch = scratch
  }

  /**
   * Takes the root that has most layers of the stack, or a new one, and makes it show the stack.
   * @returns it, for one user until it is given back or dropped
   */
  async take(lower: readonly string[], signal: AbortSignal | undefined): Promise<CopiedRoot> {
    const wanted = lower.map(inodeOf)
    const root = this.#takeNearest(wanted) ?? this.#make()
    try {
      await root.thread.run('place', lower, { signal })
      root.layers = wanted
      return root
    } catch (cause) {
      this.drop(root)
      throw cause
    }
  }

  /** Writes what was changed in it to a new directory, which it shows on top of the others from then on. */
  async collect(root: CopiedRoot, upper: string, signal: AbortSignal | undefined): Promise<void> {
    await root.thread.run('collect', upper, { signal })
    root.layers = [inodeOf(upper), ...root.layers]
  }

  /** Says that what was collected last has been changed since: it is copied anew for the next stack. */
  async forgetCollected(root: CopiedRoot): Promise<void> {
    await root.thread.run('forgetCollected', undefined)
    root.layers = root.layers.slice(1)
  }

  /** Keeps one in which everything that was changed is collected. */
  giveBack(root: CopiedRoot): void {
    this.#idle.push(root)
    if (this.#idle.length <= MOST_IDLE) return
    const oldest = this.#idle.shift()
    if (oldest !== undefined) this.drop(oldest)
  }

  /** Removes one, in the background. */
  drop(root: CopiedRoot): void {
    this.#all.delete(root)
    const removal = root.thread.close().then(async () => void (await removeTree(root.directory)))
    this.#removals.add(removal)
    const forget = (): void => void this.#removals.delete(removal)
    removal.then(forget, forget)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#idle.length = 0
    for (const root of this.#all) this.drop(root)
    await Promise.all(this.#removals)
  }

  #takeNearest(wanted: readonly string[]): CopiedRoot | undefined {
    let nearest: CopiedRoot | undefined
    let most = 0
    for (const root of this.#idle) {
      const common = commonBelow(root.layers, wanted)
      if (common < most || common === 0) continue
      nearest = root
      most = common
    }
    if (nearest !== undefined) this.#idle.splice(this.#idle.indexOf(nearest), 1)
    return nearest
  }

  #make(): CopiedRoot {
    this.#parent ??= this.#scratch()
    const directory = `${this.#parent}/${this.#count++}`
    mkdirSync(directory, 0o700)
    const script = new URL('./copies-worker.js', import.meta.url)
    const thread = new TaskThread<typeof tasks>({
      ...{ doing: 'copy layers', script, settings: directory },
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
    })
    const root: CopiedRoot = { directory, thread, layers: [] }
    this.#all.add(root)
    return root
  }
}

/** A layer is known by its inode: a commit renames its directory. */
function inodeOf(directory: string): string {
  const { dev, ino } = statSync(directory, { bigint: true })
  return `${dev}:${ino}`
}

/** How many layers both have at their lower end. */
function commonBelow(one: readonly string[], other: readonly string[]): number {
  let common = 0
  while (common < one.length && one.at(-1 - common) === other.at(-1 - common)) common += 1
  return common
}
