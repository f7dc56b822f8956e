import { changesOf, stackTree, writeLayer } from '#builder/layer'
import type { DiffId } from '#core'
import type { ContainerLayers } from './container-layers.ts'

/** What a container has changed, and where the tar of it goes. */
export interface WriteLayerTask {
  readonly layers: ContainerLayers
  /** A file to create. */
  readonly tar: string
}

/** Bytes of a tar without entries: its end. */
const EMPTY_TAR = 1024

/** A layer as it was written. */
export interface NewLayer {
  readonly diffId: DiffId
  /** Bytes of the tar. */
  readonly size: number
  /** Nothing was changed. */
  readonly isEmpty: boolean
}

/**
 * Writes what a container has changed as the layer of an image.
 * @throws {TsbuildError} LAYER_INVALID for a name that a layer cannot hold, IO_FAILED also when a file changed while it
 *   was read, NO_SPACE, CANCELLED
 */
export function writeContainerLayer({ layers, tar }: WriteLayerTask): NewLayer {
  const lower = stackTree(layers.lower)
  try {
    const { diffId, size } = writeLayer(changesOf(layers.upper, { lower }), { tar })
    if (diffId === undefined || size === undefined) throw new Error('a tar was written')
    return { diffId, size, isEmpty: size === EMPTY_TAR }
  } finally {
    lower.close()
  }
}
