import { statSync } from 'node:fs'
import { RawTree, type RawTreeOptions } from '../overlay/raw-tree.ts'
import type { LayerTree } from './layer-tree.ts'
import { TarTree } from './tar-tree.ts'

/**
 * Opens what holds one layer: its directory in overlay form, or its tar, which must be self-contained (see
 * `isSelfContained`).
 */
export function openLayerTree(path: string, options: RawTreeOptions = {}): LayerTree {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
    ? new TarTree(path, options)
    : new RawTree(path, options)
}
