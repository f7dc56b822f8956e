import type {
  LayersMount,
  Snapshot,
  Snapshotter,
  SnapshotterDeps,
  View,
  ViewOptions,
} from '../spec/snapshotter.ts'
import { CopiedRoots } from './copied-roots.ts'
import { openKeptCopy } from './kept-copy.ts'

/**
 * Snapshots by copying: the layers are made anew as plain files, and what a step has changed is found
 * afterwards. Works everywhere; the steps of a stage follow each other in one directory, so that only
 * the first of them copies all of it.
 */
export class CopiesSnapshotter implements Snapshotter {
  readonly kind = 'copies'
  readonly #roots: CopiedRoots

  constructor({ scratch }: Pick<SnapshotterDeps, 'scratch'>) {
    this.#roots = new CopiedRoots(scratch)
  }

  async prepare(
    directory: string,
    lower: readonly string[],
    signal?: AbortSignal,
  ): Promise<Snapshot> {
    const roots = this.#roots
    const root = await roots.take(lower, signal)
    let isClean = false
    let isAltered = false
    return {
      root: shownAs(root.directory, true),
      changes: async () => {
        await roots.collect(root, directory, signal)
        isClean = true
        return directory
      },
      altered: () => {
        isAltered = true
      },
      exhausted: () => undefined,
      [Symbol.asyncDispose]: async () => {
        if (!isClean) {
          roots.drop(root)
          return
        }
        if (isAltered) await roots.forgetCollected(root)
        roots.giveBack(root)
      },
    }
  }

  reopen(directory: string, lower: readonly string[], signal?: AbortSignal): Promise<Snapshot> {
    return openKeptCopy(directory, lower, signal)
  }

  async view(
    _directory: string,
    lower: readonly string[],
    { writable, signal }: ViewOptions,
  ): Promise<View> {
    const roots = this.#roots
    const root = await roots.take(lower, signal)
    return {
      mount: shownAs(root.directory, writable),
      [Symbol.asyncDispose]: async () => {
        if (writable) roots.drop(root)
        else roots.giveBack(root)
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#roots[Symbol.asyncDispose]()
  }
}

function shownAs(source: string, isWritable: boolean): LayersMount {
  return { type: 'bind', target: '/', source, readonly: !isWritable, labelled: true }
}
