import { changesOf, ownersBeside, stackTree, type WrittenTar, writeTar } from '#builder/layer'
import type { OwnedFiles } from '#core'
import { openNullDevice } from './null-device.ts'

/** A layer's tar. */
export interface SizedLayer extends WrittenTar {
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
    return { ...writeTar(changes, task.tar), presumed: ownersBeside([task.directory], 'presumed') }
  } finally {
    lower?.close()
  }
}

/** The digest of what `packLayer` would write. */
export function digestLayer({ directory, lowers }: Omit<PackTask, 'tar'>): SizedLayer {
  using nullDevice = openNullDevice()
  return packLayer({ directory, lowers, tar: nullDevice.descriptor })
}
