import { statSync } from 'node:fs'
import type { TaskThread } from '#builder/threads'
import type { Snapshots } from '../snapshots.ts'
import type { Snapshot, Snapshotter, View } from '../spec/snapshotter.ts'
import { notKeptError } from '../upper/unavailable.ts'
import type * as rootTasks from './root-tasks.ts'
import { Turns } from './turns.ts'

/** What snapshots in place need. */
export interface InPlaceSnapshotsOptions {
  /** It has the root; the caller closes it afterwards. */
  readonly thread: TaskThread<typeof rootTasks>
  /** Gets what could not be made of a layer. */
  readonly onNotice: (message: string) => void
}

/**
 * Snapshots for containers in which nothing can be mounted: the root of this process becomes that of the
 * step. What is kept stays; everything else in it is replaced by the layers.
 */
export function inPlaceSnapshots(options: InPlaceSnapshotsOptions): Snapshots {
  const snapshotter = new InPlaceSnapshotter(options)
  return {
    use: (work) => work(snapshotter),
    [Symbol.asyncDispose]: () => snapshotter[Symbol.asyncDispose](),
  }
}

class InPlaceSnapshotter implements Snapshotter {
  readonly kind = 'in-place'
  readonly #turns = new Turns()
  readonly #thread: TaskThread<typeof rootTasks>
  readonly #onNotice: (message: string) => void

  constructor({ thread, onNotice }: InPlaceSnapshotsOptions) {
    this.#thread = thread
    this.#onNotice = onNotice
  }

  /**
   * Waits for the root. It must not be called by a step that has what another one may wait for with the
   * root in its hands.
   */
  async prepare(
    directory: string,
    lower: readonly string[],
    signal?: AbortSignal,
  ): Promise<Snapshot> {
    const stack = lower.map(inodeOf)
    await this.#turns.take(stack, signal)
    let shown: readonly string[] | undefined
    const giveBack = (): void => this.#turns.giveBack(shown)
    try {
      await this.#thread.run('place', lower, { signal, onUpdate: this.#onNotice })
    } catch (cause) {
      giveBack()
      throw cause
    }
    let isAltered = false
    return {
      root: { type: 'bind', target: '/', source: '/', readonly: false },
      changes: async () => {
        await this.#thread.run('collect', directory, { signal })
        shown = [inodeOf(directory), ...stack]
        return directory
      },
      altered: () => {
        isAltered = true
      },
      pack: async (tar, maxMtime) => {
        const packed = await this.#thread.run('pack', { tar, maxMtime }, { signal })
        shown = [inodeOf(tar), ...stack]
        // The files may have later times than the layer.
        isAltered = maxMtime !== undefined
        return packed
      },
      exhausted: () => undefined,
      [Symbol.asyncDispose]: async () => {
        try {
          if (isAltered) {
            shown = stack
            await this.#thread.run('forgetCollected', undefined)
          }
        } finally {
          giveBack()
        }
      },
    }
  }

  /** The sandbox puts them into the root. */
  /** Only one root is shown at a time. */
  async reopen(): Promise<Snapshot> {
    throw notKeptError('in place, what steps write')
  }

  async view(_directory: string, lower: readonly string[]): Promise<View> {
    return {
      mount: { type: 'overlay', target: '/', lower },
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held between steps.
  }
}

/** A layer is known by its inode: a commit renames its directory. */
function inodeOf(directory: string): string {
  const { dev, ino } = statSync(directory, { bigint: true })
  return `${dev}:${ino}`
}
