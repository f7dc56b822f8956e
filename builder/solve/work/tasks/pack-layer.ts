import { changesOf, ownersBeside, stackTree, writeLayer } from '#builder/layer'
import type { DiffId, OwnedFiles } from '#core'

/** A layer's tar. */
export interface SizedLayer {
  readonly diffId: DiffId
  readonly size: number
  /** Files whose owners are presumed; absent when there are none. */
  readonly presumed: OwnedFiles | undefined
}

/** A directory in overlay form, and where its tar goes. */
export interface PackTask {
  readonly directory: string
  /**
   * The layers below, topmost first. Absent: not known, and its deletions and opaque marks all count.
   */
  readonly lowers: readonly string[] | undefined
  /** A file to create, or a descriptor to write to. */
  readonly tar: string | number
}

/** Turns an overlay directory into a layer's tar. */
export function packLayer(task: PackTask): SizedLayer {
  const lower = task.lowers === undefined ? undefined : stackTree(task.lowers)
  try {
    const changes = changesOf(task.directory, lower === undefined ? {} : { lower })
    const { diffId, size } = writeLayer(changes, { tar: task.tar })
    if (diffId === undefined || size === undefined) throw new Error('no tar was written')
    return { diffId, size, presumed: ownersBeside([task.directory], 'presumed') }
  } finally {
    lower?.close()
  }
}
